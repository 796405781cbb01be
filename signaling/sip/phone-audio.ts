import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { AppError } from '../../base/index.ts';
import type { PhoneAudio } from '../../media/index.ts';
import type { NegotiatedAudio } from '../sdp/index.ts';

/**
 * `signallingHost`: where the call's signalling comes from. Names in `c=` are rare but legal (RFC 8866 5.7); media is sent to an address, looked up once.
 */
export async function toPhoneAudio(
  audio: NegotiatedAudio,
  signallingHost?: string,
): Promise<PhoneAudio> {
  const remoteAddress = await addressOf(audio.remoteAddress);

  return {
    codec: audio.codec,
    sendPayloadType: audio.sendPayloadType,
    ...(audio.remoteFormatParameters !== undefined && {
      formatParameters: audio.remoteFormatParameters,
    }),
    receivePayloadTypes: audio.receivePayloadTypes,
    ...(audio.telephoneEvent && {
      telephoneEvent: {
        payloadType: audio.telephoneEvent.sendPayloadType,
        clockRate: audio.telephoneEvent.clockRate,
      },
    }),
    remoteAddress,
    remoteRtpPort: audio.remoteRtpPort,
    remoteRtcpPort: audio.remoteRtcpPort,
    ...(audio.remoteRtcpAddress !== audio.remoteAddress &&
      isIP(audio.remoteRtcpAddress) !== 0 && { remoteRtcpAddress: audio.remoteRtcpAddress }),
    rtcpMux: audio.rtcpMux,
    ...(audio.voipMetrics && { voipMetrics: audio.voipMetrics }),
    ptime: audio.ptime,
    direction: audio.localDirection,
    ...(audio.srtp && { srtp: audio.srtp }),
    ...(signallingHost !== undefined && { signallingAddress: signallingHost }),
  };
}

export async function addressOf(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host, 4)).address;
  } catch (error) {
    throw new AppError('BAD_REQUEST', `no address for ${host}`, { cause: error });
  }
}
