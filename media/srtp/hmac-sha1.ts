/**
 * HMAC-SHA1 (RFC 2104, FIPS 180-4) for many short messages under one key. An `Hmac` object of
 * node:crypto for each packet costs more than the four blocks of a packet do here, where the key's two
 * blocks are hashed once for all.
 */

const BLOCK = 64;
const LENGTH_FIELD = 8;
const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0] as const;

/** All instances of a thread hash one after the other. */
const words = new Int32Array(80);
const state = new Int32Array(5);
const lastBlocks = new Uint8Array(2 * BLOCK);
const innerDigest = new Uint8Array(20);

export class HmacSha1 {
  readonly #inner: Int32Array;
  readonly #outer: Int32Array;
  readonly #digest = new Uint8Array(20);

  /** `key`: at most 64 octets, longer ones do not occur in SRTP. */
  constructor(key: Uint8Array) {
    if (key.length > BLOCK) throw new TypeError('a key of more than one block');
    this.#inner = keyState(key, 0x36);
    this.#outer = keyState(key, 0x5c);
  }

  /** Of the first `length` octets and `trailer` as 32 bits; good until the next call. */
  digest(data: Uint8Array, length: number, trailer: number): Uint8Array {
    state.set(this.#inner);
    let offset = 0;
    for (; offset + BLOCK <= length; offset += BLOCK) compress(data, offset);
    const rest = length - offset;
    lastBlocks.fill(0);
    for (let i = 0; i < rest; i++) lastBlocks[i] = data[offset + i]!;
    write32(lastBlocks, rest, trailer);
    finish(rest + 4, length + 4);
    for (let i = 0; i < 5; i++) write32(innerDigest, 4 * i, state[i]!);

    state.set(this.#outer);
    lastBlocks.fill(0);
    lastBlocks.set(innerDigest);
    finish(20, 20);
    for (let i = 0; i < 5; i++) write32(this.#digest, 4 * i, state[i]!);

    return this.#digest;
  }
}

function keyState(key: Uint8Array, pad: number): Int32Array {
  const block = new Uint8Array(BLOCK).fill(pad);
  for (let i = 0; i < key.length; i++) block[i]! ^= key[i]!;
  state.set(INITIAL);
  compress(block, 0);

  return state.slice();
}

/** `rest` octets are in `lastBlocks`; the key's block came before the `length` of the message. */
function finish(rest: number, length: number): void {
  lastBlocks[rest] = 0x80;
  const end = rest + 1 + LENGTH_FIELD <= BLOCK ? BLOCK : 2 * BLOCK;
  // A packet has far less than 2^29 octets, so the upper half of the bit length is zero.
  write32(lastBlocks, end - 4, (BLOCK + length) * 8);
  compress(lastBlocks, 0);
  if (end > BLOCK) compress(lastBlocks, BLOCK);
}

/** A loop for each of the four functions: a choice in every one of the 80 steps costs as much as the step. */
function compress(data: Uint8Array, offset: number): void {
  expand(data, offset);
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let next = 0;
  for (let i = 0; i < 20; i++) {
    next = (((a << 5) | (a >>> 27)) + e + words[i]! + (d ^ (b & (c ^ d))) + 0x5a827999) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let i = 20; i < 40; i++) {
    next = (((a << 5) | (a >>> 27)) + e + words[i]! + (b ^ c ^ d) + 0x6ed9eba1) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let i = 40; i < 60; i++) {
    next = (((a << 5) | (a >>> 27)) + e + words[i]! + ((b & c) | (d & (b | c))) + 0x8f1bbcdc) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let i = 60; i < 80; i++) {
    next = (((a << 5) | (a >>> 27)) + e + words[i]! + (b ^ c ^ d) + 0xca62c1d6) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0] = (state[0]! + a) | 0;
  state[1] = (state[1]! + b) | 0;
  state[2] = (state[2]! + c) | 0;
  state[3] = (state[3]! + d) | 0;
  state[4] = (state[4]! + e) | 0;
}

function expand(data: Uint8Array, offset: number): void {
  for (let i = 0, at = offset; i < 16; i++, at += 4) {
    words[i] = (data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!;
  }
  for (let i = 16; i < 80; i++) {
    const word = words[i - 3]! ^ words[i - 8]! ^ words[i - 14]! ^ words[i - 16]!;
    words[i] = (word << 1) | (word >>> 31);
  }
}

function write32(out: Uint8Array, offset: number, value: number): void {
  out[offset] = value >>> 24;
  out[offset + 1] = value >>> 16;
  out[offset + 2] = value >>> 8;
  out[offset + 3] = value;
}
