/**
 * Key presses of WebRTC phones (RFC 4733). mediasoup takes telephone-event for a companion of audio and
 * drops it before every consumer, so its packets are declared as a codec that nobody here speaks: the
 * worker looks at payload numbers alone. Whoever wants the keys consumes that codec and no other.
 */
import type { types as mediasoup } from 'mediasoup';
import { TELEPHONE_EVENT } from '../codecs.ts';

interface KeyCodec {
  /** Of the events themselves. */
  readonly clockRate: number;
  readonly label: mediasoup.RouterRtpCodecCapability;
}

const KEY_CODECS: readonly KeyCodec[] = [
  {
    clockRate: 8000,
    label: { kind: 'audio', mimeType: 'audio/iLBC', clockRate: 8000, preferredPayloadType: 101 },
  },
  {
    clockRate: 48_000,
    label: { kind: 'audio', mimeType: 'audio/SILK', clockRate: 8000, preferredPayloadType: 110 },
  },
];

export function keyLabels(): mediasoup.RouterRtpCodecCapability[] {
  return KEY_CODECS.map(({ label }) => ({ ...label }));
}

/** Under which events of this clock go through a router. */
export function keyLabelOf(clockRate: number): mediasoup.RouterRtpCodecCapability | undefined {
  return KEY_CODECS.find((each) => each.clockRate === clockRate)?.label;
}

export function isKeyLabel({ mimeType }: { readonly mimeType: string }): boolean {
  return KEY_CODECS.some(({ label }) => label.mimeType.toLowerCase() === mimeType.toLowerCase());
}

/** A Producer's codecs with the keys under their labels; those of a clock that none has go. */
export function withKeyLabels(parameters: mediasoup.RtpParameters): mediasoup.RtpParameters {
  const codecs = parameters.codecs.flatMap((codec) => {
    if (!isEvent(codec)) return [codec];
    const key = KEY_CODECS.find(({ clockRate }) => clockRate === codec.clockRate);
    const { payloadType } = codec;

    return key === undefined
      ? []
      : [
          {
            mimeType: key.label.mimeType,
            clockRate: key.label.clockRate,
            channels: 1,
            payloadType,
          },
        ];
  });

  return { ...parameters, codecs };
}

export function hasKeys({ codecs }: mediasoup.RtpParameters): boolean {
  return codecs.some(isEvent);
}

/** What to consume for the keys alone. */
export function keyCapabilities(router: mediasoup.RtpCapabilities): mediasoup.RtpCapabilities {
  return { codecs: (router.codecs ?? []).filter(isKeyLabel), headerExtensions: [] };
}

/** The clock of the events that come under a number of the router. */
export function keyClockRate(payloadType: number): number | undefined {
  return KEY_CODECS.find(({ label }) => label.preferredPayloadType === payloadType)?.clockRate;
}

function isEvent({ mimeType }: mediasoup.RtpCodecParameters): boolean {
  return mimeType.toLowerCase() === `audio/${TELEPHONE_EVENT}`;
}
