/** Thrown by ByteReader when a read leaves the buffer; parsers turn it into their own outcome. */
export class OutOfBoundsError extends RangeError {
  override readonly name = 'OutOfBoundsError';
}

/** Big-endian reads over bytes from the network; none leaves the buffer. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  uint8(): number {
    return this.#advance(1)[0]!;
  }

  uint16(): number {
    const bytes = this.#advance(2);

    return (bytes[0]! << 8) | bytes[1]!;
  }

  uint24(): number {
    const bytes = this.#advance(3);

    return (bytes[0]! << 16) | (bytes[1]! << 8) | bytes[2]!;
  }

  uint32(): number {
    const bytes = this.#advance(4);

    return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    return this.#advance(length);
  }

  skip(length: number): void {
    this.#advance(length);
  }

  #advance(length: number): Uint8Array {
    if (length < 0 || length > this.remaining) {
      throw new OutOfBoundsError(`${length} octets wanted, ${this.remaining} left`);
    }
    const view = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;

    return view;
  }
}
