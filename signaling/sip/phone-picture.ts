import { isIP } from 'node:net';
import type { PhoneVideo } from '../../media/index.ts';
import type { NegotiatedVideo } from '../sdp/index.ts';
import { addressOf } from './phone-audio.ts';

/** `signallingHost`: where the call's signalling comes from. */
export async function toPhoneVideo(
  video: NegotiatedVideo,
  signallingHost: string | undefined,
): Promise<PhoneVideo> {
  const remoteAddress = await addressOf(video.remoteAddress);
  const { nack, pli, fir, tmmbr } = video.feedback;
  const { remoteRtcpAddress } = video;
  const hasOwnRtcp = remoteRtcpAddress !== video.remoteAddress && isIP(remoteRtcpAddress) !== 0;

  return {
    codec: video.codec,
    sendPayloadType: video.sendPayloadType,
    receivePayloadType: video.receivePayloadType,
    ...(video.h264 && {
      packetizationMode: video.h264.packetizationMode,
      maxLevel: video.h264.sendLevel,
    }),
    ...(video.rtx && { rtx: video.rtx }),
    feedback: {
      ...(nack && { nack }),
      ...(pli && { pli }),
      ...(fir && { fir }),
      ...(tmmbr && { tmmbr }),
    },
    ...(video.maxSendBitrate !== undefined && { maxBitrate: video.maxSendBitrate }),
    remoteAddress,
    remoteRtpPort: video.remoteRtpPort,
    remoteRtcpPort: video.remoteRtcpPort,
    ...(hasOwnRtcp && { remoteRtcpAddress }),
    rtcpMux: video.rtcpMux,
    direction: video.localDirection,
    ...(video.srtp && { srtp: video.srtp }),
    ...(signallingHost !== undefined && { signallingAddress: signallingHost }),
  };
}
