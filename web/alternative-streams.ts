import type { types } from 'mediasoup-client';
import type { MediaSource } from '../signaling/websocket/protocol.ts';

export interface AlternativeStreamsOptions {
  /** What is sent in the usual codecs. */
  originals: ReadonlyMap<MediaSource, types.Producer>;
  /** Undefined: this browser cannot send it, or the room cannot carry it. */
  codec: (name: string) => types.RtpCodecCapability | undefined;
  produce: (
    source: MediaSource,
    track: MediaStreamTrack,
    codec: types.RtpCodecCapability,
  ) => Promise<types.Producer>;
  close: (producerId: string) => Promise<unknown>;
  onError: (what: string, error: unknown) => void;
}

/** The page's pictures once more, in a codec that phones of the room show while they show no other. */
export class AlternativeStreams {
  readonly #options: AlternativeStreamsOptions;
  readonly #producers = new Map<MediaSource, types.Producer>();
  #wanted: string | undefined;
  #settling: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: AlternativeStreamsOptions) {
    this.#options = options;
  }

  /** Undefined: the usual codecs will do. */
  want(codec: string | undefined): Promise<void> {
    this.#wanted = codec;

    return this.settle();
  }

  /** Also when pictures begin or end: one change after the other, until what is sent is what is wanted. */
  settle(): Promise<void> {
    return this.#inTurn(() => this.#settle());
  }

  /** Another device is under the picture; a clone of the old one would stay what it was. */
  async renew(source: MediaSource): Promise<void> {
    await this.#inTurn(async () => {
      await this.#drop(source);
      await this.#settle();
    });
  }

  /** The transports are gone, and all that was on them. */
  close(): void {
    this.#closed = true;
    this.#producers.clear();
  }

  async #settle(): Promise<void> {
    const { originals } = this.#options;
    const codec = this.#wanted === undefined ? undefined : this.#options.codec(this.#wanted);
    for (const source of [...this.#producers.keys()]) {
      if (codec === undefined || !originals.has(source)) await this.#drop(source);
    }
    if (codec === undefined) return;
    for (const [source, { kind, track }] of [...originals]) {
      if (kind !== 'video' || track === null || this.#producers.has(source)) continue;
      const producer = await this.#options.produce(source, track.clone(), codec);
      if (this.#closed) producer.close();
      else this.#producers.set(source, producer);
    }
  }

  async #drop(source: MediaSource): Promise<void> {
    const producer = this.#producers.get(source);
    if (producer === undefined) return;
    this.#producers.delete(source);
    producer.close();
    await this.#options.close(producer.id);
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    this.#settling = this.#settling
      .then(() => (this.#closed ? undefined : change()))
      .catch((error: unknown) => {
        if (!this.#closed) this.#options.onError('sending video for phones', error);
      });

    return this.#settling;
  }
}
