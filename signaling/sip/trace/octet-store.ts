/** What was put in, by its blocks. */
export interface Stored {
  readonly blocks: readonly number[];
  readonly length: number;
}

const BLOCK_BYTES = 512;
const BLOCKS_IN_CHUNK = 128;

/**
 * Octets that are kept for a while, in memory that is used again and again. Each message of every call
 * is kept here until others need its place: as buffers of their own they would be the greater part of
 * all that the collector has to move, and garbage that nobody collects when calls end.
 */
export class OctetStore {
  /** Taken from the system as they are needed, and never given back. */
  readonly #chunks: Buffer[] = [];
  readonly #free: number[] = [];
  #usedBlocks = 0;

  /** In use, in whole blocks. */
  get byteCount(): number {
    return this.#usedBlocks * BLOCK_BYTES;
  }

  put(octets: Uint8Array): Stored {
    const blocks: number[] = [];
    for (let at = 0; at < octets.length; at += BLOCK_BYTES) {
      const block = this.#take();
      this.#view(block).set(octets.subarray(at, at + BLOCK_BYTES));
      blocks.push(block);
    }

    return { blocks, length: octets.length };
  }

  /** A copy. */
  get({ blocks, length }: Stored): Buffer {
    return Buffer.concat(
      blocks.map((block) => this.#view(block)),
      length,
    );
  }

  /** `stored` may not be read after this. */
  remove({ blocks }: Stored): void {
    this.#free.push(...blocks);
    this.#usedBlocks -= blocks.length;
  }

  #take(): number {
    this.#usedBlocks += 1;
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const first = this.#chunks.length * BLOCKS_IN_CHUNK;
    this.#chunks.push(Buffer.allocUnsafeSlow(BLOCKS_IN_CHUNK * BLOCK_BYTES));
    for (let block = first + BLOCKS_IN_CHUNK - 1; block > first; block--) this.#free.push(block);

    return first;
  }

  #view(block: number): Buffer {
    const start = (block % BLOCKS_IN_CHUNK) * BLOCK_BYTES;

    return this.#chunks[Math.floor(block / BLOCKS_IN_CHUNK)]!.subarray(start, start + BLOCK_BYTES);
  }
}
