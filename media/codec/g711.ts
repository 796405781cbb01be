/** G.711 µ-law and A-law (ITU-T G.711) by tables. */
import type { AudioDecoder, AudioEncoder, CodecState } from './codec.ts';
import { Concealer } from './concealer.ts';

export type G711Law = 'PCMU' | 'PCMA';

const SAMPLE_RATE = 8000;

interface Tables {
  /** Code → sample. */
  decode: Int16Array;
  /** Sample + 32768 → code. */
  encode: Uint8Array;
  /** Code → the square of its sample. */
  squares: Float64Array;
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

  return { decode, encode, squares: Float64Array.from(decode, (sample) => sample * sample) };
}

function isNearer(sample: number, codes: number[], index: number, decode: Int16Array): boolean {
  const below = decode[codes[index]!]!;
  const above = decode[codes[index + 1]!]!;
  const toBelow = Math.abs(sample - below);
  const toAbove = Math.abs(above - sample);

  return toAbove < toBelow || (toAbove === toBelow && Math.abs(above) < Math.abs(below));
}

export class G711Decoder implements AudioDecoder {
  readonly sampleRate = SAMPLE_RATE;
  readonly #table: Int16Array;
  readonly #squares: Float64Array;
  readonly #concealer = new Concealer(SAMPLE_RATE);

  constructor(law: G711Law) {
    this.#table = TABLES[law].decode;
    this.#squares = TABLES[law].squares;
  }

  decode(payload: Uint8Array, out: Int16Array): number {
    const samples = payload.length;
    if (samples === 0 || samples > out.length) return 0;
    const table = this.#table;
    for (let i = 0; i < samples; i++) out[i] = table[payload[i]!]!;
    this.#concealer.heard(out, samples);

    return samples;
  }

  energyOf(data: Uint8Array, offset: number, length: number): number {
    const squares = this.#squares;
    const end = offset + length;
    let energy = 0;
    for (let i = offset; i < end; i++) energy += squares[data[i]!]!;

    return energy;
  }

  conceal(out: Int16Array, samples: number): number {
    return this.#concealer.conceal(out, samples);
  }

  recover(_next: Uint8Array, out: Int16Array, samples: number): number {
    return this.conceal(out, samples);
  }

  reset(): void {
    this.#concealer.reset();
  }

  freeze(): CodecState {
    return { concealer: this.#concealer.freeze() };
  }

  thaw({ concealer }: CodecState): void {
    if (concealer !== undefined) this.#concealer.thaw(concealer);
  }

  close(): void {
    this.reset();
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

  copyState(from: AudioEncoder): boolean {
    return from instanceof G711Encoder && from.#table === this.#table;
  }

  close(): void {
    // Nothing is held.
  }
}
