/**
 * Size: the two ways through one session, answering and offering, share all its state.
 *
 * The session of one WebRTC call: its transport, its m-lines, what goes in and out of them. It is told
 * what the room has; when it says so to the peer is not its business (`negotiation.ts`).
 */
import type { types as mediasoup } from 'mediasoup';
import { toError, type Logger } from '../../../base/index.ts';
import type { MediaSource, WebRtcLeg } from '../../../media/index.ts';
import {
  acceptMedia,
  answerSetup,
  bundledMids,
  describeWebRtc,
  effectiveDirection,
  isIceRestart,
  isRejected,
  isSamePeer,
  isWebRtcMedia,
  midOf,
  peerDtls,
  readCodecs,
  readTransport,
  SdpError,
  type AcceptedMedia,
  type DtlsSetup,
  type OwnTransport,
  type PeerTransport,
  type Rejection,
  type SdpDirection,
  type SdpMedia,
  type SdpSession,
} from '../../sdp/index.ts';
import { asking, isToChange, type PictureWish } from './own-picture.ts';
import type { PeerProfile } from './peer-profile.ts';
import {
  carries,
  describeSlot,
  listens,
  speaks,
  type PeerSlot,
  type PublishedStream,
} from './peer-slots.ts';
import { RoomStreams, type RoomStream } from './room-streams.ts';
import { planSlots, type SlotLimits } from './slots.ts';

/** "Not Acceptable Here" and everywhere: the description, not the call. */
const NOT_ACCEPTABLE: ReadonlySet<number> = new Set([488, 606]);

export interface WebRtcSessionOptions {
  readonly leg: WebRtcLeg;
  readonly router: mediasoup.RtpCapabilities;
  readonly profile: PeerProfile;
  readonly limits: SlotLimits;
  /** Of `o=`. */
  readonly sessionId: string;
  readonly logger: Logger;
}

interface Connection {
  readonly id: string;
  readonly peer: PeerTransport;
  readonly own: Omit<OwnTransport, 'setup'>;
  /** New credentials of ours, which the peer has not accepted yet. */
  readonly next?: OwnTransport['ice'];
}

export class WebRtcSession {
  readonly #options: WebRtcSessionOptions;
  readonly #streams: RoomStreams;
  readonly #knownCodecs = new Map<string, readonly mediasoup.RtpCodecParameters[]>();
  #slots: readonly PeerSlot[] = [];
  /** Of our open offer. */
  #proposed: readonly PeerSlot[] = [];
  #wanted: readonly RoomStream[] = [];
  #connection: Connection | undefined;
  #isBundled = false;
  #mayAdd: boolean;
  /** The codec that the peer's picture is wished for in. */
  #wished: string | undefined;
  #takesWishes = true;
  #local: SdpSession | undefined;

  constructor(options: WebRtcSessionOptions) {
    const { leg, router, logger, profile } = options;
    this.#options = options;
    this.#streams = new RoomStreams(leg, router, profile.takesNewStreams, logger);
    this.#mayAdd = profile.takesNewStreams;
  }

  /** What the main audio is to us: on hold it is not `sendrecv`. */
  get audioDirection(): SdpDirection {
    const audio = this.#slots.find(({ kind, usable }) => kind === 'audio' && usable);
    if (audio === undefined) return 'inactive';
    if (listens(audio)) return speaks(audio) ? 'sendrecv' : 'sendonly';

    return speaks(audio) ? 'recvonly' : 'inactive';
  }

  /** The peer's m-lines of video, refused or not: whoever has none is not offered any. */
  get knowsVideo(): boolean {
    return this.#knownCodecs.has('video');
  }

  /** What the room has for the peer now, in the order of importance. */
  want(streams: readonly RoomStream[]): void {
    this.#wanted = streams;
  }

  /** In which codec the peer's own picture is wished for; undefined: as it likes it. */
  wish(codec: string | undefined): void {
    this.#wished = codec;
  }

  /** The peer takes no more offers of ours. */
  freeze(): void {
    this.#mayAdd = false;
  }

  /** The peer's m-lines do not carry what the room has. While it holds us, nothing is asked of it. */
  get isBehind(): boolean {
    const audio = this.#slots.find(({ kind }) => kind === 'audio');
    if (audio === undefined || !listens(audio)) return false;

    return this.#isOther(this.#plan(this.#slots, (id) => this.#streams.mayHave(id)));
  }

  /** Makes what the next offer is about; false when it would say nothing new. */
  async prepare(): Promise<boolean> {
    await this.#streams.prepare(this.#wantedNow(), (kind) => this.#knownCodecs.get(kind));

    return this.#isOther(this.#plan(this.#slots));
  }

  /** The next offer asks the peer to find another way (RFC 8839 4.4.1.1.1). */
  async restartIce(): Promise<void> {
    const before = this.#connection;
    // Those that an offer brought in vain are still unused.
    if (before === undefined || before.next !== undefined) return;
    this.#connection = { ...before, next: await this.#options.leg.restartIce(before.id) };
  }

  /** Our offer: all m-lines, with what is prepared in them. */
  offer(): SdpSession {
    const wish = this.#wish;
    this.#proposed = this.#plan(this.#slots).map((slot) => asking(this.#listing(slot), wish));

    return this.#describe(this.#proposed, 'actpass', true);
  }

  /** The answer to it. An error leaves the session as it was. */
  async applyAnswer(answer: SdpSession): Promise<SdpError | undefined> {
    const answered = answer.media.slice(0, this.#proposed.length);
    const mismatch = this.#noteTransport(answer);
    if (mismatch !== undefined) return mismatch;
    if (answered.some(({ type }, index) => type !== this.#proposed[index]!.kind)) {
      return new SdpError('the m= lines of the answer are not those of the offer');
    }
    // Who answers with fewer m-lines than were offered has only these.
    this.#slots = await Promise.all(
      answered.map((media, index) => this.#answeredSlot(this.#proposed[index]!, answer, media)),
    );
    if (answered.length < this.#proposed.length) this.freeze();
    await this.#tidy();
    await this.flow();

    return undefined;
  }

  /** Our offer was refused: what was prepared for it is given up. */
  async abandon(status: number): Promise<void> {
    // Perhaps for the codec: all else that is wanted is not to fail by that.
    const isAsking = this.#proposed.some(({ asked }, index) => asked !== this.#slots[index]?.asked);
    if (isAsking && NOT_ACCEPTABLE.has(status)) this.#takesWishes = false;
    await this.#tidy();
  }

  /** The answer to their offer, or why there is none. */
  async answer(offer: SdpSession): Promise<{ sdp: SdpSession } | { reject: Rejection }> {
    const first = offer.media.find((media) => isWebRtcMedia(offer, media) && !isRejected(media));
    if (first === undefined) return reject(304, 'Media type not available');
    const peer = readTransport(offer, first);
    if (peer instanceof SdpError) return reject(399, peer.message);
    if (this.#connection !== undefined && !isSamePeer(this.#connection.peer, peer)) {
      return reject(399, 'Another certificate needs another call');
    }
    const mids = bundledMids(offer);
    const accepted = offer.media.map((media) =>
      media === first || mids.includes(midOf(media) ?? '') ? this.#accept(offer, media) : undefined,
    );
    if (accepted.every((each) => each?.kind !== 'audio')) {
      return reject(305, 'Incompatible media format');
    }
    const setup = answerSetup(peer.setup);
    await this.#connect(peer, setup);
    this.#isBundled = mids.length > 0;
    this.#note(offer);
    const slots: PeerSlot[] = [];
    for (const [index, media] of offer.media.entries()) {
      slots.push(await this.#offeredSlot(this.#slots[index], offer, media, accepted[index], index));
    }
    this.#noteNumbers(slots);
    await this.#streams.prepare(this.#wantedNow(), (kind) => this.#knownCodecs.get(kind));
    this.#slots = this.#plan(slots, undefined, false);

    return { sdp: this.#describe(this.#slots, setup, false) };
  }

  /** Lets the streams run or stand still as the descriptions say: once both sides have them. */
  async flow(): Promise<void> {
    const flowing = this.#slots.filter((slot) => slot.usable && listens(slot));
    await this.#streams.apply(new Set(flowing.flatMap(({ stream }) => stream ?? [])));
  }

  #accept(offer: SdpSession, media: SdpMedia): AcceptedMedia | undefined {
    if (isRejected(media) || !isWebRtcMedia(offer, media)) return undefined;

    const { codec } = this.#wish;

    return acceptMedia(offer, media, this.#options.router, codec);
  }

  get #wish(): PictureWish {
    return {
      codec: this.#takesWishes ? this.#wished : undefined,
      isFree: (codec) => this.#streams.isFree(codec),
    };
  }

  #isOther(plan: readonly PeerSlot[]): boolean {
    const wish = this.#wish;

    return (
      plan.some(({ stream }, index) => stream !== this.#slots[index]?.stream) ||
      this.#slots.some((slot) => isToChange(slot, wish))
    );
  }

  async #connect(peer: PeerTransport, setup: DtlsSetup): Promise<void> {
    const { leg } = this.#options;
    const before = this.#connection;
    if (before === undefined) {
      const { id, iceParameters, iceCandidates, dtlsParameters } =
        await leg.createTransport('both');
      await leg.connectTransport(id, peerDtls(peer, setup));
      const { fingerprints } = dtlsParameters;
      const own = { ice: iceParameters, candidates: iceCandidates, fingerprints };
      this.#connection = { id, peer, own };
    } else if (isIceRestart(before.peer, peer)) {
      // "the answerer MUST also … new ICE credentials" (RFC 8839 4.4.2.1).
      const ice = await leg.restartIce(before.id);
      this.#connection = { id: before.id, peer, own: { ...before.own, ice } };
    }
  }

  /** The peer's credentials are new after a restart of ours ("the answerer MUST also", RFC 8839 4.4.2.1). */
  #noteTransport(answer: SdpSession): SdpError | undefined {
    const first = answer.media.find((media) => isWebRtcMedia(answer, media) && !isRejected(media));
    const peer = first && readTransport(answer, first);
    const before = this.#connection;
    if (before === undefined || peer === undefined || peer instanceof SdpError) return undefined;
    if (!isSamePeer(before.peer, peer)) return new SdpError('another certificate');
    const { next, ...rest } = before;
    this.#connection = { ...rest, peer, own: { ...before.own, ...(next && { ice: next }) } };

    return undefined;
  }

  async #offeredSlot(
    before: PeerSlot | undefined,
    offer: SdpSession,
    media: SdpMedia,
    accepted: AcceptedMedia | undefined,
    index: number,
  ): Promise<PeerSlot> {
    const kind = media.type === 'video' ? 'video' : 'audio';
    const common = {
      mid: midOf(media) ?? before?.mid ?? `${kind[0]!}${index}`,
      kind,
      protocol: media.protocol,
      direction: effectiveDirection(offer, media),
    } as const;
    if (accepted === undefined) {
      await this.#unpublish(before?.published);

      return {
        ...common,
        isOurs: false,
        usable: false,
        codecs: [],
        extensions: [],
        refused: media,
      };
    }
    const published = await this.#publish(before?.published, accepted, common);
    const { codecs, extensions } = accepted;
    const stream = before?.usable === true ? before.stream : undefined;
    const isOurs = before?.isOurs === true;
    const slot = { ...common, isOurs, usable: true, accepted, codecs, extensions };
    const isKept = carries(slot, this.#streams.find(stream));

    return { ...slot, ...(published && { published }), ...(isKept && stream && { stream }) };
  }

  /** What an m-line of ours lists: its stream may be gone when the answer comes, and what was listed stays. */
  #listing(slot: PeerSlot): PeerSlot {
    const sent = this.#streams.find(slot.stream)?.rtpParameters;
    if (slot.accepted !== undefined || sent === undefined) return slot;
    const { codecs, headerExtensions: extensions = [] } = sent;

    return { ...slot, codecs, extensions };
  }

  async #answeredSlot(slot: PeerSlot, answer: SdpSession, media: SdpMedia): Promise<PeerSlot> {
    const { stream, published, ...rest } = slot;
    const direction = effectiveDirection(answer, media);
    if (slot.refused !== undefined) return slot;
    if (isRejected(media)) {
      await this.#unpublish(published);

      return { ...rest, direction, usable: false, refused: media };
    }
    if (slot.accepted === undefined) return { ...slot, direction };
    const accepted = acceptMedia(answer, media, this.#options.router) ?? slot.accepted;
    const now = await this.#publish(published, accepted, { kind: slot.kind, direction });
    const answered = { ...rest, accepted: narrowed(slot.accepted, media), direction };
    const sent = this.#streams.find(stream);
    const isLost = sent !== undefined && !carries(answered, sent);

    return {
      ...answered,
      ...(!isLost && stream !== undefined && { stream }),
      ...(now && { published: now }),
    };
  }

  /** The peer's stream, for the room; the same one while its parameters are, silent while it holds. */
  async #publish(
    before: PublishedStream | undefined,
    { producer, content }: AcceptedMedia,
    slot: Pick<PeerSlot, 'kind' | 'direction'>,
  ): Promise<PublishedStream | undefined> {
    const { leg, logger } = this.#options;
    const isPaused = !speaks(slot);
    const key = producer === undefined ? undefined : JSON.stringify(producer);
    try {
      if (before !== undefined && (key === undefined || key === before.key)) {
        await leg.setProducerPaused(before.id, isPaused);

        return before;
      }
      await this.#unpublish(before);
      if (producer === undefined || key === undefined) return undefined;
      const { id } = await leg.produce({
        transportId: this.#connection!.id,
        kind: slot.kind,
        source: sourceOf(slot.kind, content),
        rtpParameters: producer,
        paused: isPaused,
      });

      return { id, key };
    } catch (error) {
      logger.info({ err: toError(error), kind: slot.kind }, "a peer's stream is not taken");

      return undefined;
    }
  }

  async #unpublish(published: PublishedStream | undefined): Promise<void> {
    if (published !== undefined) await this.#options.leg.closeProducer(published.id);
  }

  /** What may be sent at all: the rest need not be prepared. */
  #wantedNow(): RoomStream[] {
    const { limits } = this.#options;

    return (['audio', 'video'] as const).flatMap((kind) =>
      this.#wanted.filter((each) => each.kind === kind).slice(0, limits[kind]),
    );
  }

  #plan(
    slots: readonly PeerSlot[],
    has = (id: string): boolean => this.#streams.find(id) !== undefined,
    mayAdd = this.#mayAdd,
  ): PeerSlot[] {
    const plan = planSlots(
      slots,
      this.#wanted.filter(({ id }) => has(id)),
      {
        limits: this.#options.limits,
        mayAdd,
        fits: (slot, id) =>
          this.#fits(
            slots.find(({ mid }) => mid === slot.mid),
            id,
          ),
      },
    );

    return plan.map((slot, index) => withStream(slots[index] ?? this.#newSlot(slot), slot.stream));
  }

  /** A stream that is not prepared yet is taken to have the numbers that it will have. */
  #fits(slot: PeerSlot | undefined, id: string): boolean {
    const stream = this.#streams.find(id);

    return slot === undefined || stream === undefined || carries(slot, stream);
  }

  #newSlot(slot: Pick<PeerSlot, 'mid' | 'kind' | 'usable'>): PeerSlot {
    const protocol = this.#slots[0]?.protocol ?? 'UDP/TLS/RTP/SAVPF';

    return { ...slot, isOurs: true, protocol, direction: 'recvonly', codecs: [], extensions: [] };
  }

  /** What is wanted stays at hand also where no m-line can carry it: it was found out once. */
  async #tidy(): Promise<void> {
    const carried = this.#slots.flatMap(({ stream }) => stream ?? []);
    const wanted = this.#wantedNow().map(({ id }) => id);
    await this.#streams.keepOnly(new Set<string>([...carried, ...wanted]));
  }

  #note(offer: SdpSession): void {
    for (const media of offer.media) {
      const codecs = readCodecs(media);
      if (codecs.length > 0) this.#knownCodecs.set(media.type, codecs);
    }
  }

  #noteNumbers(slots: readonly PeerSlot[]): void {
    for (const { codecs, extensions } of slots) this.#streams.noteNumbers(codecs, extensions);
  }

  #describe(slots: readonly PeerSlot[], setup: DtlsSetup, offering: boolean): SdpSession {
    const media = slots.map((slot) =>
      describeSlot(slot, this.#streams.find(slot.stream), offering),
    );
    for (const each of media) {
      if (!('refused' in each)) this.#streams.noteNumbers(each.codecs, each.extensions);
    }
    const { own, next } = this.#connection!;
    this.#local = describeWebRtc({
      transport: { ...own, ...(offering && next !== undefined && { ice: next }), setup },
      media,
      bundle: this.#isBundled,
      previous: this.#local,
      sessionId: this.#options.sessionId,
    });

    return this.#local;
  }
}

function withStream(slot: PeerSlot, stream: string | undefined): PeerSlot {
  const { mid, kind, usable, protocol, isOurs, direction, codecs, extensions } = slot;
  const { accepted, published, refused, asked } = slot;

  return {
    ...{ mid, kind, usable, protocol, isOurs, direction, codecs, extensions },
    ...(accepted && { accepted }),
    ...(published && { published }),
    ...(refused && { refused }),
    ...(asked !== undefined && { asked }),
    ...(stream !== undefined && { stream }),
  };
}

/** What the m-line can carry now: what of it the answer names too. */
function narrowed(accepted: AcceptedMedia, answer: SdpMedia): AcceptedMedia {
  const codecs = accepted.codecs.filter(({ payloadType }) =>
    answer.formats.includes(String(payloadType)),
  );

  return { ...accepted, codecs };
}

function sourceOf(kind: mediasoup.MediaKind, content: AcceptedMedia['content']): MediaSource {
  if (kind === 'audio') return 'microphone';

  return content === 'slides' ? 'screen' : 'camera';
}

function reject(code: number, text: string): { reject: Rejection } {
  return { reject: { status: 488, warning: { code, text } } };
}
