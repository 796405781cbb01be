/**
 * The keystream of AES counter mode (RFC 3711 4.1.1) out of one cached cipher: a new `Cipheriv` for
 * each packet costs several times what encrypting a packet does. Since packets mostly follow one
 * another, one call makes the keystream of the next few as well.
 */
import { createCipheriv } from 'node:crypto';

const BLOCK = 16;
/** Blocks of keystream that one call makes at most, whatever the size of the packets. */
const BATCH = 96;
/** So many packets ahead at most: each waits in memory. */
const MAX_AHEAD = 8;

export class Keystream {
  readonly #cipher: ReturnType<typeof createCipheriv>;
  readonly #salt: Uint8Array;
  readonly #counters = Buffer.alloc(BATCH * BLOCK);
  #stream: Uint8Array = new Uint8Array(0);
  #ssrc = -1;
  #first = -1;
  #packets = 0;
  #blocksPerPacket = 0;

  constructor(key: Uint8Array, salt: Uint8Array) {
    this.#cipher = createCipheriv(key.length === 32 ? 'aes-256-ecb' : 'aes-128-ecb', key, null);
    this.#cipher.setAutoPadding(false);
    this.#salt = salt;
  }

  /** XORs the keystream of packet `index` of `ssrc` over `data` from `start` to `end`. */
  apply(data: Uint8Array, start: number, end: number, ssrc: number, index: number): void {
    const blocks = Math.ceil((end - start) / BLOCK);
    if (blocks > BATCH) throw new TypeError('a packet that is larger than a datagram');
    const isReady =
      ssrc === this.#ssrc &&
      index >= this.#first &&
      index < this.#first + this.#packets &&
      blocks <= this.#blocksPerPacket;
    if (!isReady) this.#make(ssrc, index, blocks);
    const stream = this.#stream;
    let from = (index - this.#first) * this.#blocksPerPacket * BLOCK;
    for (let at = start; at < end; at++) data[at]! ^= stream[from++]!;
  }

  #make(ssrc: number, index: number, blocks: number): void {
    this.#ssrc = ssrc;
    this.#first = index;
    this.#blocksPerPacket = Math.max(1, blocks);
    this.#packets = Math.min(MAX_AHEAD, Math.floor(BATCH / this.#blocksPerPacket));
    const counters = this.#counters;
    let at = 0;
    for (let packet = 0; packet < this.#packets; packet++) {
      for (let block = 0; block < this.#blocksPerPacket; block++) {
        this.#writeCounter(at, ssrc, index + packet, block);
        at += BLOCK;
      }
    }
    this.#stream = this.#cipher.update(counters.subarray(0, at));
  }

  /** "IV = (k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16)", plus the number of the block. */
  #writeCounter(at: number, ssrc: number, index: number, block: number): void {
    const counters = this.#counters;
    const salt = this.#salt;
    const high = Math.floor(index / 0x1_0000_0000);
    const low = index >>> 0;
    for (let i = 0; i < 4; i++) counters[at + i] = salt[i]!;
    for (let i = 0; i < 4; i++) counters[at + 4 + i] = salt[4 + i]! ^ (ssrc >>> (24 - 8 * i));
    counters[at + 8] = salt[8]! ^ (high >>> 8);
    counters[at + 9] = salt[9]! ^ high;
    for (let i = 0; i < 4; i++) counters[at + 10 + i] = salt[10 + i]! ^ (low >>> (24 - 8 * i));
    counters[at + 14] = block >>> 8;
    counters[at + 15] = block;
  }
}
