/** The codecs of a call with one stream: what both sides know, under the numbers of its descriptions. Pure. */
import type { types as mediasoup } from 'mediasoup';
import type { DoorCodec } from '../../media/index.ts';
import {
  AUDIO_CODECS,
  findAudioCodec,
  findTelephoneEvent,
  TELEPHONE_EVENT,
} from '../../media/codecs.ts';
import type { AcceptedMedia } from './webrtc-media.ts';

/** What both sides speak; the first is what is sent. */
export interface AgreedCodecs {
  readonly audio: readonly DoorCodec[];
  readonly event: DoorCodec | undefined;
  /** What the peer may send of them all the same: who knows two clocks may use either. */
  readonly events: readonly DoorCodec[];
}

const MID_URI = 'urn:ietf:params:rtp-hdrext:sdes:mid';
/** What a phone leg speaks, and by what a stream without an SSRC in its description is known. */
export const DOOR_CAPABILITIES: mediasoup.RtpCapabilities = {
  codecs: AUDIO_CODECS.map(({ name, clockRate, channels, payloadType }) => ({
    kind: 'audio',
    mimeType: `audio/${name}`,
    clockRate,
    channels,
    preferredPayloadType: payloadType,
  })),
  headerExtensions: [{ kind: 'audio', uri: MID_URI, preferredId: 1 }],
};

/** In our own offers, under the usual numbers. */
export const DOOR_CODECS: readonly DoorCodec[] = [
  ...AUDIO_CODECS,
  ...[48_000, 8000].flatMap((clockRate) => findTelephoneEvent(clockRate) ?? []),
].map((codec) => ({ codec, payloadType: codec.payloadType }));

/**
 * In the peer's order; the events of the audio's own clock before others. `fixed`: what the numbers of
 * this call mean already.
 */
export function agreeOnCodecs(
  accepted: AcceptedMedia,
  fixed: readonly DoorCodec[] | undefined,
): AgreedCodecs | undefined {
  const known = codecsOf(accepted).filter(
    ({ codec, payloadType }) =>
      fixed === undefined ||
      fixed.some((each) => each.codec === codec && each.payloadType === payloadType),
  );
  const audio = known.filter((each) => !isEventCodec(each));
  const events = known.filter(isEventCodec);
  const clock = audio[0]?.codec.clockRate;
  if (clock === undefined) return undefined;

  const event = events.find(({ codec }) => codec.clockRate === clock) ?? events[0];

  return { audio, event, events: event ? [event, ...events.filter((each) => each !== event)] : [] };
}

export function isEventCodec({ codec }: DoorCodec): boolean {
  return codec.name === TELEPHONE_EVENT;
}

export function codecsOf({ codecs }: AcceptedMedia): DoorCodec[] {
  return codecs.flatMap(({ mimeType, clockRate, channels, payloadType }) => {
    const name = mimeType.slice(mimeType.indexOf('/') + 1);
    const codec =
      name.toLowerCase() === TELEPHONE_EVENT
        ? findTelephoneEvent(clockRate)
        : findAudioCodec(name, clockRate, channels);

    return codec === undefined ? [] : [{ codec, payloadType }];
  });
}

/** What we can receive, so the parameters are ours. */
export function describeDoorCodec({ codec, payloadType }: DoorCodec): mediasoup.RtpCodecParameters {
  const { name, clockRate, channels } = codec;

  return {
    mimeType: `audio/${name}`,
    payloadType,
    clockRate,
    channels,
    ...(name === 'opus' && { parameters: { useinbandfec: 1 } }),
  };
}
