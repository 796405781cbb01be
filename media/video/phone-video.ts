/**
 * One video stream of a phone: its ports, what it is sent as one continuous stream, and what it sends, made
 * whole. Which picture it is sent, and who sees its own, is its room's part.
 *
 * Size: each thing that the phone, its room and its call may ask is one short method here.
 */
import { TimerSet, TypedEmitter, AppError, type Clock, type LegId } from '../../base/index.ts';
import { LegRtcp } from '../leg/index.ts';
import {
  RtpPacketView,
  RtpReceiver,
  RtpSender,
  RtpSocket,
  type PortAllocator,
  type PortPair,
  type RtcpPacket,
} from '../rtp/index.ts';
import { SrtpSession } from '../srtp/index.ts';
import type { ProducerInfo } from '../stream-info.ts';
import type {
  PhoneVideo,
  PhoneVideoContent,
  PhoneVideoEvents,
  PhoneVideoLeg,
  PhoneVideoStats,
} from '../video-api.ts';
import { AskedBitrate } from './asked-bitrate.ts';
import { blackPicture } from './black-source.ts';
import { beginsPicture } from './key-frame.ts';
import { NO_SETS, type ParameterSets } from './h264.ts';
import { KeyFrameLimiter } from './key-frame-limiter.ts';
import { LONGEST_PACKET, PictureWriter } from './picture-writer.ts';
import type { VideoPacket } from './reorder-buffer.ts';
import { Retransmitter } from './retransmitter.ts';
import { VIDEO_CLOCK } from './timestamp-line.ts';
import type { VideoTotals } from './video-totals.ts';

/** A room's side of a phone's video. */
export interface PhoneVideoHost {
  /** What was agreed on changed. */
  configured(): void;
  /** The phone began to send, or stopped. */
  activityChanged(): void;
  /** A packet of the phone, in the order in which they came; the view is good during the call only. */
  received(packet: RtpPacketView, now: number): void;
  /** What it sends begins anew. */
  restarted(): void;
  /** What is shown must begin anew. */
  keyFrameRequested(): void;
  limitChanged(): void;
  /** Resolves when nothing of it is left in the room. */
  leaving(): Promise<void>;
}

export interface PhoneVideoDeps {
  clock: Clock;
  ports: PortAllocator;
  bindAddress: string;
  dscp: number;
  totals: VideoTotals;
}

/** Octets that the kernel holds for us: a key frame comes at once. */
const RECEIVE_BUFFER = 1 << 20;
/** Datagrams of the same. */
const SEND_QUEUE = 256;
/** Milliseconds between black pictures: often enough for who lost one. */
const BLACK_INTERVAL = 1000;
/** Milliseconds that the last picture of a source that ended stays, when another is about to follow. */
const FREEZE = 1000;
/** Milliseconds without a packet after which a camera is off, and how often that is looked at. */
const SILENCE = 3000;
const SILENCE_CHECK = 1000;
/** Requests by RTCP that brought no key frame, before signalling is asked too: not every phone keeps its SDP. */
const MAX_UNANSWERED = 2;

export class PhoneVideoSession implements PhoneVideoLeg {
  readonly legId: LegId;
  readonly content: PhoneVideoContent;
  readonly events = new TypedEmitter<PhoneVideoEvents>();
  readonly #deps: PhoneVideoDeps;
  readonly #ports: PortPair;
  readonly #socket: RtpSocket;
  readonly #receiver = new RtpReceiver(new Map());
  readonly #sender = new RtpSender(VIDEO_CLOCK);
  readonly #rtcp: LegRtcp;
  readonly #resender: Retransmitter;
  readonly #writer: PictureWriter;
  readonly #asked = new AskedBitrate();
  /** Key frames that we want of the phone, and it of us. */
  readonly #wanted: KeyFrameLimiter;
  readonly #requested: KeyFrameLimiter;
  readonly #timers: TimerSet<'black' | 'silence'>;
  readonly #restored = new RtpPacketView();
  #security: SrtpSession | undefined;
  #video: PhoneVideo | undefined;
  #host: PhoneVideoHost | undefined;
  #showing: ProducerInfo | 'grid' | undefined;
  #black = true;
  /** The last picture of a source that ended stays. */
  #frozen = false;
  #blackCount = 0;
  #switches = 0;
  #octetsSent = 0;
  #firSent = 0;
  #firReceived = -1;
  #sends = false;
  #heardAt = 0;
  #unanswered = 0;
  #closing: Promise<void> | undefined;

  private constructor(
    legId: LegId,
    content: PhoneVideoContent,
    deps: PhoneVideoDeps,
    bound: { ports: PortPair; socket: RtpSocket },
  ) {
    this.legId = legId;
    this.content = content;
    this.#deps = deps;
    this.#ports = bound.ports;
    const socket = (this.#socket = bound.socket);
    const { clock } = deps;
    this.#timers = new TimerSet(clock);
    this.#resender = new Retransmitter((data, length) => {
      socket.sendRtp(data, length);
    });
    this.#writer = new PictureWriter(this.#sender, (packet, now) => {
      this.#octetsSent += packet.length;
      if (this.#video?.feedback.nack === true) this.#resender.keep(packet, now);
      socket.sendRtp(packet.data, packet.length);
    });
    this.#wanted = new KeyFrameLimiter(clock, () => {
      this.#askPhone();
    });
    this.#requested = new KeyFrameLimiter(clock, () => {
      if (this.#black && !this.#frozen) this.#sendBlack();
      else this.#host?.keyFrameRequested();
    });
    this.#rtcp = new LegRtcp({
      clock,
      receiver: this.#receiver,
      sender: this.#sender,
      send: (data, length) => {
        socket.sendRtcp(data, length);
      },
      onFeedback: (packet) => {
        this.#onFeedback(packet);
      },
    });
  }

  /** Rejects when no port is free. */
  static async open(
    legId: LegId,
    content: PhoneVideoContent,
    deps: PhoneVideoDeps,
  ): Promise<PhoneVideoSession> {
    const opened: { session?: PhoneVideoSession } = {};
    const bound = await deps.ports.allocate(async (ports) => {
      const socket = await RtpSocket.bind({
        ports,
        clock: deps.clock,
        address: deps.bindAddress,
        dscp: deps.dscp,
        receiveBufferSize: RECEIVE_BUFFER,
        longestSent: LONGEST_PACKET + 2,
        maxSendQueue: SEND_QUEUE,
        handlers: {
          onRtp: (packet, now) => opened.session?.onRtp(packet, now),
          onRtcp: (data, now) => opened.session?.onRtcp(data, now),
        },
      });

      return { ports, socket };
    });
    if (bound === undefined) throw new AppError('MEDIA_UNAVAILABLE', 'no free RTP port');
    opened.session = new PhoneVideoSession(legId, content, deps, bound);
    deps.totals.add(opened.session);

    return opened.session;
  }

  get rtpPort(): number {
    return this.#socket.rtpPort;
  }

  get rtcpPort(): number {
    return this.#socket.rtcpPort;
  }

  get ssrc(): number {
    return this.#sender.ssrc;
  }

  get rtxSsrc(): number {
    return this.#resender.ssrc;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** As agreed on; undefined before, and after the end. */
  get video(): PhoneVideo | undefined {
    return this.closed ? undefined : this.#video;
  }

  /** It is to be sent a picture. */
  get sees(): boolean {
    const direction = this.video?.direction;

    return direction === 'sendrecv' || direction === 'sendonly';
  }

  /** What it sends may be shown to others. */
  get isSeen(): boolean {
    const direction = this.video?.direction;

    return direction === 'sendrecv' || direction === 'recvonly';
  }

  /** Packets come of it. */
  get sends(): boolean {
    return this.#sends;
  }

  /** Bits a second that it wants at most; undefined: as much as there is. */
  get limit(): number | undefined {
    return this.#asked.limit;
  }

  /** It asks for what it lost or cannot decode. */
  get reportsLoss(): boolean {
    const feedback = this.#video?.feedback;

    return feedback?.nack === true || feedback?.pli === true || feedback?.fir === true;
  }

  configure(video: PhoneVideo): Promise<void> {
    if (this.closed) throw new AppError('INVALID_STATE', 'the video is closed');
    const codecChanged = this.#video !== undefined && this.#video.codec !== video.codec;
    this.#video = video;
    const clockRate = VIDEO_CLOCK;
    this.#receiver.setPayloadTypes(new Map([[video.receivePayloadType, { clockRate }]]));
    this.#socket.setSecurity((this.#security = SrtpSession.next(this.#security, video.srtp)));
    this.#socket.setRemote({
      address: video.remoteAddress,
      rtpPort: video.remoteRtpPort,
      rtcpPort: video.remoteRtcpPort,
      rtcpAddress: video.remoteRtcpAddress,
      rtcpMux: video.rtcpMux,
      signallingAddress: video.signallingAddress,
    });
    this.#writer.configure({
      codec: video.codec,
      payloadType: video.sendPayloadType,
      packetizationMode: video.packetizationMode ?? 0,
    });
    this.#resender.configure(video.rtx?.sendPayloadType);
    this.#asked.signal(video.maxBitrate);
    if (codecChanged) this.blacken();
    this.#rtcp.start();
    this.#keepBlack();
    this.#host?.configured();

    return Promise.resolve();
  }

  /** Its room, or none: it waits for one. Whoever had it before has let go of it. */
  setHost(host: PhoneVideoHost | undefined): void {
    this.#host = host;
    if (this.#video !== undefined) host?.configured();
  }

  requestKeyFrame(): void {
    this.#requested.request();
  }

  /** Somebody who watches the phone needs one. */
  wantKeyFrame(): void {
    this.#wanted.request();
  }

  /** Somebody who watches the phone missed these, by the phone's own numbers. */
  wantPackets(lost: number[]): void {
    const mediaSsrc = this.#receiver.ssrc;
    if (this.#video?.feedback.nack !== true || mediaSsrc === undefined) return;
    this.#rtcp.sendFeedback([{ type: 'NACK', senderSsrc: this.ssrc, mediaSsrc, lost }]);
  }

  /** The next packets are of another source, and begin with a key frame. */
  cut(showing: ProducerInfo | 'grid'): void {
    this.#black = false;
    this.#frozen = false;
    this.#timers.stop('black');
    this.#writer.restart();
    this.#switches++;
    this.#show(showing);
  }

  write(packet: VideoPacket, lostBefore: number, sets: ParameterSets, now: number): void {
    if (this.sees && !this.#black) this.#writer.write(packet, lostBefore, sets, now);
  }

  /** Nothing is there to show. */
  blacken(): void {
    this.#black = true;
    this.#frozen = false;
    this.#timers.stop('black');
    this.#show(undefined);
    this.#keepBlack();
  }

  /** Something is about to follow. */
  freeze(): void {
    this.#black = true;
    this.#frozen = true;
    this.#show(undefined);
    this.#timers.start('black', FREEZE, () => {
      this.#frozen = false;
      this.#keepBlack();
    });
  }

  stats(): PhoneVideoStats {
    const { roundTrip } = this.#rtcp;
    const { limit } = this.#asked;

    return {
      codec: this.#video?.codec,
      packetsReceived: this.#receiver.packetsReceived,
      packetsLost: this.#receiver.packetsLost,
      packetsSent: this.#sender.packetsSent,
      octetsSent: this.#octetsSent,
      jitter: this.#receiver.jitterMs,
      ...(roundTrip !== undefined && { roundTrip }),
      switches: this.#switches,
      keyFramesRequested: this.#wanted.asked,
      keyFrameRequests: this.#requested.requested,
      retransmitted: this.#resender.count,
      tooLong: this.#writer.tooLong,
      ...(limit !== undefined && { maxBitrate: limit }),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();

    return this.#closing;
  }

  onRtp(packet: RtpPacketView, now: number): void {
    const { video } = this;
    if (video === undefined) return;
    const restored = this.#restore(packet, video) ?? packet;
    const verdict = this.#receiver.receive(restored, now);
    if (verdict === 'new-source') this.#host?.restarted();
    else if (verdict !== 'accepted') return;
    this.#heard(restored, video, now);
    if (this.isSeen) this.#host?.received(restored, now);
  }

  onRtcp(data: Uint8Array, now: number): void {
    if (this.video !== undefined) this.#rtcp.receive(data, now);
  }

  async #close(): Promise<void> {
    this.#timers.close();
    this.#wanted.close();
    this.#requested.close();
    this.#rtcp.close();
    try {
      await this.#host?.leaving();
    } finally {
      await this.#socket.close();
      this.#deps.ports.release(this.#ports);
      this.#deps.totals.ended(this);
      this.events.emit('closed');
    }
  }

  /** What came as a retransmission as it was (RFC 4588 4); undefined: it is none. */
  #restore(packet: RtpPacketView, video: PhoneVideo): RtpPacketView | undefined {
    const { ssrc } = this.#receiver;
    const isRtx = packet.payloadType === video.rtx?.receivePayloadType;
    if (!isRtx || ssrc === undefined || packet.payloadLength < 2) return undefined;
    const { data, payloadOffset } = packet;
    const restored = this.#restored;
    restored.data = data;
    restored.marker = packet.marker;
    restored.payloadType = video.receivePayloadType;
    restored.sequenceNumber = (data[payloadOffset]! << 8) | data[payloadOffset + 1]!;
    restored.timestamp = packet.timestamp;
    restored.ssrc = ssrc;
    restored.payloadOffset = payloadOffset + 2;
    restored.payloadLength = packet.payloadLength - 2;

    return restored;
  }

  #heard(packet: RtpPacketView, { codec }: PhoneVideo, now: number): void {
    this.#heardAt = now;
    if (this.#unanswered > 0 && beginsPicture(codec, packet.payload())) this.#unanswered = 0;
    if (this.#sends) return;
    this.#sends = true;
    this.#watchSilence();
    this.#host?.activityChanged();
  }

  #watchSilence(): void {
    this.#timers.start('silence', SILENCE_CHECK, () => {
      if (this.#deps.clock.now() - this.#heardAt < SILENCE) {
        this.#watchSilence();

        return;
      }
      this.#sends = false;
      this.#host?.activityChanged();
    });
  }

  #onFeedback(packet: RtcpPacket): void {
    switch (packet.type) {
      case 'PLI':
        this.#requested.request();
        break;
      case 'FIR':
        this.#onFir(packet.requests);
        break;
      case 'NACK':
        if (this.#video?.feedback.nack !== true || packet.mediaSsrc !== this.ssrc) return;
        this.#resender.resend(packet.lost, this.#deps.clock.now());
        break;
      case 'TMMBR':
        if (this.#video?.feedback.tmmbr !== true) return;
        this.#rtcp.sendFeedback(this.#asked.tmmbr(packet, this.ssrc));
        this.#host?.limitChanged();
        break;
      case 'REMB':
        if (!packet.ssrcs.includes(this.ssrc)) return;
        this.#asked.remb(packet.bitrate);
        this.#host?.limitChanged();
        break;
      default:
    }
  }

  /** "The same sequence number … SHALL be" used for a repetition, which asks for nothing new (RFC 5104 4.3.1.2). */
  #onFir(requests: readonly { ssrc: number; sequence: number }[]): void {
    const own = requests.find(({ ssrc }) => ssrc === this.ssrc);
    if (own === undefined || own.sequence === this.#firReceived) return;
    this.#firReceived = own.sequence;
    this.#requested.request();
  }

  #askPhone(): void {
    const { ssrc } = this.#receiver;
    // A stream that has not begun begins with a key frame.
    if (this.#video === undefined || ssrc === undefined) return;
    const { pli, fir } = this.#video.feedback;
    const senderSsrc = this.ssrc;
    const ignored = this.#unanswered++ >= MAX_UNANSWERED;
    if (pli === true) {
      this.#rtcp.sendFeedback([{ type: 'PLI', senderSsrc, mediaSsrc: ssrc }]);
    } else if (fir === true) {
      const sequence = (this.#firSent = (this.#firSent + 1) & 0xff);
      this.#rtcp.sendFeedback([{ type: 'FIR', senderSsrc, requests: [{ ssrc, sequence }] }]);
    }
    if (ignored || (pli !== true && fir !== true)) this.events.emit('keyFrameWanted');
  }

  #show(showing: ProducerInfo | 'grid' | undefined): void {
    if (idOf(showing) === idOf(this.#showing)) return;
    this.#showing = showing;
    this.events.emit('showing', showing);
  }

  /** While there is nothing else; not while the last picture stays. */
  #keepBlack(): void {
    if (!this.#black || !this.sees || this.#timers.isRunning('black')) return;
    this.#sendBlack();
    this.#timers.start('black', BLACK_INTERVAL, () => {
      this.#keepBlack();
    });
  }

  #sendBlack(): void {
    const { video } = this;
    if (video === undefined || !this.sees) return;
    const now = this.#deps.clock.now();
    const payloads = blackPicture(video.codec, this.#blackCount++);
    this.#writer.restart();
    payloads.forEach((payload, i) => {
      const marker = i === payloads.length - 1;
      this.#writer.write({ sequenceNumber: i, timestamp: 0, marker, payload }, 0, NO_SETS, now);
    });
  }
}

function idOf(showing: ProducerInfo | 'grid' | undefined): string | undefined {
  return typeof showing === 'string' ? showing : showing?.id;
}
