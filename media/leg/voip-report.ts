/** How we hear a phone, in the words of RFC 3611 4.7. */
import { END_POINTS_MS, callRating, ratingToMos } from '../quality/index.ts';
import { UNAVAILABLE, type VoipMetrics } from '../rtp/index.ts';
import type { PhoneLegStats } from '../media-api.ts';

/** "The recommended value for the gap threshold" (4.7.2): packets received between two bursts. */
const GMIN = 16;
const MAX_LOSS = 255;
const MAX_MS = 0xffff;
/** 4.7.6: standard concealment (3), adaptive buffer (3), rate of adaptation not told. */
const RECEIVER_CONFIGURATION = 0b1111_0000;

type Bursts = Pick<VoipMetrics, 'burstDensity' | 'gapDensity' | 'burstDuration' | 'gapDuration'>;

/** Counts transitions between received and lost packets as appendix A.2 does. */
export class VoipReport {
  #lostBefore: number;
  #packets = 0;
  #lostInBurst = 0;
  #c11 = 0;
  #c13 = 0;
  #c14 = 0;
  #c22 = 0;
  #c23 = 0;
  #c33 = 0;

  constructor(lost: number) {
    this.#lostBefore = lost;
  }

  /** A packet came; `lost`: how many did not, so far. */
  received(lost: number): void {
    for (; this.#lostBefore < lost; this.#lostBefore++) this.#loss();
    this.#packets++;
  }

  /** All of it, for another thread, where `thaw` goes on with it. */
  freeze() {
    return {
      lostBefore: this.#lostBefore,
      packets: this.#packets,
      lostInBurst: this.#lostInBurst,
      c11: this.#c11,
      c13: this.#c13,
      c14: this.#c14,
      c22: this.#c22,
      c23: this.#c23,
      c33: this.#c33,
    };
  }

  thaw(state: ReturnType<VoipReport['freeze']>): void {
    ({
      lostBefore: this.#lostBefore,
      packets: this.#packets,
      lostInBurst: this.#lostInBurst,
      c11: this.#c11,
      c13: this.#c13,
      c14: this.#c14,
      c22: this.#c22,
      c23: this.#c23,
      c33: this.#c33,
    } = state);
  }

  of(ssrc: number, stats: PhoneLegStats, latePackets: number, packetMs: number): VoipMetrics {
    const { packetsReceived, packetsLost, roundTrip = 0, buffer = 0 } = stats;
    const expected = Math.max(1, packetsReceived + packetsLost);
    const rating = callRating(stats);
    const bufferMs = limit(buffer, MAX_MS);
    const mos = Math.round(10 * ratingToMos(rating));

    return {
      ssrc,
      lossRate: limit((256 * packetsLost) / expected, MAX_LOSS),
      discardRate: limit((256 * latePackets) / expected, MAX_LOSS),
      ...this.#bursts(packetMs),
      roundTripDelay: limit(roundTrip, MAX_MS),
      endSystemDelay: limit(buffer + END_POINTS_MS, MAX_MS),
      signalLevel: UNAVAILABLE,
      noiseLevel: UNAVAILABLE,
      residualEchoReturnLoss: UNAVAILABLE,
      gmin: GMIN,
      rFactor: limit(rating, 100),
      extendedRFactor: UNAVAILABLE,
      mosLq: mos,
      mosCq: mos,
      receiverConfiguration: RECEIVER_CONFIGURATION,
      bufferNominal: bufferMs,
      bufferMaximum: bufferMs,
      bufferLimit: MAX_MS,
    };
  }

  #loss(): void {
    if (this.#packets >= GMIN) {
      // What was lost before this gap began: alone, or a burst, or nothing yet.
      if (this.#lostInBurst === 1) this.#c14++;
      else if (this.#lostInBurst > 1) this.#c13++;
      this.#lostInBurst = 1;
      this.#c11 += this.#packets;
    } else {
      this.#lostInBurst++;
      if (this.#packets === 0) this.#c33++;
      else {
        this.#c23++;
        this.#c22 += this.#packets - 1;
      }
    }
    this.#packets = 0;
  }

  /** What A.2 makes of the counts; without a loss all is one gap. */
  #bursts(packetMs: number): Bursts {
    const c11 = this.#c11 + this.#packets;
    const [c13, c14, c22, c23, c33] = [this.#c13, this.#c14, this.#c22, this.#c23, this.#c33];
    const gap = c11 + c14 + c13;
    const total = gap + c22 + c23 + c13 + c23 + c33;
    const p32 = c23 === 0 ? 0 : c23 / (c13 + c23 + c33);
    const p23 = c22 + c23 < 1 ? 1 : 1 - c22 / (c22 + c23);
    const periods = Math.max(1, c13);
    const gapMs = (gap * packetMs) / periods;

    return {
      burstDensity: c13 === 0 ? 0 : limit((256 * p23) / (p23 + p32), MAX_LOSS),
      gapDensity: c11 + c14 === 0 ? 0 : limit((256 * c14) / (c11 + c14), MAX_LOSS),
      burstDuration: c13 === 0 ? 0 : limit((total * packetMs) / periods - gapMs, MAX_MS),
      gapDuration: limit(gapMs, MAX_MS),
    };
  }
}

function limit(value: number, most: number): number {
  return Math.max(0, Math.min(most, Math.floor(value)));
}
