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
}

interface Impairment {
  readonly ie: number;
  readonly bpl: number;
}

/**
 * G.113 appendix I for G.711 with concealment. It has nothing for Opus and no narrow-band value for G.722:
 * both are taken as no worse than G.711 without loss, and with the robustness that their own concealment
 * has at least, so that one scale compares all calls.
 */
const IMPAIRMENTS: Readonly<Record<string, Impairment>> = {
  PCMU: { ie: 0, bpl: 25.1 },
  PCMA: { ie: 0, bpl: 25.1 },
  G722: { ie: 0, bpl: 16.1 },
  opus: { ie: 0, bpl: 25.1 },
};
const UNKNOWN: Impairment = { ie: 0, bpl: 4.3 };
/** Milliseconds that recording, coding and playing take at both ends together. */
const END_POINTS = 40;
/** Of the one way, when the phone has reported nothing. */
const UNKNOWN_ONE_WAY = 20;

export function callQuality(stats: PhoneLegStats): CallQuality {
  const { packetsReceived, packetsLost, jitter, roundTrip, codec, buffer = 0 } = stats;
  const expected = packetsReceived + packetsLost;
  const loss = expected === 0 ? 0 : packetsLost / expected;
  const { ie, bpl } = IMPAIRMENTS[codec] ?? UNKNOWN;
  const oneWay = roundTrip === undefined ? UNKNOWN_ONE_WAY : roundTrip / 2;
  const delay = oneWay + buffer + END_POINTS;
  const rating = transmissionRating({ delay, ie, bpl, ppl: 100 * loss });

  return {
    codec,
    loss,
    jitter,
    ...(roundTrip !== undefined && { roundTrip }),
    ...(packetsReceived > 0 && { mos: ratingToMos(rating) }),
  };
}
