/** What a listener would say of a phone's audio, from what its leg counted. */
import type { PhoneLegStats } from '../media-api.ts';
import { ratingToMos, transmissionRating } from './e-model.ts';

export interface CallQuality {
  codec: string;
  /** Of the packets that the phone sent, 0 to 1. */
  loss: number;
  /** Milliseconds. */
  jitter: number;
  /** Milliseconds; undefined before the phone's first report about us. */
  roundTrip?: number;
  /** 1 to 4.5; undefined before anything came. */
  mos?: number;
  /** Of what the phone hears, by its own account (RTCP XR), 1 to 5. */
  remoteMos?: number;
}

interface Impairment {
  readonly ie: number;
  readonly bpl: number;
}

/**
 * G.711: G.113 appendix I, table of Ie and Bpl under random loss, the row with concealment (G.711 appendix
 * I), which ours is like; without it Bpl is 4.3, taken for codecs that are not listed here. What G.113 has for
 * G.722 (appendix IV) is for the longer scale of the wideband E-model (G.107.1), and neither it nor appendix V
 * (fullband, G.107.2) has anything for Opus: these are estimates of ours, no worse than G.711 without loss, and with the
 * robustness that their own concealment has at least, so that one scale compares all calls.
 */
const IMPAIRMENTS: Readonly<Record<string, Impairment>> = {
  PCMU: { ie: 0, bpl: 25.1 },
  PCMA: { ie: 0, bpl: 25.1 },
  G722: { ie: 0, bpl: 16.1 },
  opus: { ie: 0, bpl: 25.1 },
};
const UNKNOWN: Impairment = { ie: 0, bpl: 4.3 };
/** Milliseconds that recording, coding and playing take at both ends together. */
export const END_POINTS_MS = 40;
/** Of the one way, when the phone has reported nothing. */
const UNKNOWN_ONE_WAY = 20;

export function callQuality(stats: PhoneLegStats): CallQuality {
  const { packetsReceived, jitter, roundTrip, codec, remoteMos } = stats;

  return {
    codec,
    loss: lossOf(stats),
    jitter,
    ...(roundTrip !== undefined && { roundTrip }),
    ...(packetsReceived > 0 && { mos: ratingToMos(callRating(stats)) }),
    ...(remoteMos !== undefined && { remoteMos }),
  };
}

/** R of G.107, 0 to 93.2. */
export function callRating(stats: PhoneLegStats): number {
  const { roundTrip, codec, buffer = 0 } = stats;
  const { ie, bpl } = IMPAIRMENTS[codec] ?? UNKNOWN;
  const oneWay = roundTrip === undefined ? UNKNOWN_ONE_WAY : roundTrip / 2;
  const delay = oneWay + buffer + END_POINTS_MS;

  return transmissionRating({ delay, ie, bpl, ppl: 100 * lossOf(stats) });
}

function lossOf({ packetsReceived, packetsLost }: PhoneLegStats): number {
  const expected = packetsReceived + packetsLost;

  return expected === 0 ? 0 : packetsLost / expected;
}
