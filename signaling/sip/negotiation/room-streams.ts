/** The room's streams as one peer receives them: a Consumer each, under numbers that the peer can tell apart. */
import type { types as mediasoup } from 'mediasoup';
import { toError, type ConsumerId, type Logger, type ProducerId } from '../../../base/index.ts';
import type { WebRtcLeg } from '../../../media/index.ts';
import { isSameCodec, type Extension, type SentStream } from '../../sdp/index.ts';

/** A stream that the room has for the peer. */
export interface RoomStream extends Omit<SentStream, 'rtpParameters'> {
  readonly id: ProducerId;
  readonly kind: mediasoup.MediaKind;
}

interface Received {
  readonly consumerId: ConsumerId;
  readonly sent: SentStream;
  paused: boolean;
}

/** For our estimate of the way to the peer; the other extensions are of no use to a browser. */
const CONGESTION_URI = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';

export class RoomStreams {
  readonly #leg: WebRtcLeg;
  readonly #router: mediasoup.RtpCapabilities;
  readonly #ownLines: boolean;
  readonly #logger: Logger;
  readonly #received = new Map<string, Received>();
  /** What this peer cannot have; asked for once. */
  readonly #impossible = new Set<string>();
  /** What a payload number or an extension's id once meant in our descriptions, it means for good. */
  readonly #numbers = new Map<number, mediasoup.RtpCodecParameters>();
  readonly #extensions = new Map<number, string>();

  /** `ownLines`: m-lines of ours carry them, so the numbers need not be those of the peer. */
  constructor(
    leg: WebRtcLeg,
    router: mediasoup.RtpCapabilities,
    ownLines: boolean,
    logger: Logger,
  ) {
    this.#leg = leg;
    this.#router = router;
    this.#ownLines = ownLines;
    this.#logger = logger;
    leg.events.on('consumerClosed', (consumerId) => {
      for (const [id, each] of this.#received) {
        if (each.consumerId === consumerId) this.#received.delete(id);
      }
    });
  }

  /** It is there, or may be had. */
  mayHave(id: string): boolean {
    return !this.#impossible.has(id);
  }

  find(id: string | undefined): SentStream | undefined {
    return id === undefined ? undefined : this.#received.get(id)?.sent;
  }

  /** Makes what is missing; a stream that cannot be had is left out. */
  async prepare(
    wanted: readonly RoomStream[],
    known: (kind: mediasoup.MediaKind) => readonly mediasoup.RtpCodecParameters[] | undefined,
  ): Promise<void> {
    for (const stream of wanted) {
      if (this.#received.has(stream.id) || this.#impossible.has(stream.id)) continue;
      try {
        await this.#consume(stream, this.#capabilities(stream.kind, known(stream.kind)));
      } catch (error) {
        // Its sender may have left meanwhile, or sends what this peer does not know.
        this.#impossible.add(stream.id);
        this.#logger.debug({ err: toError(error), stream: stream.id }, 'a stream is left out');
      }
    }
  }

  /** Only what the peer has an m-line for flows, and only while it listens. */
  async apply(flowing: ReadonlySet<string>): Promise<void> {
    await Promise.all(
      [...this.#received].map(async ([id, each]) => {
        const paused = !flowing.has(id);
        if (each.paused === paused) return;
        each.paused = paused;
        await this.#quietly(this.#leg.setConsumerPaused(each.consumerId, paused));
      }),
    );
  }

  /** Gives up all others. */
  async keepOnly(carried: ReadonlySet<string>): Promise<void> {
    const gone = [...this.#received].filter(([id]) => !carried.has(id));
    for (const [id] of gone) this.#received.delete(id);
    await Promise.all(
      gone.map(([, { consumerId }]) => this.#quietly(this.#leg.closeConsumer(consumerId))),
    );
  }

  /** A description of ours with these went out. */
  noteNumbers(
    codecs: readonly mediasoup.RtpCodecParameters[],
    extensions: readonly Extension[],
  ): void {
    for (const codec of codecs) this.#numbers.set(codec.payloadType, codec);
    for (const { id, uri } of extensions) this.#extensions.set(id, uri);
  }

  /** One number, one codec in all m-lines of a bundle (RFC 9143 9.1). */
  isFree(codec: mediasoup.RtpCodecParameters): boolean {
    const taken = this.#numbers.get(codec.payloadType);
    if (taken === undefined) return true;

    return (
      isSameCodec(taken, codec) &&
      (!isRepeat(codec) || taken.parameters?.apt === codec.parameters?.apt)
    );
  }

  async #consume(stream: RoomStream, capabilities: mediasoup.RtpCapabilities): Promise<void> {
    const { id, rtpParameters } = await this.#leg.consume(stream.id, capabilities);
    const { participant, label, content } = stream;
    const sent = { id: stream.id, participant, label, content, rtpParameters };
    this.#received.set(stream.id, { consumerId: id, sent, paused: true });
  }

  /** `known`: what the peer offered of this kind; undefined when it never did. */
  #capabilities(
    kind: mediasoup.MediaKind,
    known: readonly mediasoup.RtpCodecParameters[] | undefined,
  ): mediasoup.RtpCapabilities {
    const knows = (codec: mediasoup.RtpCodecCapability): boolean =>
      known === undefined || known.some((each) => isSameCodec(each, codec));
    const codecs = (this.#router.codecs ?? []).filter(
      (codec) =>
        codec.kind === kind &&
        this.isFree({ ...codec, payloadType: codec.preferredPayloadType ?? -1 }) &&
        (isRepeat(codec) ? this.#ownLines : knows(codec)),
    );
    const headerExtensions = (this.#router.headerExtensions ?? []).filter(
      ({ kind: of, uri, preferredId }) =>
        this.#ownLines &&
        kind === 'video' &&
        of === kind &&
        uri === CONGESTION_URI &&
        (this.#extensions.get(preferredId) ?? uri) === uri,
    );

    return { codecs, headerExtensions };
  }

  /** What ends while we act on it needs no more. */
  async #quietly(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#logger.debug({ err: toError(error) }, 'a received stream is gone');
    }
  }
}

function isRepeat({ mimeType }: { readonly mimeType: string }): boolean {
  return /\/rtx$/i.test(mimeType);
}
