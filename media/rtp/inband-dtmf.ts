/**
 * Keys as tones in the audio (ITU-T Q.23, Q.24), for phones that did not agree on telephone-event: a bank
 * of Goertzel filters over overlapping blocks. Pure.
 */
const RATE = 8000;
/** Samples that one look takes in: rows 73 Hz apart are told apart, and a tone 1.5 % off is still heard. */
const BLOCK = 102;
/** Samples from one look to the next. */
const HOP = 40;
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];
const KEYS = ['123A', '456B', '789C', '*0#D'];

/** Looks in a row that make a suspicion, and those that make a key: 40 ms hold five whole ones. */
const SUSPECT_LOOKS = 2;
const KEY_LOOKS = 5;
/** Looks without the tone in a row after which a key is up: a gap of 40 ms holds five whole ones. */
const GAP_LOOKS = 5;
const UNSUSPECT_LOOKS = 2;

/** Of each tone, dBFS of a sine's peak: −36 dBm0. */
const LEAST_LEVEL = power(-39) * (32_768 * (BLOCK / 2)) ** 2;
/** Columns may be this much louder or softer than rows (+4, −8 dB), with room for tones beside their filter. */
const MOST_TWIST = power(5.5);
const LEAST_TWIST = power(-10);
/** The tone of a group over any other of it. */
const DOMINANCE = power(5);
/** Of all that is heard, the two tones are so much: voices and music have more beside them. */
const LEAST_SHARE = 0.63;
/** A voice has overtones, a key has none. */
const MOST_OVERTONE = power(-8);
/** An overtone this near to the other tone, Hz, cannot be told from it by one look. */
const OVERTONE_BESIDE = 110;

/** What must have been heard after a moment before it is known that no key begins in it: samples. */
export const INBAND_LOOK_AHEAD = 160;

export class InbandDtmf {
  readonly #onDigit: (digit: string, durationMs: number) => void;
  #block = new Float64Array(BLOCK);
  #filled = 0;
  /** Of the first sample of the block. */
  #position = 0;
  #candidate = '';
  #looks = 0;
  #begunAt = 0;
  #pressed: { digit: string; from: number; to: number } | undefined;
  #misses = 0;
  /** Looks for which a suspicion still stands. */
  #suspected = 0;

  /** `onDigit`: once for each key, when it is released. */
  constructor(onDigit: (digit: string, durationMs: number) => void) {
    this.#onDigit = onDigit;
  }

  /** A key is down, or may be. */
  get suspicious(): boolean {
    return this.#pressed !== undefined || this.#suspected > 0;
  }

  /** 8 kHz. True: in some of it `suspicious` was. */
  push(pcm: Int16Array, count: number): boolean {
    const block = this.#block;
    let suspicious = this.suspicious;
    for (let i = 0; i < count; i++) {
      block[this.#filled++] = pcm[i]!;
      if (this.#filled < BLOCK) continue;
      this.#look(keyIn(block));
      suspicious ||= this.suspicious;
      block.copyWithin(0, HOP);
      this.#filled = BLOCK - HOP;
      this.#position += HOP;
    }

    return suspicious;
  }

  /** All of it, for another thread, where `thaw` goes on with it. */
  freeze() {
    return {
      block: this.#block,
      filled: this.#filled,
      position: this.#position,
      candidate: this.#candidate,
      looks: this.#looks,
      begunAt: this.#begunAt,
      pressed: this.#pressed,
      misses: this.#misses,
      suspected: this.#suspected,
    };
  }

  thaw(state: ReturnType<InbandDtmf['freeze']>): void {
    ({
      block: this.#block,
      filled: this.#filled,
      position: this.#position,
      candidate: this.#candidate,
      looks: this.#looks,
      begunAt: this.#begunAt,
      pressed: this.#pressed,
      misses: this.#misses,
      suspected: this.#suspected,
    } = state);
  }

  /** The audio stops here: a key that is down goes up. */
  end(): void {
    this.#release();
    this.#filled = 0;
    this.#candidate = '';
    this.#looks = 0;
    this.#suspected = 0;
  }

  #look(digit: string): void {
    this.#note(digit);
    const pressed = this.#pressed;
    if (pressed?.digit === digit) {
      pressed.to = this.#position + BLOCK;
      this.#misses = 0;
    } else if (digit !== '' && this.#looks >= KEY_LOOKS) {
      this.#release();
      this.#pressed = { digit, from: this.#begunAt, to: this.#position + BLOCK };
      this.#misses = 0;
    } else if (pressed !== undefined && ++this.#misses >= GAP_LOOKS) {
      this.#release();
    }
  }

  #note(digit: string): void {
    if (digit !== this.#candidate || digit === '') {
      this.#candidate = digit;
      this.#looks = 0;
      this.#begunAt = this.#position;
    }
    if (digit !== '') this.#looks++;
    if (this.#looks >= SUSPECT_LOOKS) this.#suspected = UNSUSPECT_LOOKS;
    else if (this.#suspected > 0) this.#suspected--;
  }

  #release(): void {
    const pressed = this.#pressed;
    if (pressed === undefined) return;
    this.#pressed = undefined;
    this.#onDigit(pressed.digit, Math.round(((pressed.to - pressed.from) * 1000) / RATE));
  }
}

/** The key whose tones are all that is in the block; '' for none. */
function keyIn(block: Float64Array): string {
  let energy = 0;
  for (const sample of block) energy += sample * sample;
  // Two tones at the floor; what is softer needs no filters.
  if (energy < (4 * LEAST_LEVEL) / BLOCK) return '';
  const rows = ROWS.map((frequency) => strength(block, frequency));
  const columns = COLUMNS.map((frequency) => strength(block, frequency));
  const row = loudest(rows);
  const column = loudest(columns);
  const low = rows[row]!;
  const high = columns[column]!;
  if (low < LEAST_LEVEL || high < LEAST_LEVEL) return '';
  if (high > low * MOST_TWIST || high < low * LEAST_TWIST) return '';
  if (2 * (low + high) < LEAST_SHARE * BLOCK * energy) return '';
  if (!dominates(rows, row) || !dominates(columns, column)) return '';
  const lowOvertone = 2 * ROWS[row]!;
  const isBeside = Math.abs(lowOvertone - COLUMNS[column]!) < OVERTONE_BESIDE;
  if (!isBeside && strength(block, lowOvertone) > low * MOST_OVERTONE) return '';
  if (strength(block, 2 * COLUMNS[column]!) > high * MOST_OVERTONE) return '';

  return KEYS[row]![column]!;
}

/** Goertzel: (A × BLOCK / 2)² of a sine of peak A. */
function strength(block: Float64Array, frequency: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequency) / RATE);
  let before = 0;
  let last = 0;
  for (let i = 0; i < BLOCK; i++) {
    const value = block[i]! + coefficient * last - before;
    before = last;
    last = value;
  }

  return last * last + before * before - coefficient * last * before;
}

function loudest(group: readonly number[]): number {
  return group.indexOf(Math.max(...group));
}

function dominates(group: readonly number[], best: number): boolean {
  return group.every((value, i) => i === best || value * DOMINANCE < group[best]!);
}

function power(decibels: number): number {
  return 10 ** (decibels / 10);
}
