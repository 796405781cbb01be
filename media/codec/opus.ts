/**
 * Opus (RFC 6716) through libopus. It decodes and encodes at the mixer's own rate, so that no
 * resampler is needed, and mono: what a phone or a microphone sends in stereo is mixed down by it.
 */
import { MAX_PACKET_MS, type AudioDecoder, type AudioEncoder, type CodecState } from './codec.ts';
import { readOpusParameters, type OpusParameters } from './opus-parameters.ts';
import {
  BANDWIDTHS,
  RESET_STATE,
  SET_BITRATE,
  SET_COMPLEXITY,
  SET_DTX,
  SET_INBAND_FEC,
  SET_MAX_BANDWIDTH,
  SET_PACKET_LOSS_PERCENT,
  SET_SIGNAL,
  SET_VBR,
  SET_VBR_CONSTRAINT,
  SIGNAL_AUTO,
  SIGNAL_MUSIC,
  type OpusBackendName,
  type OpusLibrary,
  type RawOpusDecoder,
  type RawOpusEncoder,
} from './opus-library.ts';
import { loadNativeOpus } from './opus-native.ts';
import { loadWasmOpus } from './opus-wasm.ts';

export type { OpusBackendName } from './opus-library.ts';

export interface OpusSettings {
  /** Bits a second. */
  bitrate: number;
  /** 0 … 10: how much CPU time an encoder spends. */
  complexity: number;
}

/** Complexity 5 takes half the CPU time of 9 and is hardly told apart for speech. */
const settings: OpusSettings = { bitrate: 80_000, complexity: 5 };
/**
 * Bits a second from which on the transform (CELT) alone takes over, in a third of the speech codec's (SILK's)
 * time and nearer to the sound. Free to take the bits that a frame needs it adds nothing above -43 dB of three
 * talkers' tones; held to the rate in each frame, or with fewer bits, it does. It has no copies for lost packets.
 */
const TRANSFORM_BITRATE = 80_000;
/** The same where a limit or a fixed rate holds it to the rate in each frame. */
const HELD_TRANSFORM_BITRATE = 128_000;
/** The speech codec has no use for more, and from 62 kbit/s on libopus goes over to the transform by itself. */
const SPEECH_BITRATE = 48_000;
/** No frame that takes the bits it needs has more than so many times the rate: a "maximum average" is kept. */
const FREE_SHARE = 2;
/** A frame in which the encoder finds nothing to say is not sent when DTX is on: "2 bytes or less". */
const DTX_OCTETS = 2;
/** Milliseconds that one Opus packet can hold with a single frame (RFC 6716 2.1.4), longest first. */
const FRAME_MS = [60, 40, 20, 10];
/** Frames are multiples of 2.5 ms. */
const UNITS_PER_SECOND = 400;

const LOADERS: Record<OpusBackendName, () => OpusLibrary> = {
  libopus: loadNativeOpus,
  wasm: loadWasmOpus,
};
const libraries = new Map<OpusBackendName, OpusLibrary | undefined>();

/** Which library calls are served by; undefined: none could be loaded, Opus must not be offered. */
export function opusBackend(): OpusBackendName | undefined {
  return (load('libopus') ?? load('wasm'))?.name;
}

/** For every encoder that this thread opens from now on. */
export function configureOpus(changes: Partial<OpusSettings>): void {
  Object.assign(settings, changes);
}

export function createOpusDecoder(sampleRate: number, backend?: OpusBackendName): AudioDecoder {
  return new OpusDecoder(library(backend).createDecoder(sampleRate), sampleRate);
}

/**
 * A `ptime` that Opus has no frame for, as 30 ms, becomes the next shorter one: `frameSamples` says
 * what it is.
 */
export function createOpusEncoder(
  sampleRate: number,
  ptime: number,
  backend?: OpusBackendName,
  formatParameters?: string,
): AudioEncoder {
  const frameMs = FRAME_MS.find((ms) => ms <= ptime) ?? FRAME_MS.at(-1)!;
  const raw = library(backend).createEncoder(sampleRate);

  return new OpusEncoder(raw, sampleRate, frameMs, readOpusParameters(formatParameters));
}

function library(backend: OpusBackendName | undefined): OpusLibrary {
  const name = backend ?? opusBackend();
  const loaded = name === undefined ? undefined : load(name);
  if (loaded === undefined) throw new Error(`Opus is not available (${backend ?? 'any'})`);

  return loaded;
}

function load(name: OpusBackendName): OpusLibrary | undefined {
  if (!libraries.has(name)) {
    let loaded: OpusLibrary | undefined;
    try {
      loaded = LOADERS[name]();
    } catch {
      // `opusBackend` tells which one is used instead.
    }
    libraries.set(name, loaded);
  }

  return libraries.get(name);
}

class OpusDecoder implements AudioDecoder {
  readonly sampleRate: number;
  readonly #raw: RawOpusDecoder;
  readonly #maxSamples: number;
  readonly #unit: number;

  constructor(raw: RawOpusDecoder, sampleRate: number) {
    this.#raw = raw;
    this.sampleRate = sampleRate;
    this.#maxSamples = (sampleRate * MAX_PACKET_MS) / 1000;
    this.#unit = sampleRate / UNITS_PER_SECOND;
  }

  decode(payload: Uint8Array, out: Int16Array): number {
    if (payload.length === 0) return 0;
    const room = Math.min(out.length, this.#maxSamples);

    return Math.max(0, this.#raw.decode(payload, out, room, false));
  }

  conceal(out: Int16Array, samples: number): number {
    return this.#fill(undefined, out, samples);
  }

  recover(next: Uint8Array, out: Int16Array, samples: number): number {
    return this.#fill(next.length > 0 ? next : undefined, out, samples);
  }

  reset(): void {
    this.#raw.control(RESET_STATE);
  }

  freeze(): CodecState {
    return { octets: this.#raw.freeze?.() };
  }

  thaw({ octets }: CodecState): void {
    if (octets !== undefined) this.#raw.thaw?.(octets);
  }

  close(): void {
    this.#raw.close();
  }

  /** libopus fills in whole units only; the rest of an odd length is silence. */
  #fill(next: Uint8Array | undefined, out: Int16Array, samples: number): number {
    const length = Math.min(samples, out.length);
    const whole = Math.min(length - (length % this.#unit), this.#maxSamples);
    let written = 0;
    if (whole > 0) {
      written = Math.max(0, this.#raw.decode(next, out, whole, next !== undefined));
    }
    if (written < length) out.fill(0, written, length);

    return length;
  }
}

class OpusEncoder implements AudioEncoder {
  readonly sampleRate: number;
  readonly frameSamples: number;
  readonly #raw: RawOpusEncoder;
  readonly #parameters: OpusParameters;
  #lossPercent = 0;

  constructor(
    raw: RawOpusEncoder,
    sampleRate: number,
    frameMs: number,
    parameters: OpusParameters,
  ) {
    this.#raw = raw;
    this.#parameters = parameters;
    this.sampleRate = sampleRate;
    this.frameSamples = (sampleRate * frameMs) / 1000;
    this.#control();
  }

  encode(pcm: Int16Array, out: Uint8Array): number {
    const octets = Math.max(0, this.#raw.encode(pcm, this.frameSamples, out));

    return this.#parameters.dtx && octets <= DTX_OCTETS ? 0 : octets;
  }

  expectLoss(percent: number): void {
    const bounded = Math.min(100, Math.max(0, Math.round(percent)));
    if (bounded === this.#lossPercent) return;
    this.#lossPercent = bounded;
    this.#controlLoss();
  }

  copyState(from: AudioEncoder): boolean {
    if (!(from instanceof OpusEncoder) || !this.#raw.copyState(from.#raw)) return false;
    // The other's settings came along.
    this.#control();

    return true;
  }

  freeze(): CodecState {
    return { octets: this.#raw.freeze?.() };
  }

  thaw({ octets }: CodecState): void {
    if (octets === undefined) return;
    this.#raw.thaw?.(octets);
    this.#control();
  }

  close(): void {
    this.#raw.close();
  }

  get #bitrate(): number {
    return Math.min(settings.bitrate, this.#parameters.maxAverageBitrate ?? Infinity);
  }

  #control(): void {
    const { maxPlaybackRate, dtx, cbr } = this.#parameters;
    const raw = this.#raw;
    const [, bandwidth] = BANDWIDTHS.findLast(([rate]) => rate <= maxPlaybackRate)!;
    raw.control(SET_COMPLEXITY, settings.complexity);
    raw.control(SET_MAX_BANDWIDTH, bandwidth);
    raw.control(SET_VBR, cbr ? 0 : 1);
    raw.control(SET_DTX, dtx ? 1 : 0);
    this.#controlLoss();
  }

  /**
   * What is said of the signal chooses between the codecs inside; DTX and FEC are SILK's. FEC is for who asked
   * for it: "If no value is specified, useinbandfec is assumed to be 0" (RFC 7587 6.1).
   */
  #controlLoss(): void {
    const { dtx, fec, cbr, maxAverageBitrate = Infinity } = this.#parameters;
    const repeats = fec && this.#lossPercent > 0;
    const isFree = !cbr && maxAverageBitrate >= FREE_SHARE * this.#bitrate;
    const hasBits = this.#bitrate >= (isFree ? TRANSFORM_BITRATE : HELD_TRANSFORM_BITRATE);
    const speechCodec = repeats || dtx || !hasBits;
    this.#raw.control(
      SET_BITRATE,
      speechCodec ? Math.min(this.#bitrate, SPEECH_BITRATE) : this.#bitrate,
    );
    this.#raw.control(SET_SIGNAL, speechCodec ? SIGNAL_AUTO : SIGNAL_MUSIC);
    this.#raw.control(SET_VBR_CONSTRAINT, isFree && !speechCodec ? 0 : 1);
    this.#raw.control(SET_INBAND_FEC, repeats ? 1 : 0);
    this.#raw.control(SET_PACKET_LOSS_PERCENT, this.#lossPercent);
  }
}
