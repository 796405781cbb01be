import {
  createEncoder,
  MAX_ENCODED_OCTETS,
  readOpusParameters,
  type AudioEncoder,
} from '../codec/index.ts';
import type { AudioCodec } from '../codecs.ts';
import { RTP_HEADER_LENGTH } from '../rtp/index.ts';
import { comfortNoise } from './comfort-noise.ts';

/** Packets of silence that still go through an encoder with memory, so that its tail is heard. */
const FLUSH_PACKETS = 3;

/** Comfort noise as packets, per rate and ptime: made once in a thread and sent round and round. */
const opusNoise = new Map<string, Uint8Array[]>();

/** Short enough to be made within a frame's time. */
const NOISE_LOOP_MS = 480;
const WARM_UP_PACKETS = 4;

/** Milliseconds of silence between the packets that keep a stream with DTX alive, as libopus has it. */
const DTX_REFRESH_MS = 400;

/** Milliseconds a packet that the codec can fill exactly. */
export function usablePtime(codec: AudioCodec, ptime: number): number {
  const rounded = Math.round(ptime / 10) * 10;

  return codec.packetTimes.includes(rounded) ? rounded : codec.packetTimes[0]!;
}

/**
 * Turns 20 ms frames into packets of one codec and packet time. The payload lies behind room for an
 * RTP header, so that a packet leaves for many listeners without being copied: each only writes its
 * own header.
 */
export class MixEncoder {
  readonly codec: AudioCodec;
  readonly ptime: number;
  /** What its listeners wrote into `a=fmtp`. */
  readonly formatParameters: string | undefined;
  /** Of the frames that `push` takes: the mix rate for Opus, else the codec's own. */
  readonly sampleRate: number;
  /** Of one packet, in units of the RTP clock. */
  readonly duration: number;
  /** Header room and payload of the packet that the last `next` made. */
  readonly packet = new Uint8Array(RTP_HEADER_LENGTH + MAX_ENCODED_OCTETS);
  readonly #payload = this.packet.subarray(RTP_HEADER_LENGTH);
  readonly #encoder: AudioEncoder;
  readonly #dtx: boolean;
  readonly #packetSamples: number;
  readonly #pending: Int16Array;
  readonly #frame: Int16Array;
  #pendingSamples = 0;
  /** Samples at the end of what is pending that are silence. */
  #silentSamples = 0;
  #silentPackets = FLUSH_PACKETS;
  /** Where in the comfort noise it is. */
  #noiseAt = 0;
  #payloadLength = 0;

  constructor(codec: AudioCodec, mixRate: number, ptime: number, formatParameters?: string) {
    this.codec = codec;
    this.ptime = ptime;
    this.formatParameters = formatParameters;
    this.#dtx = codec.name === 'opus' && readOpusParameters(formatParameters).dtx;
    this.sampleRate = codec.name === 'opus' ? mixRate : codec.sampleRate;
    this.duration = (codec.clockRate * ptime) / 1000;
    this.#encoder = createEncoder(codec, this.sampleRate, ptime, formatParameters);
    this.#packetSamples = this.#encoder.frameSamples;
    this.#frame = new Int16Array(this.#packetSamples);
    this.#pending = new Int16Array(this.#packetSamples + this.sampleRate / 50);
  }

  get pendingSamples(): number {
    return this.#pendingSamples;
  }

  get payloadLength(): number {
    return this.#payloadLength;
  }

  /** The next 20 ms; undefined: nobody talks, which is comfort noise. */
  push(frame: Int16Array | undefined): void {
    const length = this.sampleRate / 50;
    const pending = this.#pending;
    const start = this.#pendingSamples;
    if (frame === undefined) {
      const noise = comfortNoise(this.sampleRate);
      for (let i = 0; i < length; i++) pending[start + i] = noise[this.#noiseAt + i]!;
      this.#noiseAt = (this.#noiseAt + length) % noise.length;
      this.#silentSamples += length;
    } else {
      for (let i = 0; i < length; i++) pending[start + i] = frame[i]!;
      this.#silentSamples = 0;
    }
    this.#pendingSamples += length;
  }

  /** What listeners report to lose, at most. */
  expectLoss(percent: number): void {
    this.#encoder.expectLoss(percent);
  }

  /** Makes the next packet when enough is there; with `payloadLength` 0 it need not be sent. */
  next(): boolean {
    const samples = this.#packetSamples;
    if (this.#pendingSamples < samples) return false;
    const silent = this.#silentSamples >= this.#pendingSamples;
    this.#silentPackets = silent ? this.#silentPackets + 1 : 0;
    const canned = silent ? this.#writeSilence() : undefined;
    this.#payloadLength = canned ?? 0;
    if (canned === undefined) {
      for (let i = 0; i < samples; i++) this.#frame[i] = this.#pending[i]!;
      this.#payloadLength = this.#encoder.encode(this.#frame, this.#payload);
    }
    this.#pending.copyWithin(0, samples, this.#pendingSamples);
    this.#pendingSamples -= samples;
    this.#silentSamples = Math.min(this.#silentSamples, this.#pendingSamples);

    return true;
  }

  /**
   * Takes over another one's half-filled packet and the state of its encoder, so that both finish
   * their packets at the same time and a listener of the other one hears no seam.
   */
  alignWith(other: MixEncoder): void {
    this.#encoder.copyState(other.#encoder);
    this.#pending.set(other.#pending);
    this.#pendingSamples = other.#pendingSamples;
    this.#silentSamples = other.#silentSamples;
    this.#silentPackets = FLUSH_PACKETS;
  }

  /** For another thread, where `thaw` of one with the same options goes on with it. */
  freeze() {
    return {
      encoder: this.#encoder.freeze?.(),
      pending: this.#pending.slice(0, this.#pendingSamples),
      silentSamples: this.#silentSamples,
      silentPackets: this.#silentPackets,
      noiseAt: this.#noiseAt,
    };
  }

  thaw(state: ReturnType<MixEncoder['freeze']>): void {
    if (state.encoder !== undefined) this.#encoder.thaw?.(state.encoder);
    this.#pending.set(state.pending);
    this.#pendingSamples = state.pending.length;
    this.#silentSamples = state.silentSamples;
    this.#silentPackets = state.silentPackets;
    this.#noiseAt = state.noiseAt;
  }

  close(): void {
    this.#encoder.close();
  }

  /** Undefined: the encoder has to be asked. */
  #writeSilence(): number | undefined {
    // The decoders of listeners follow an encoder's state; of Opus' the seam is as faint as the noise.
    if (this.codec.name !== 'opus' || this.#silentPackets <= FLUSH_PACKETS) return undefined;
    const silent = this.#silentPackets - FLUSH_PACKETS;
    if (this.#dtx && (silent * this.ptime) % DTX_REFRESH_MS >= this.ptime) return 0;
    const packets = opusNoisePackets(this.codec, this.sampleRate, this.ptime);
    const packet = packets[silent % packets.length]!;
    this.#payload.set(packet);

    return packet.length;
  }
}

function opusNoisePackets(codec: AudioCodec, sampleRate: number, ptime: number): Uint8Array[] {
  const key = `${sampleRate}/${ptime}`;
  const known = opusNoise.get(key);
  if (known !== undefined) return known;
  const noise = comfortNoise(sampleRate);
  const encoder = createEncoder(codec, sampleRate, ptime);
  const out = new Uint8Array(MAX_ENCODED_OCTETS);
  const packets: Uint8Array[] = [];
  for (let index = -WARM_UP_PACKETS; index * ptime < NOISE_LOOP_MS; index++) {
    const at = Math.max(0, index) * encoder.frameSamples;
    const length = encoder.encode(noise.subarray(at, at + encoder.frameSamples), out);
    if (index >= 0) packets.push(out.slice(0, length));
  }
  encoder.close();
  opusNoise.set(key, packets);

  return packets;
}
