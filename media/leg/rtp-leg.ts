/**
 * One phone's audio inside a mixer thread: socket → receiver → (keys taken out) → jitter buffer →
 * decoder → mix, and back from the mix through the sender to the socket. Its own packets also go to
 * the browsers, as they came.
 *
 * Size: each thing that may be asked of a leg is one short method here; the work is in files of its own.
 */
import type { LegId } from '../../base/index.ts';
import { ownCodec, TELEPHONE_EVENT, type AudioCodec } from '../codecs.ts';
import type { PhoneAudio, PhoneLegStats } from '../media-api.ts';
import { LegPlayback, MixerInput, usablePtime, type PublishTarget } from '../mixer/index.ts';
import {
  DtmfSender,
  RtpReceiver,
  RtpSender,
  RtpSocket,
  type EventFormat,
  type RtpPacketView,
} from '../rtp/index.ts';
import { SrtpSession } from '../srtp/index.ts';
import type { RtpLegHandlers, RtpLegOptions } from './leg-options.ts';
import { LegKeys } from './leg-keys.ts';
import { LegRtcp } from './leg-rtcp.ts';
import type { LoopbackSocket } from './loopback-socket.ts';
import { Publisher } from './publisher.ts';
import { VoipReport } from './voip-report.ts';

export class RtpLeg {
  readonly id: LegId;
  readonly input: MixerInput;
  /** What this phone alone hears. */
  readonly playback = new LegPlayback((playId, complete) => {
    this.#handlers.onPlayed(playId, complete);
  });
  /** Keys that we press. */
  readonly #dtmf = new DtmfSender((playId, complete) => {
    this.#handlers.onPlayed(playId, complete);
  });
  readonly #options: Omit<RtpLegOptions, 'ports'>;
  readonly #socket: RtpSocket;
  readonly #receiver = new RtpReceiver(new Map());
  readonly #sender = new RtpSender(8000);
  readonly #rtcp: LegRtcp;
  readonly #keys = new LegKeys({
    onDigit: (digit, durationMs) => {
      this.#handlers.onDtmf(digit, durationMs);
    },
    onAudio: (packet, codec, now) => {
      // Also while muted: the mixer takes it out and drops it, so none of it is heard after unmuting.
      this.input.push(packet, codec, now);
      this.#forward(packet, codec, now);
    },
  });
  #handlers: RtpLegHandlers;
  #audio: PhoneAudio | undefined;
  #hears = false;
  #feeds = false;
  #ptime = 20;
  /** The payload type that came last, and what it is. */
  #payloadType = -1;
  #payloadCodec: AudioCodec | undefined;
  #voipReport: VoipReport | undefined;
  #publisher: Publisher | undefined;
  #security: SrtpSession | undefined;
  #muted = false;
  #lastHeardAt: number;
  #timedOut = false;
  #closed = false;

  private constructor(options: Omit<RtpLegOptions, 'ports'>, socket: RtpSocket) {
    this.#options = options;
    this.#handlers = options.handlers;
    this.#socket = socket;
    this.id = options.id;
    this.input = new MixerInput(options.mixRate);
    this.#lastHeardAt = options.clock.now();
    this.#rtcp = new LegRtcp({
      clock: options.clock,
      receiver: this.#receiver,
      sender: this.#sender,
      send: (data, length) => {
        socket.sendRtcp(data, length);
      },
      voipMetrics: (ssrc) =>
        this.#voipReport?.of(ssrc, this.stats(), this.input.latePackets, this.#ptime),
    });
  }

  /** Rejects when one of the ports is taken. */
  static async open(options: RtpLegOptions): Promise<RtpLeg> {
    const opened: { leg?: RtpLeg } = {};
    const socket = await RtpSocket.bind({
      ports: options.ports,
      clock: options.clock,
      address: options.bindAddress,
      ...(options.dscp !== undefined && { dscp: options.dscp }),
      handlers: {
        onRtp: (packet, now) => opened.leg?.receive(packet, now),
        onRtcp: (data, now) => opened.leg?.receiveRtcp(data, now),
      },
    });
    opened.leg = new RtpLeg(options, socket);

    return opened.leg;
  }

  /** Goes on as a leg that was frozen in another thread and released there. */
  static thaw(
    state: ReturnType<RtpLeg['freeze']>,
    options: Omit<RtpLegOptions, 'ports' | 'id'>,
    loopback: LoopbackSocket | undefined,
  ): RtpLeg {
    const opened: { leg?: RtpLeg } = {};
    const socket = RtpSocket.thaw(state.socket, {
      clock: options.clock,
      handlers: {
        onRtp: (packet, now) => opened.leg?.receive(packet, now),
        onRtcp: (data, now) => opened.leg?.receiveRtcp(data, now),
      },
    });
    const leg = new RtpLeg({ ...options, id: state.id }, socket);
    leg.#thaw(state, loopback);
    opened.leg = leg;

    return leg;
  }

  /** All of it, for another thread. Throws where its sockets cannot be handed over. */
  freeze() {
    return {
      id: this.id,
      socket: this.#socket.freeze(),
      audio: this.#audio,
      security: this.#security?.freeze(),
      input: this.input.freeze(),
      playback: this.playback.freeze(),
      dtmf: this.#dtmf.freeze(),
      receiver: this.#receiver.freeze(),
      sender: this.#sender.freeze(),
      rtcp: this.#rtcp.freeze(),
      keys: this.#keys.freeze(),
      voipReport: this.#voipReport?.freeze(),
      publisher: this.#publisher?.freeze(),
      muted: this.#muted,
      lastHeardAt: this.#lastHeardAt,
      timedOut: this.#timedOut,
    };
  }

  /** Another thread has the leg from now on, and its sockets; the phone is told nothing. */
  release(): void {
    this.#closed = true;
    this.#rtcp.release();
    this.#keys.close();
    this.input.close();
    this.#socket.release();
  }

  get rtpPort(): number {
    return this.#socket.rtpPort;
  }

  get rtcpPort(): number {
    return this.#socket.rtcpPort;
  }

  /** What it is sent; undefined before it was configured. */
  get codec(): AudioCodec | undefined {
    return this.#audio?.codec;
  }

  /** Milliseconds a packet that it is sent. */
  get ptime(): number {
    return this.#ptime;
  }

  /** What it wrote into `a=fmtp` of its codec. */
  get formatParameters(): string | undefined {
    return this.#audio?.formatParameters;
  }

  /** Of what it is sent, as its last report says. */
  get reportedLossPercent(): number {
    return this.#rtcp.reportedLossPercent;
  }

  /** Gets the mix. */
  get hears(): boolean {
    return this.#hears;
  }

  /**
   * May be mixed. A phone that only sends put us on hold, and what it sends is music for us, not for
   * the meeting.
   */
  get feeds(): boolean {
    return this.#feeds && !this.#muted;
  }

  get packetsReceived(): number {
    return this.#receiver.packetsReceived;
  }

  get packetsLost(): number {
    return this.#receiver.packetsLost;
  }

  get packetsSent(): number {
    return this.#sender.packetsSent;
  }

  configure(agreed: PhoneAudio): void {
    const before = this.#audio;
    const audio = this.#agree(agreed);
    this.#socket.setSecurity((this.#security = SrtpSession.next(this.#security, audio.srtp)));
    if (audio.sendSsrc !== undefined) this.#sender.setSsrc(audio.sendSsrc);
    this.#socket.setRemote({
      address: audio.remoteAddress,
      rtpPort: audio.remoteRtpPort,
      rtcpPort: audio.remoteRtcpPort,
      rtcpAddress: audio.remoteRtcpAddress,
      rtcpMux: audio.rtcpMux,
      signallingAddress: audio.signallingAddress,
    });
    if (before?.direction !== audio.direction) {
      this.input.reset();
      this.#publisher?.restart();
      this.#lastHeardAt = this.#options.clock.now();
    }
    this.#rtcp.start();
  }

  /** What it is and does with these terms, whatever it was sent or heard before. */
  #agree(agreed: PhoneAudio): PhoneAudio {
    const codecs = [...agreed.receivePayloadTypes].map(
      ([payloadType, codec]) => [payloadType, ownCodec(codec)] as const,
    );
    const audio: PhoneAudio = {
      ...agreed,
      codec: ownCodec(agreed.codec),
      receivePayloadTypes: new Map(codecs),
    };
    this.#audio = audio;
    this.#payloadType = -1;
    this.#feeds = audio.direction === 'sendrecv';
    this.#hears = this.#feeds || audio.direction === 'sendonly';
    this.#ptime = usablePtime(audio.codec, audio.ptime);
    this.#sender.setClockRate(audio.codec.clockRate);
    this.#receiver.setPayloadTypes(audio.receivePayloadTypes);
    if (audio.voipMetrics !== true) this.#voipReport = undefined;
    else this.#voipReport ??= new VoipReport(this.#receiver.packetsLost);
    this.#keys.configure(audio, this.#options.clock.now());

    return audio;
  }

  #thaw(state: ReturnType<RtpLeg['freeze']>, loopback: LoopbackSocket | undefined): void {
    if (state.audio !== undefined) this.#agree(state.audio);
    this.#security = state.security && SrtpSession.thaw(state.security);
    this.#socket.setSecurity(this.#security);
    this.input.thaw(state.input);
    this.playback.thaw(state.playback);
    this.#dtmf.thaw(state.dtmf);
    this.#receiver.thaw(state.receiver);
    this.#sender.thaw(state.sender);
    this.#rtcp.thaw(state.rtcp);
    this.#keys.thaw(state.keys);
    if (state.voipReport !== undefined) this.#voipReport?.thaw(state.voipReport);
    if (loopback !== undefined && state.publisher !== undefined) {
      this.#publisher = Publisher.thaw(state.publisher, loopback);
    }
    this.#muted = state.muted;
    this.#lastHeardAt = state.lastHeardAt;
    this.#timedOut = state.timedOut;
    if (state.audio !== undefined) this.#rtcp.start();
  }

  /** Another room has it now. */
  setHandlers(handlers: RtpLegHandlers): void {
    this.#handlers = handlers;
  }

  setMuted(muted: boolean): void {
    if (muted === this.#muted) return;
    this.#muted = muted;
    this.#publisher?.restart();
  }

  publish(target: PublishTarget, socket: LoopbackSocket): void {
    this.#publisher = new Publisher(target, socket);
  }

  unpublish(): void {
    this.#publisher = undefined;
  }

  receive(packet: RtpPacketView, now: number): void {
    if (this.#closed || this.#audio === undefined) return;
    const verdict = this.#receiver.receive(packet, now);
    if (verdict === 'new-source') {
      this.#keys.reset();
      this.input.reset();
      this.#publisher?.restart();
    } else if (verdict !== 'accepted') {
      return;
    }
    this.#lastHeardAt = now;
    this.#voipReport?.received(this.#receiver.packetsLost);
    if (packet.payloadType !== this.#payloadType) {
      this.#payloadType = packet.payloadType;
      this.#payloadCodec = this.#audio.receivePayloadTypes.get(packet.payloadType);
    }
    const codec = this.#payloadCodec;
    if (codec === undefined) return;
    if (codec.name === TELEPHONE_EVENT) {
      this.#keys.event(packet, codec, now);
      this.#publisher?.leaveOut(packet);

      return;
    }
    this.#keys.audio(packet, codec, now);
  }

  receiveRtcp(data: Uint8Array, now: number): void {
    if (this.#closed || this.#audio === undefined) return;
    if (this.#rtcp.receive(data, now)) this.#lastHeardAt = now;
  }

  /** One packet of the mix, whose payload lies behind room for the header in `packet`. */
  send(packet: Uint8Array, payloadLength: number, duration: number, now: number): void {
    if (this.#audio === undefined || this.#closed) return;
    if (this.#dtmf.active && this.#sendKey(this.#ptime)) return;
    const { sendPayloadType } = this.#audio;
    const header = this.#sender.writeHeader(packet, sendPayloadType, duration, payloadLength, now);
    this.#socket.sendRtp(packet, header + payloadLength);
  }

  /** Milliseconds that pass without a packet: hold, or a clock that had to jump. */
  skip(ms: number): void {
    if (this.#audio === undefined) return;
    if (this.#dtmf.active && this.#sendKey(ms)) return;
    this.#sender.skip((this.#audio.codec.clockRate * ms) / 1000);
  }

  /** Presses keys in the form of events; `onPlayed` tells when all are up. */
  press(playId: number, keys: string): void {
    if (this.#closed) this.#handlers.onPlayed(playId, false);
    else this.#dtmf.send(playId, keys);
  }

  /** Keys that wait are not pressed any more. */
  stopPressing(): void {
    this.#dtmf.stop();
  }

  /** Now and then; reports silence of the phone once. */
  check(now: number): void {
    this.#keys.check(now);
    // On hold, and while it only listens, a phone need not send.
    if (this.#audio?.direction !== 'sendrecv') return;
    if (this.#timedOut || now - this.#lastHeardAt < this.#options.rtpTimeout) return;
    this.#timedOut = true;
    this.#handlers.onTimeout();
  }

  stats(): PhoneLegStats {
    const { roundTrip, remoteMos } = this.#rtcp;

    return {
      packetsReceived: this.#receiver.packetsReceived,
      octetsReceived: this.#receiver.octetsReceived,
      packetsLost: this.#receiver.packetsLost,
      packetsSent: this.#sender.packetsSent,
      jitter: this.#receiver.jitterMs,
      ...(roundTrip !== undefined && { roundTrip }),
      ...(remoteMos !== undefined && { remoteMos }),
      codec: this.#audio?.codec.name ?? '',
      buffer: this.input.bufferedMs,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#rtcp.close();
    this.#keys.close();
    this.input.close();
    this.playback.close();
    this.#dtmf.stop();
    await this.#socket.close();
  }

  toString(): string {
    const { rtpIn, rtpOut, foreign, invalid } = this.#socket.counters;
    const { codec, bufferedMs, level } = this.input;

    return (
      `${this.id}: :${this.rtpPort} in ${rtpIn} out ${rtpOut} foreign ${foreign} invalid ${invalid}` +
      ` → ${codec?.name ?? 'nothing'} ${Math.round(bufferedMs)} ms ${Math.round(level)} dBov` +
      ` → ${this.feeds ? 'mixed' : 'not mixed'} ← ${this.codec?.name ?? 'nothing'}/${this.#ptime}`
    );
  }

  /** True: a key's packet went in place of `ms` of audio. */
  #sendKey(ms: number): boolean {
    const length = this.#dtmf.next(this.#sender, this.#eventFormat(), ms);
    if (length > 0) this.#socket.sendRtp(this.#dtmf.packet, length);

    return length > 0;
  }

  #eventFormat(): EventFormat | undefined {
    const { telephoneEvent, codec } = this.#audio ?? {};
    if (telephoneEvent === undefined || codec === undefined || !this.hears) return undefined;
    const { payloadType, clockRate } = telephoneEvent;

    return { payloadType, eventRate: clockRate, streamRate: codec.clockRate };
  }

  #forward(packet: RtpPacketView, codec: AudioCodec, now: number): void {
    const publisher = this.#publisher;
    if (publisher === undefined || !this.feeds) return;
    if (codec.name !== publisher.target.codec.name) {
      publisher.leaveOut(packet);

      return;
    }
    publisher.forward(packet, this.input.level, this.input.audible, now);
  }
}
