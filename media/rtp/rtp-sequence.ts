/** Arithmetic of numbers that wrap (RFC 1982), and who counts as an RTP source (RFC 3550 A.1). */

/** "MAX_DROPOUT": a jump of this many packets ahead is still the same stream. */
const MAX_DROPOUT = 3000;
/** "MAX_MISORDER": this many behind is a late packet. */
const MAX_MISORDER = 100;
/** "MIN_SEQUENTIAL": packets in sequence before a source is believed. */
export const MIN_SEQUENTIAL = 2;

const SEQUENCES = 0x10000;

/** How far `a` is ahead of `b`: −32768 … 32767. */
export function sequenceDifference(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}

/** How far `a` is ahead of `b`: −2^31 … 2^31 − 1. */
export function timestampDifference(a: number, b: number): number {
  return (a - b) | 0;
}

export function nextSequence(sequence: number): number {
  return (sequence + 1) & 0xffff;
}

export type SequenceVerdict = 'in-order' | 'misordered' | 'restarted' | 'implausible';

/** The highest sequence number of one source, with its cycles; what loss is counted from. */
export class SequenceTracker {
  #baseSequence: number;
  #highest: number;
  #cycles = 0;
  #badSequence = -1;
  #received = 1;

  /** The source's first packet. */
  constructor(sequence: number) {
    this.#baseSequence = sequence;
    this.#highest = sequence;
  }

  /** All of it, for another thread, where `thaw` goes on with it. */
  freeze() {
    return {
      baseSequence: this.#baseSequence,
      highest: this.#highest,
      cycles: this.#cycles,
      badSequence: this.#badSequence,
      received: this.#received,
    };
  }

  thaw(state: ReturnType<SequenceTracker['freeze']>): void {
    ({
      baseSequence: this.#baseSequence,
      highest: this.#highest,
      cycles: this.#cycles,
      badSequence: this.#badSequence,
      received: this.#received,
    } = state);
  }

  get highest(): number {
    return this.#highest;
  }

  get received(): number {
    return this.#received;
  }

  /** "the extended highest sequence number received" modulo 2^32. */
  get extendedHighest(): number {
    return (this.#cycles + this.#highest) % 2 ** 32;
  }

  /** Packets that should have come since the first one (A.3). */
  get expected(): number {
    return this.#cycles + this.#highest - this.#baseSequence + 1;
  }

  /**
   * update_seq() of A.1 for a source that has passed its probation. After `restarted` the owner
   * starts a new tracker with this packet.
   */
  update(sequence: number): SequenceVerdict {
    const delta = (sequence - this.#highest) & 0xffff;
    let verdict: SequenceVerdict = 'in-order';
    if (delta === 0) {
      verdict = 'misordered';
    } else if (delta < MAX_DROPOUT) {
      if (sequence < this.#highest) this.#cycles += SEQUENCES;
      this.#highest = sequence;
    } else if (delta <= SEQUENCES - MAX_MISORDER) {
      // "Two sequential packets -- assume that the other side restarted without telling us".
      if (sequence !== this.#badSequence) {
        this.#badSequence = nextSequence(sequence);

        return 'implausible';
      }

      return 'restarted';
    } else {
      verdict = 'misordered';
    }
    this.#badSequence = -1;
    this.#received++;

    return verdict;
  }
}

/** A source that is not believed yet: MIN_SEQUENTIAL packets must come in sequence. */
export class SourceProbation {
  #ssrc = -1;
  #next = -1;
  #left = 0;

  /** True when this packet completes the probation of its source. */
  passes(ssrc: number, sequence: number): boolean {
    this.#left =
      ssrc === this.#ssrc && sequence === this.#next ? this.#left - 1 : MIN_SEQUENTIAL - 1;
    this.#ssrc = ssrc;
    this.#next = nextSequence(sequence);
    if (this.#left > 0) return false;
    this.reset();

    return true;
  }

  reset(): void {
    this.#ssrc = -1;
    this.#next = -1;
    this.#left = 0;
  }

  /** All of it, for another thread, where `thaw` goes on with it. */
  freeze() {
    return { ssrc: this.#ssrc, next: this.#next, left: this.#left };
  }

  thaw(state: ReturnType<SourceProbation['freeze']>): void {
    ({ ssrc: this.#ssrc, next: this.#next, left: this.#left } = state);
  }
}
