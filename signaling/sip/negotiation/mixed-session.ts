/**
 * The session of a WebRTC call that has one stream: it gets the room as one mix, as any phone does. Its
 * ICE, DTLS and SRTP end in a door; what is behind the door is its phone leg.
 */
import { TimerSet, toError, type Clock, type Logger } from '../../../base/index.ts';
import type {
  DoorCodec,
  MediaEngine,
  PhoneAudio,
  PhoneDoor,
  PhoneLeg,
} from '../../../media/index.ts';
import {
  acceptMedia,
  agreeOnCodecs,
  answerSetup,
  bundledMids,
  codecsOf,
  describeDoorCodec,
  describeWebRtc,
  DOOR_CAPABILITIES,
  DOOR_CODECS,
  effectiveDirection,
  isEventCodec,
  isIceRestart,
  isRejected,
  isSamePeer,
  isWebRtcMedia,
  midOf,
  peerDtls,
  readTransport,
  SdpError,
  type AcceptedMedia,
  type AgreedCodecs,
  type DtlsSetup,
  type PeerTransport,
  type Rejection,
  type SdpDirection,
  type SdpMedia,
  type SdpSession,
} from '../../sdp/index.ts';

export interface MixedSessionOptions {
  readonly leg: PhoneLeg;
  readonly createDoor: MediaEngine['createDoor'];
  /** Of `o=`. */
  readonly sessionId: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long ICE and DTLS may take. */
const CONNECT_TIMEOUT = 30_000;
const PACKET_TIME = 20;
const PROTOCOL = 'UDP/TLS/RTP/SAVPF';
export class MixedSession {
  readonly #options: MixedSessionOptions;
  readonly #timers: TimerSet<'connect'>;
  #door: PhoneDoor | undefined;
  /** All that can be agreed on in this call. */
  #codecs: readonly DoorCodec[] = [];
  #peer: PeerTransport | undefined;
  #local: SdpSession | undefined;
  /** In the order of the m-lines: what stays refused, and our one audio. */
  #lines: readonly (SdpMedia | 'audio')[] = ['audio'];
  #mid = '0';
  #protocol = PROTOCOL;
  #isBundled = true;
  #received: string | undefined;
  #audio: PhoneAudio | undefined;
  #closed = false;

  constructor(options: MixedSessionOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
    options.leg.events.once('closed', () => this.close());
  }

  /** As seen from us. */
  get localDirection(): SdpDirection {
    return this.#audio?.direction ?? 'inactive';
  }

  /** The answer to their offer, with the leg ready for it. */
  async answer(offer: SdpSession): Promise<{ sdp: SdpSession } | { reject: Rejection }> {
    const media = offer.media.find(
      (each) => each.type === 'audio' && isWebRtcMedia(offer, each) && !isRejected(each),
    );
    if (media === undefined) return reject(304, 'Media type not available');
    const peer = this.#readPeer(offer, media);
    if (peer instanceof SdpError) return reject(399, peer.message);
    const accepted = acceptMedia(offer, media, DOOR_CAPABILITIES);
    const agreed = accepted && agreeOnCodecs(accepted, this.#door && this.#codecs);
    if (accepted === undefined || agreed === undefined) {
      return reject(305, 'Incompatible media format');
    }
    const setup = answerSetup(peer.setup);
    const door = await this.#openDoor(codecsOf(accepted));
    await this.#connect(door, peer, setup);
    this.#lines = offer.media.map((each) => (each === media ? 'audio' : each));
    this.#mid = midOf(media) ?? this.#mid;
    this.#protocol = media.protocol;
    this.#isBundled = bundledMids(offer).length > 0;
    await this.#configure(door, agreed, accepted, media, effectiveDirection(offer, media));

    return { sdp: this.#describe(door, agreed, setup) };
  }

  /** Ours: for a call out, or a re-INVITE that asks for it. */
  async offer(): Promise<SdpSession> {
    const door = await this.#openDoor(DOOR_CODECS);
    const audio = this.#codecs.filter((each) => !isEventCodec(each));
    const events = this.#codecs.filter(isEventCodec);

    return this.#describe(door, { audio, event: undefined, events }, 'actpass', events);
  }

  /** The answer to it; an error leaves the session as it was. */
  async applyAnswer(answer: SdpSession): Promise<SdpError | undefined> {
    const door = this.#door;
    const media = answer.media[this.#lines.indexOf('audio')];
    if (door === undefined || media?.type !== 'audio' || isRejected(media)) {
      return new SdpError('the audio was refused');
    }
    if (!isWebRtcMedia(answer, media)) return new SdpError('the answer is not DTLS-SRTP');
    const peer = this.#readPeer(answer, media);
    if (peer instanceof SdpError) return peer;
    const accepted = acceptMedia(answer, media, DOOR_CAPABILITIES);
    const agreed = accepted && agreeOnCodecs(accepted, this.#door && this.#codecs);
    if (accepted === undefined || agreed === undefined) return new SdpError('no common codec');
    try {
      await this.#connect(door, peer, 'actpass');
      await this.#configure(door, agreed, accepted, media, effectiveDirection(answer, media));
    } catch (error) {
      return new SdpError(toError(error).message);
    }

    return undefined;
  }

  /** The leg is as it was agreed on here. */
  async resume(): Promise<void> {
    if (this.#audio !== undefined) await this.#options.leg.configure(this.#audio);
  }

  /** The leg serves somebody else, or nobody. */
  close(): void {
    this.#closed = true;
    this.#timers.close();
    this.#door?.close();
  }

  #readPeer(session: SdpSession, media: SdpMedia): PeerTransport | SdpError {
    const peer = readTransport(session, media);
    if (peer instanceof SdpError || this.#peer === undefined) return peer;

    return isSamePeer(this.#peer, peer)
      ? peer
      : new SdpError('Another certificate needs another call');
  }

  async #openDoor(codecs: readonly DoorCodec[]): Promise<PhoneDoor> {
    if (this.#door !== undefined) return this.#door;
    const { leg, createDoor } = this.#options;
    const door = await createDoor(codecs, leg.rtpPort);
    this.#door = door;
    this.#codecs = codecs;
    door.events.on('connected', () => this.#timers.stop('connect'));
    door.events.on('disconnected', () => this.#lost());
    door.events.on('closed', () => {
      if (!this.#closed) void leg.close();
    });
    if (this.#closed) door.close();

    return door;
  }

  async #connect(door: PhoneDoor, peer: PeerTransport, setup: DtlsSetup): Promise<void> {
    const before = this.#peer;
    this.#peer = peer;
    if (before === undefined) {
      await door.connect(peerDtls(peer, setup));
      this.#timers.start('connect', CONNECT_TIMEOUT, () => this.#lost());
    } else if (isIceRestart(before, peer)) {
      // "the answerer MUST also … new ICE credentials" (RFC 8839 4.4.2.1).
      await door.restartIce();
    }
  }

  /** To those who hold the leg it is a phone that fell silent. */
  #lost(): void {
    if (!this.#closed) this.#options.leg.events.emit('timeout');
  }

  async #configure(
    door: PhoneDoor,
    { audio, event, events }: AgreedCodecs,
    { producer }: AcceptedMedia,
    media: SdpMedia,
    theirs: SdpDirection,
  ): Promise<void> {
    const key = producer && JSON.stringify(producer);
    if (key !== undefined && key !== this.#received) {
      await door.receive(producer);
      this.#received = key;
    }
    const { codec, payloadType } = audio[0]!;
    const format = media.formatParameters.find((each) => each.payloadType === payloadType);
    const ptime = media.ptime ?? PACKET_TIME;
    this.#audio = {
      ...door.inside,
      codec,
      sendPayloadType: payloadType,
      ...(format && { formatParameters: format.parameters }),
      receivePayloadTypes: new Map(
        [...audio, ...events].map((each) => [each.payloadType, each.codec]),
      ),
      ...(event && {
        telephoneEvent: { payloadType: event.payloadType, clockRate: event.codec.clockRate },
      }),
      ptime: codec.packetTimes.includes(ptime) ? ptime : PACKET_TIME,
      direction: MIRRORED[theirs],
    };
    await this.#options.leg.configure(this.#audio);
  }

  #describe(
    door: PhoneDoor,
    { audio, event }: AgreedCodecs,
    setup: DtlsSetup,
    events: readonly DoorCodec[] = event ? [event] : [],
  ): SdpSession {
    const { ice, candidates, fingerprints, sent } = door;
    const direction = setup === 'actpass' ? 'sendrecv' : this.localDirection;
    const stream = { participant: 'room', id: 'mix', label: 'mix', content: 'main' } as const;
    this.#local = describeWebRtc({
      transport: { ice, candidates, fingerprints, setup },
      media: this.#lines.map((line) =>
        line === 'audio'
          ? {
              kind: 'audio',
              mid: this.#mid,
              protocol: this.#protocol,
              direction,
              codecs: [...audio, ...events].map(describeDoorCodec),
              extensions: [],
              rids: [],
              stream: { ...stream, rtpParameters: sent },
            }
          : { refused: line },
      ),
      bundle: this.#isBundled,
      previous: this.#local,
      sessionId: this.#options.sessionId,
    });

    return this.#local;
  }
}

const MIRRORED: Readonly<Record<SdpDirection, SdpDirection>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

function reject(code: number, text: string): { reject: Rejection } {
  return { reject: { status: 488, warning: { code, text } } };
}
