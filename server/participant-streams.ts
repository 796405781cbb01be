import type { ParticipantId, ProducerId } from '../base/index.ts';
import type { MediaSource, ProducerInfo } from '../media/index.ts';
import type { ProducerView } from './ports.ts';

/**
 * The streams that one participant sends, and what the roster says because of them. Alternatives count for
 * nothing but the codecs: they are the same pictures once more.
 */
export class ParticipantStreams {
  readonly #byId = new Map<ProducerId, ProducerInfo>();
  readonly #announced = new Set<MediaSource>();

  /** Said to follow, and not there yet. */
  get announced(): ReadonlySet<MediaSource> {
    return this.#announced;
  }

  get microphonePaused(): boolean {
    return this.#shown.some((info) => info.source === 'microphone' && info.paused);
  }

  get video(): boolean {
    return this.#shown.some((info) => info.kind === 'video' && !info.paused);
  }

  get videoCodecs(): string[] {
    const codecs = [...this.#byId.values()].flatMap(({ kind, codec }) =>
      kind === 'video' && codec !== undefined ? [codec] : [],
    );

    return [...new Set(codecs)].sort();
  }

  get ids(): ProducerId[] {
    return [...this.#byId.keys()];
  }

  get(id: ProducerId): ProducerInfo | undefined {
    return this.#byId.get(id);
  }

  announce(source: MediaSource): void {
    this.#announced.add(source);
  }

  set(info: ProducerInfo): void {
    this.#announced.delete(info.source);
    this.#byId.set(info.id, info);
  }

  /** What was taken out; undefined when there was nothing. */
  take(id: ProducerId): ProducerInfo | undefined {
    const info = this.#byId.get(id);
    this.#byId.delete(id);

    return info;
  }

  views(owner: ParticipantId): ProducerView[] {
    return this.#shown.map((info) => producerView(owner, info));
  }

  get #shown(): ProducerInfo[] {
    return [...this.#byId.values()].filter(({ alternative }) => alternative !== true);
  }
}

export function producerView(participantId: ParticipantId, info: ProducerInfo): ProducerView {
  return {
    id: info.id,
    participantId,
    kind: info.kind,
    source: info.source,
    paused: info.paused,
  };
}
