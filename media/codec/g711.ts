/** G.711 µ-law and A-law (ITU-T G.711) by tables. */
import type { AudioDecoder, AudioEncoder } from './codec.ts';

export type G711Law = 'PCMU' | 'PCMA';

const SAMPLE_RATE = 8000;

interface Tables {
  /** Code → sample. */
  decode: Int16Array;
  /** Sample + 32768 → code. */
  encode: Uint8Array;
}

const TABLES: Record<G711Law, Tables> = {
  PCMU: buildTables(expandMu),
  PCMA: buildTables(expandA),
};

/** "For µ-law the character signals are inverted"; 14 bit values, here scaled to 16. */
function expandMu(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;

  return bits >= 0x80 ? -magnitude : magnitude;
}

/** "The even bits are inverted"; 13 bit values, here scaled to 16. */
function expandA(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 7;
  const mantissa = ((bits & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? mantissa : (mantissa + 0x100) << (segment - 1);

  return bits >= 0x80 ? magnitude : -magnitude;
}

/** Every sample gets the code whose value is nearest; of two as near, the one nearer to zero. */
function buildTables(expand: (code: number) => number): Tables {
  const decode = new Int16Array(256);
  for (let code = 0; code < 256; code++) decode[code] = expand(code);
  const codes = Array.from({ length: 256 }, (_unused, code) => code)
    // Of µ-law's two zeros the positive one, 0xFF, is what silence is made of.
    .filter((code) => expand !== expandMu || code !== 0x7f)
    .sort((a, b) => decode[a]! - decode[b]!);

  const encode = new Uint8Array(65_536);
  let nearest = 0;
  for (let sample = -32_768; sample < 32_768; sample++) {
    while (nearest + 1 < codes.length && isNearer(sample, codes, nearest, decode)) nearest++;
    encode[sample + 32_768] = codes[nearest]!;
  }

  return { decode, encode };
}

function isNearer(sample: number, codes: number[], index: number, decode: Int16Array): boolean {
  const below = decode[codes[index]!]!;
  const above = decode[codes[index + 1]!]!;
  const toBelow = Math.abs(sample - below);
  const toAbove = Math.abs(above - sample);

  return toAbove < toBelow || (toAbove === toBelow && Math.abs(above) < Math.abs(below));
}

/** Samples of the past that concealment draws from: two periods of the lowest voice, 66 Hz. */
const HISTORY = 240;
/** Samples: pitches from 400 Hz down to 66 Hz. */
const MIN_PITCH = 20;
const MAX_PITCH = 120;
/** Samples over which the pitch is matched. */
const MATCH = 80;
/** Samples until concealment has faded to silence. */
const FADE = 480;
/** Samples over which real audio is blended in after concealment. */
const BLEND = 32;

export class G711Decoder implements AudioDecoder {
  readonly sampleRate = SAMPLE_RATE;
  readonly #table: Int16Array;
  readonly #history = new Int16Array(HISTORY);
  readonly #tail = new Int16Array(BLEND);
  #pitch = 0;
  /** Samples concealed since the last packet. */
  #concealed = 0;

  constructor(law: G711Law) {
    this.#table = TABLES[law].decode;
  }

  decode(payload: Uint8Array, out: Int16Array): number {
    const samples = payload.length;
    if (samples > out.length) return 0;
    const table = this.#table;
    for (let i = 0; i < samples; i++) out[i] = table[payload[i]!]!;
    if (samples === 0) return 0;
    if (this.#concealed > 0) {
      // Blend from what concealment would have gone on with, so that there is no click.
      const length = Math.min(BLEND, samples);
      this.#repeat(this.#tail, length);
      for (let i = 0; i < length; i++) {
        out[i] = (this.#tail[i]! * (length - i) + out[i]! * i) / length;
      }
      this.#concealed = 0;
    }
    this.#remember(out, samples);

    return samples;
  }

  /** Repeats the last pitch period and fades it out. */
  conceal(out: Int16Array, samples: number): number {
    const length = Math.min(samples, out.length);
    if (this.#concealed === 0) this.#pitch = this.#findPitch();
    this.#repeat(out, length);

    return length;
  }

  recover(_next: Uint8Array, out: Int16Array, samples: number): number {
    return this.conceal(out, samples);
  }

  reset(): void {
    this.#history.fill(0);
    this.#concealed = 0;
  }

  close(): void {
    this.reset();
  }

  #repeat(out: Int16Array, length: number): void {
    const start = HISTORY - this.#pitch;
    for (let i = 0; i < length; i++) {
      const at = this.#concealed++;
      const gain = at < FADE ? 1 - at / FADE : 0;
      out[i] = this.#history[start + (at % this.#pitch)]! * gain;
    }
  }

  #remember(pcm: Int16Array, samples: number): void {
    const history = this.#history;
    const kept = HISTORY - samples;
    if (kept > 0) history.copyWithin(0, samples);
    const first = Math.max(0, -kept);
    for (let i = first; i < samples; i++) history[HISTORY - samples + i] = pcm[i]!;
  }

  /** The shift at which the newest samples look most like the ones before them. */
  #findPitch(): number {
    const history = this.#history;
    let best = MAX_PITCH;
    let bestScore = 0;
    for (let pitch = MIN_PITCH; pitch <= MAX_PITCH; pitch++) {
      let product = 0;
      let energy = 1;
      for (let i = HISTORY - MATCH; i < HISTORY; i++) {
        const earlier = history[i - pitch]!;
        product += history[i]! * earlier;
        energy += earlier * earlier;
      }
      const score = product > 0 ? (product * product) / energy : 0;
      if (score > bestScore) {
        bestScore = score;
        best = pitch;
      }
    }

    return best;
  }
}

export class G711Encoder implements AudioEncoder {
  readonly sampleRate = SAMPLE_RATE;
  readonly frameSamples: number;
  readonly #table: Uint8Array;

  constructor(law: G711Law, ptime: number) {
    this.frameSamples = (SAMPLE_RATE * ptime) / 1000;
    this.#table = TABLES[law].encode;
  }

  encode(pcm: Int16Array, out: Uint8Array): number {
    const samples = this.frameSamples;
    if (samples > pcm.length || samples > out.length) return 0;
    const table = this.#table;
    for (let i = 0; i < samples; i++) out[i] = table[pcm[i]! + 32_768]!;

    return samples;
  }

  expectLoss(_percent: number): void {
    // G.711 has nothing to repeat.
  }

  close(): void {
    // Nothing is held.
  }
}
