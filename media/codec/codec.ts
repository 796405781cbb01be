/**
 * What every audio codec looks like to the mixer: mono, 16 bit, at the sample rate that the mixer
 * asked for, whatever the codec's own rate is. All calls are synchronous, none allocates, none
 * throws for what came from the network.
 */
import type { Concealer } from './concealer.ts';

/** Milliseconds of the longest packet that is decoded: "up to 120 ms" (RFC 6716 2). */
export const MAX_PACKET_MS = 120;

/** What a codec knows of its stream's past, to be read by the same codec in another thread. */
export interface CodecState {
  octets?: Uint8Array | undefined;
  numbers?: Int32Array;
  concealer?: ReturnType<Concealer['freeze']>;
}

export interface AudioDecoder {
  /** Of what `decode` writes; always the rate that was asked for. */
  readonly sampleRate: number;
  /**
   * Samples written to `out`; 0 when the payload makes no sense or does not fit. `out` should have
   * room for MAX_PACKET_MS.
   */
  decode(payload: Uint8Array, out: Int16Array): number;
  /**
   * The sum of the squares of what the `length` octets from `offset` on would be decoded to. Only a
   * codec whose packets have nothing to do with each other has it: one who is quiet need not be decoded.
   */
  energyOf?(data: Uint8Array, offset: number, length: number): number;
  /** Fills in for `samples` that did not come; fades to silence when nothing comes for long. */
  conceal(out: Int16Array, samples: number): number;
  /**
   * As `conceal`, with the help of the packet after the lost one: Opus carries a copy of the lost
   * frame in it (in-band FEC). `decode` it afterwards as usual.
   */
  recover(next: Uint8Array, out: Int16Array, samples: number): number;
  /** Forgets the stream, as for a new source. */
  reset(): void;
  /** Empty, or no method: nothing is known, or it cannot be told, and the other one begins anew. */
  freeze?(): CodecState;
  /** Goes on as one at the same rate would that was frozen. */
  thaw?(state: CodecState): void;
  close(): void;
}

export interface AudioEncoder {
  /** Of what `encode` reads; always the rate that was asked for. */
  readonly sampleRate: number;
  /** Samples that each `encode` reads: ptime at the sample rate. */
  readonly frameSamples: number;
  /** Octets written to `out`; 0 when it failed. `pcm` must hold frameSamples. */
  encode(pcm: Int16Array, out: Uint8Array): number;
  /** What the receiver reports to lose: above 0 Opus packets carry a copy of the last frame (FEC). */
  expectLoss(percent: number): void;
  /**
   * Goes on as the other one would, so that a listener who is changed over from it hears no seam.
   * False when they are not of the same kind: this one then begins anew.
   */
  copyState(from: AudioEncoder): boolean;
  /** As a decoder's. */
  freeze?(): CodecState;
  thaw?(state: CodecState): void;
  close(): void;
}

/** Room that `AudioEncoder.encode` may need at most: an Ethernet MTU less the IP, UDP and RTP headers. */
export const MAX_ENCODED_OCTETS = 1400;
