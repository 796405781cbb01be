import type { types as mediasoup } from 'mediasoup';
import type { LegId, ProducerId } from '../../base/index.ts';
import type { MediaSource, ProducerInfo } from '../media-api.ts';
import { toAppError } from './mediasoup-error.ts';
import { Reconciler } from './reconciler.ts';

/**
 * One stream of a browser. Two hold it: the browser pauses it, the room mutes it; it flows only
 * while neither does.
 */
export class BrowserProducer {
  readonly id: ProducerId;
  readonly producer: mediasoup.Producer;
  readonly #legId: LegId;
  readonly #source: MediaSource;
  readonly #alternative: boolean;
  readonly #pausing = new Reconciler(() => this.#apply());
  #pausedByBrowser: boolean;
  #mutedByRoom: boolean;

  constructor(
    producer: mediasoup.Producer,
    options: {
      legId: LegId;
      source: MediaSource;
      paused: boolean;
      muted: boolean;
      alternative?: boolean | undefined;
    },
  ) {
    this.id = producer.id as ProducerId;
    this.producer = producer;
    this.#legId = options.legId;
    this.#source = options.source;
    this.#alternative = options.alternative === true;
    this.#pausedByBrowser = options.paused;
    this.#mutedByRoom = options.muted;
  }

  get info(): ProducerInfo {
    return {
      id: this.id,
      legId: this.#legId,
      kind: this.producer.kind,
      source: this.#source,
      paused: this.#wanted,
      codec: codecOf(this.producer),
      ...(this.#alternative && { alternative: true }),
    };
  }

  setPaused(paused: boolean): Promise<void> {
    this.#pausedByBrowser = paused;

    return this.#pausing.run();
  }

  setMuted(muted: boolean): Promise<void> {
    this.#mutedByRoom = muted;

    return this.#pausing.run();
  }

  get #wanted(): boolean {
    return this.#pausedByBrowser || this.#mutedByRoom;
  }

  async #apply(): Promise<void> {
    if (this.producer.closed || this.producer.paused === this.#wanted) return;
    try {
      await (this.#wanted ? this.producer.pause() : this.producer.resume());
    } catch (error) {
      if (!this.producer.closed) throw toAppError(error, 'pausing a stream');
    }
  }
}

function codecOf({ rtpParameters }: Pick<mediasoup.Producer, 'rtpParameters'>): string {
  const [first] = rtpParameters.codecs;

  return first === undefined ? '' : first.mimeType.slice(first.mimeType.indexOf('/') + 1);
}
