/**
 * One room inside a mixer thread: its phones, its browsers' microphones and the mix between them.
 * The mix runs at the highest rate that any of its phones has.
 *
 * Size: each thing that may be asked of a leg is one short method here; the work is in files of its own.
 */
import { AppError, type Clock, type LegId } from '../../base/index.ts';
import { encodingKey } from '../codec/index.ts';
import { LOOPBACK_ADDRESS, LoopbackSocket, RtpLeg, type RtpLegHandlers } from '../leg/index.ts';
import type { PhoneAudio, PhoneLegStats, Sound, SpeakerLevel } from '../media-api.ts';
import {
  closeReleased,
  isRtcp,
  RtpPacketView,
  type FrozenSocket,
  type PortPair,
} from '../rtp/index.ts';
import { GainControl } from './gain-control.ts';
import { ListenerGroup } from './listeners.ts';
import { MixEncoder } from './mix-encoder.ts';
import { MixRates } from './mix-rates.ts';
import type { MicrophoneInput, PublishTarget } from './mixer-api.ts';
import { FRAME_MS } from './mixer-clock.ts';
import { MixerInput } from './mixer-input.ts';
import { PcmTrack } from './pcm-track.ts';
import { SpeakerWatch } from './speaker-watch.ts';
import { TalkerMix } from './talker-mix.ts';

const NARROW_RATE = 8000;
/** How often what is slow is looked at: time-outs, who speaks. */
const CHECK_FRAMES = 5;

export interface RoomMixerOptions {
  clock: Clock;
  bindAddress: string;
  rtpTimeout: number;
  dscp: number;
  autoGain: boolean;
  onSpeakers: (speakers: SpeakerLevel[]) => void;
  onTimeout: (legId: LegId) => void;
  onDtmf: (legId: LegId, digit: string, durationMs: number) => void;
  onPlayed: (legId: LegId, playId: number, complete: boolean) => void;
}

/** A room on its way from one thread to another. */
export type FrozenRoom = ReturnType<RoomMixer['freeze']>;

interface Microphone {
  info: MicrophoneInput;
  input: MixerInput;
}

export interface PacketCounts {
  packetsIn: number;
  packetsOut: number;
  lost: number;
}

export class RoomMixer {
  readonly #options: RoomMixerOptions;
  readonly #legs = new Map<LegId, RtpLeg>();
  /** By SSRC, as their packets come. */
  readonly #microphones = new Map<number, Microphone>();
  readonly #groups = new Map<string, ListenerGroup>();
  readonly #groupOf = new Map<RtpLeg, string>();
  /** The legs once more, for the loops that run each frame, and those of them that get nothing. */
  #legList: readonly RtpLeg[] = [];
  #deaf: readonly RtpLeg[] = [];
  readonly #packet = new RtpPacketView();
  readonly #talk = new TalkerMix(NARROW_RATE);
  readonly #speakers: SpeakerWatch;
  /** Of legs that are gone. */
  readonly #past: PacketCounts = { packetsIn: 0, packetsOut: 0, lost: 0 };
  #loopback: Promise<LoopbackSocket> | undefined;
  #openLoopback: LoopbackSocket | undefined;
  /** When the room's next frame is due, after it came from another thread; a millisecond before will do. */
  #resumeAt = Number.NEGATIVE_INFINITY;
  #mixRate = NARROW_RATE;
  #rates = new MixRates(NARROW_RATE);
  #tone: PcmTrack | undefined;
  #frames = 0;
  #closed = false;

  constructor(options: RoomMixerOptions) {
    this.#options = options;
    this.#speakers = new SpeakerWatch(options.onSpeakers);
  }

  /** Goes on with a room that was frozen in another thread and released there. */
  static thaw(state: FrozenRoom, options: RoomMixerOptions): RoomMixer {
    const room = new RoomMixer(options);
    try {
      room.#thaw(state);
    } catch (error) {
      room.release();
      closeReleased(socketsOf(state));
      throw error;
    }

    return room;
  }

  /**
   * All of it, for another thread; `nextDue`: of the frame that is not made here any more. Throws where its
   * sockets cannot be handed over.
   */
  freeze(nextDue: number) {
    return {
      nextDue,
      mixRate: this.#mixRate,
      legs: [...this.#legs.values()].map((leg) => leg.freeze()),
      groups: [...this.#groups].map(([key, group]) => ({ key, group: group.freeze() })),
      microphones: [...this.#microphones.values()].map(({ info, input }) => ({
        info,
        input: input.freeze(),
      })),
      loopback: this.#openLoopback?.freeze(),
      mixer: this.#talk.mixer.freeze(),
      speakers: this.#speakers.freeze(),
      tone: this.#tone?.freeze(),
      frames: this.#frames,
      // What was counted so far stays in this thread's totals.
      past: minus(this.counts()),
    };
  }

  /** Another thread has the room from now on, and all its sockets. */
  release(): void {
    this.#closed = true;
    for (const leg of this.#legs.values()) leg.release();
    this.#openLoopback?.release();
    for (const { input } of this.#microphones.values()) input.close();
    for (const group of this.#groups.values()) group.close();
    this.#legs.clear();
  }

  async createLeg(legId: LegId, ports: PortPair): Promise<{ rtpPort: number; rtcpPort: number }> {
    const { clock, bindAddress, rtpTimeout, dscp } = this.#options;
    const leg = await RtpLeg.open({
      id: legId,
      clock,
      ports,
      bindAddress,
      rtpTimeout,
      dscp,
      mixRate: this.#mixRate,
      handlers: this.#handlersOf(legId),
    });
    if (this.#closed) {
      await leg.close();
      throw new AppError('MEDIA_UNAVAILABLE', 'the room was closed');
    }
    // The rate may have changed while the ports were bound.
    leg.input.setMixRate(this.#mixRate);
    if (this.#options.autoGain) leg.input.gainControl = new GainControl();
    this.#legs.set(legId, leg);
    this.#listLegs();

    return { rtpPort: leg.rtpPort, rtcpPort: leg.rtcpPort };
  }

  configureLeg(legId: LegId, audio: PhoneAudio): void {
    const leg = this.#leg(legId);
    this.#ungroup(leg);
    leg.configure(audio);
    this.#chooseRate();
    this.#group(leg);
    this.#listLegs();
  }

  /** Takes a leg out as it is, its sockets open; `attachLeg` of another room goes on with it. */
  detachLeg(legId: LegId): RtpLeg {
    const leg = this.#leg(legId);
    leg.unpublish();
    leg.stopPressing();
    leg.input.reset();
    this.#forgetLeg(leg);

    return leg;
  }

  attachLeg(leg: RtpLeg): void {
    if (this.#closed) throw new AppError('MEDIA_UNAVAILABLE', 'the room was closed');
    leg.setHandlers(this.#handlersOf(leg.id));
    leg.input.setMixRate(this.#mixRate);
    this.#legs.set(leg.id, leg);
    this.#chooseRate();
    this.#group(leg);
    this.#listLegs();
  }

  playTo(legId: LegId, playId: number, sounds: readonly Sound[]): void {
    this.#leg(legId).playback.play(playId, sounds);
  }

  stopPlaying(legId: LegId): void {
    this.#leg(legId).playback.stop();
  }

  pressKeys(legId: LegId, playId: number, keys: string): void {
    this.#leg(legId).press(playId, keys);
  }

  setLegMusic(legId: LegId, sounds: readonly Sound[]): void {
    this.#leg(legId).playback.setMusic(sounds);
  }

  setLegHearingGain(legId: LegId, gain: number): void {
    this.#leg(legId).playback.setHearingGain(gain);
  }

  /** For all phones, mixed in once; one that still sounds gives way. */
  playTone(sounds: readonly Sound[]): void {
    this.#tone = new PcmTrack(sounds);
  }

  setLegMuted(legId: LegId, muted: boolean): void {
    this.#leg(legId).setMuted(muted);
  }

  async publishLeg(legId: LegId, target: PublishTarget): Promise<void> {
    const socket = await this.#bindLoopback();
    this.#leg(legId).publish(target, socket);
  }

  unpublishLeg(legId: LegId): void {
    this.#legs.get(legId)?.unpublish();
  }

  legStats(legId: LegId): PhoneLegStats {
    return this.#leg(legId).stats();
  }

  async closeLeg(legId: LegId): Promise<void> {
    const leg = this.#legs.get(legId);
    if (leg === undefined) return;
    this.#forgetLeg(leg);
    this.#addCounts(this.#past, leg);
    await leg.close();
  }

  async addMicrophone(info: MicrophoneInput): Promise<{ address: string; port: number }> {
    const socket = await this.#bindLoopback();
    this.removeMicrophone(info.legId);
    this.#microphones.set(info.ssrc, { info, input: new MixerInput(this.#mixRate) });

    return { address: LOOPBACK_ADDRESS, port: socket.port };
  }

  removeMicrophone(legId: LegId): void {
    for (const [ssrc, { info, input }] of this.#microphones) {
      if (info.legId !== legId) continue;
      this.#microphones.delete(ssrc);
      this.#talk.forget(input);
      input.close();
    }
  }

  /**
   * Makes and sends the 20 ms that were due at `due`; `skipped`: frames before it that will never be made.
   */
  tick(now: number, due: number, skipped: number): void {
    if (this.#legs.size === 0 || due < this.#resumeAt - 1) return;
    this.#gather(now);
    const everyone = this.#talk.mix(this.#nextTone());
    this.#rates.next(everyone);
    for (const group of this.#groups.values()) {
      if (skipped > 0) group.skip(skipped * FRAME_MS);
      group.tick(this.#rates.at(group.sampleRate), this.#talk.mixer, this.#mixRate, now);
    }
    for (const leg of this.#deaf) leg.skip(FRAME_MS * (1 + skipped));
    if (++this.#frames % CHECK_FRAMES === 0) this.#check(now);
  }

  counts(): PacketCounts {
    const counts = { ...this.#past };
    for (const leg of this.#legs.values()) this.#addCounts(counts, leg);

    return counts;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#legs.keys()].map((legId) => this.closeLeg(legId)));
    for (const { info } of [...this.#microphones.values()]) this.removeMicrophone(info.legId);
    for (const group of this.#groups.values()) group.close();
    this.#groups.clear();
    const loopback = this.#loopback;
    this.#loopback = undefined;
    await (await loopback)?.close();
  }

  toString(): string {
    return [`mix at ${this.#mixRate} Hz`, ...this.#legs.values()].join('\n  ');
  }

  #handlersOf(legId: LegId): RtpLegHandlers {
    const options = this.#options;

    return {
      onDtmf: (digit, durationMs) => {
        options.onDtmf(legId, digit, durationMs);
      },
      onTimeout: () => {
        options.onTimeout(legId);
      },
      onPlayed: (playId, complete) => {
        options.onPlayed(legId, playId, complete);
      },
    };
  }

  #forgetLeg(leg: RtpLeg): void {
    this.#legs.delete(leg.id);
    this.#listLegs();
    this.#ungroup(leg);
    this.#talk.forget(leg.input);
    this.#chooseRate();
  }

  #nextTone(): Int16Array | undefined {
    if (this.#tone === undefined) return undefined;
    const frame = new Int16Array(this.#mixRate / 50);
    if (this.#tone.read(frame, this.#mixRate)) return frame;
    this.#tone = undefined;

    return undefined;
  }

  #leg(legId: LegId): RtpLeg {
    const leg = this.#legs.get(legId);
    if (leg === undefined) throw new AppError('INVALID_STATE', 'the leg is closed');

    return leg;
  }

  async #bindLoopback(): Promise<LoopbackSocket> {
    if (this.#closed) throw new AppError('MEDIA_UNAVAILABLE', 'the room was closed');
    this.#loopback ??= LoopbackSocket.bind((data) => {
      this.#onMicrophonePacket(data);
    });
    this.#openLoopback = await this.#loopback;

    return this.#openLoopback;
  }

  #thaw(state: FrozenRoom): void {
    const { bindAddress, clock, rtpTimeout, dscp } = this.#options;
    const { mixRate, loopback } = state;
    this.#resumeAt = state.nextDue;
    this.#setRate(mixRate);
    if (loopback !== undefined) {
      this.#openLoopback = LoopbackSocket.thaw(loopback, (data) => {
        this.#onMicrophonePacket(data);
      });
      this.#loopback = Promise.resolve(this.#openLoopback);
    }
    for (const frozen of state.legs) {
      const handlers = this.#handlersOf(frozen.id);
      const options = { bindAddress, clock, rtpTimeout, dscp, mixRate, handlers };
      this.#legs.set(frozen.id, RtpLeg.thaw(frozen, options, this.#openLoopback));
    }
    for (const { info, input: frozen } of state.microphones) {
      const input = new MixerInput(mixRate);
      input.thaw(frozen);
      this.#microphones.set(info.ssrc, { info, input });
    }
    const inputs = [...this.#legs.values(), ...this.#microphones.values()];
    this.#talk.thaw(
      state.mixer,
      inputs.map(({ input }) => input),
    );
    this.#thawGroups(state);
    this.#speakers.thaw(state.speakers);
    this.#tone = state.tone && PcmTrack.thaw(state.tone);
    this.#frames = state.frames;
    addCounts(this.#past, state.past);
    this.#listLegs();
  }

  #thawGroups({ groups }: FrozenRoom): void {
    const { mixer } = this.#talk;
    // The resamplers of other rates look back less than a frame.
    this.#rates.next(mixer.last);
    for (const { key, group: frozen } of groups) {
      const group = ListenerGroup.thaw(frozen, this.#legs, mixer, this.#mixRate);
      this.#groups.set(key, group);
      for (const leg of group.legs) this.#groupOf.set(leg, key);
      this.#rates.at(group.sampleRate);
    }
  }

  #onMicrophonePacket(data: Uint8Array): void {
    const packet = this.#packet;
    if (isRtcp(data) || !packet.parse(data)) return;
    const microphone = this.#microphones.get(packet.ssrc);
    if (microphone === undefined) return;
    const { codec, payloadType, audioLevelExtensionId } = microphone.info;
    if (packet.payloadType !== payloadType || packet.payloadLength === 0) return;
    const level =
      audioLevelExtensionId === undefined ? undefined : packet.audioLevel(audioLevelExtensionId);
    microphone.input.push(packet, codec, this.#options.clock.now(), level);
  }

  /** Takes 20 ms out of every input and offers those that are to be heard. */
  #gather(now: number): void {
    const talk = this.#talk;
    talk.begin();
    for (const leg of this.#legList) {
      const { feeds } = leg;
      leg.input.tick(now, feeds);
      if (feeds && leg.input.audible) talk.offer(leg.input);
    }
    for (const { input } of this.#microphones.values()) {
      input.tick(now);
      if (input.audible) talk.offer(input);
    }
  }

  #group(leg: RtpLeg): void {
    const { codec, ptime, formatParameters } = leg;
    if (codec === undefined || !leg.hears) return;
    const key = encodingKey(codec, ptime, formatParameters);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new ListenerGroup(new MixEncoder(codec, this.#mixRate, ptime, formatParameters));
      this.#groups.set(key, group);
    }
    group.add(leg);
    this.#groupOf.set(leg, key);
  }

  #ungroup(leg: RtpLeg): void {
    const key = this.#groupOf.get(leg);
    const group = key === undefined ? undefined : this.#groups.get(key);
    if (key === undefined || group === undefined) return;
    this.#groupOf.delete(leg);
    group.remove(leg);
    if (group.size > 0) return;
    this.#groups.delete(key);
    group.close();
  }

  /** Groups stay as they are: one of Opus exists at 48 kHz alone, the others have a rate of their own. */
  #chooseRate(): void {
    const rates = [...this.#legs.values()].map(({ codec }) => codec?.sampleRate ?? NARROW_RATE);
    const rate = Math.max(NARROW_RATE, ...rates);
    if (rate === this.#mixRate) return;
    this.#setRate(rate);
    for (const leg of this.#legs.values()) leg.input.setMixRate(rate);
    for (const { input } of this.#microphones.values()) input.setMixRate(rate);
    for (const group of this.#groups.values()) group.dropOwnMixes();
  }

  #setRate(rate: number): void {
    this.#mixRate = rate;
    this.#talk.setRate(rate);
    this.#rates = new MixRates(rate);
  }

  #listLegs(): void {
    this.#legList = [...this.#legs.values()];
    this.#deaf = this.#legList.filter((leg) => !leg.hears);
  }

  #check(now: number): void {
    for (const group of this.#groups.values()) group.adaptToLoss();
    for (const leg of this.#legList) leg.check(now);
    this.#speakers.look(this.#legList, now);
  }

  #addCounts(into: PacketCounts, leg: RtpLeg): void {
    into.packetsIn += leg.packetsReceived;
    into.packetsOut += leg.packetsSent;
    into.lost += leg.packetsLost;
  }
}

/** All that a room has open. */
export function socketsOf({ legs, loopback }: FrozenRoom): FrozenSocket[] {
  const sockets = legs.flatMap(({ socket }) => [socket.rtp, socket.rtcp]);

  return loopback === undefined ? sockets : [...sockets, loopback];
}

export function addCounts(into: PacketCounts, counts: PacketCounts): void {
  into.packetsIn += counts.packetsIn;
  into.packetsOut += counts.packetsOut;
  into.lost += counts.lost;
}

/** Of a room that goes on elsewhere: there its legs bring their own counts along. */
function minus({ packetsIn, packetsOut, lost }: PacketCounts): PacketCounts {
  return { packetsIn: -packetsIn, packetsOut: -packetsOut, lost: -lost };
}
