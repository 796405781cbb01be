/** What a far end says of the Opus that it wants to get: `a=fmtp` in RFC 7587 6.1. */

export interface OpusParameters {
  /** Hz: more than this it cannot play. */
  readonly maxPlaybackRate: number;
  /** Bits a second; undefined: as we like. */
  readonly maxAverageBitrate: number | undefined;
  /** It makes use of in-band FEC. */
  readonly fec: boolean;
  /** It prefers that nothing is sent while nobody talks. */
  readonly dtx: boolean;
  readonly cbr: boolean;
}

/** "a default value of 48000"; "between 6000 and 510000". */
const MAX_RATE = 48_000;
const MIN_RATE = 8000;
const MIN_BITRATE = 6000;
const MAX_BITRATE = 510_000;

/** Whatever makes no sense counts as not said. */
export function readOpusParameters(formatParameters: string | undefined): OpusParameters {
  const values = new Map<string, number>();
  for (const part of (formatParameters ?? '').split(';')) {
    const [, name, value] = /^\s*([a-z-]+)\s*=\s*(\d{1,9})\s*$/i.exec(part) ?? [];
    if (name !== undefined) values.set(name.toLowerCase(), Number(value));
  }
  const playback = values.get('maxplaybackrate') ?? MAX_RATE;
  const bitrate = values.get('maxaveragebitrate');

  return {
    maxPlaybackRate: Math.min(MAX_RATE, Math.max(MIN_RATE, playback)),
    maxAverageBitrate:
      bitrate === undefined || bitrate < MIN_BITRATE ? undefined : Math.min(MAX_BITRATE, bitrate),
    fec: values.get('useinbandfec') === 1,
    dtx: values.get('usedtx') === 1,
    cbr: values.get('cbr') === 1,
  };
}

/** Equal for all who can be sent the very same packets. */
export function opusParametersKey(parameters: OpusParameters): string {
  const { maxPlaybackRate, maxAverageBitrate, fec, dtx, cbr } = parameters;

  return [maxPlaybackRate, maxAverageBitrate ?? 'any', fec, dtx, cbr].join('/');
}
