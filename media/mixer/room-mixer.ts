/**
 * One room inside a mixer thread: its phones, its browsers' microphones and the mix between them.
 * The mix runs at 8 kHz while every phone speaks G.711 and at 48 kHz otherwise.
 */
import { AppError, type Clock, type LegId } from '../../base/index.ts';
import { Resampler } from '../codec/index.ts';
import type { AudioCodec } from '../codecs.ts';
import { LOOPBACK_ADDRESS, LoopbackSocket, RtpLeg } from '../leg/index.ts';
import type { PhoneAudio, PhoneLegStats, SpeakerLevel } from '../media-api.ts';
import { isRtcp, RtpPacketView, type PortPair } from '../rtp/index.ts';
import { AudioMixer } from './audio-mixer.ts';
import { ListenerGroup } from './listeners.ts';
import { MixEncoder } from './mix-encoder.ts';
import type { MicrophoneInput, PublishTarget } from './mixer-api.ts';
import { FRAME_MS } from './mixer-clock.ts';
import { MixerInput } from './mixer-input.ts';
import { keepLoudest } from './talker-selection.ts';

const NARROW_RATE = 8000;
const FULL_RATE = 48_000;
/** How often what is slow is looked at: time-outs, who speaks. */
const CHECK_FRAMES = 5;
/** "every few hundred ms while not empty" */
const SPEAKERS_REPEAT_MS = 300;

export interface RoomMixerOptions {
  clock: Clock;
  bindAddress: string;
  rtpTimeout: number;
  onSpeakers(speakers: SpeakerLevel[]): void;
  onTimeout(legId: LegId): void;
  onDtmf(legId: LegId, digit: string, durationMs: number): void;
}

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
  readonly #packet = new RtpPacketView();
  readonly #talkers: MixerInput[] = [];
  readonly #lastTalkers: MixerInput[] = [];
  /** Of legs that are gone. */
  readonly #past: PacketCounts = { packetsIn: 0, packetsOut: 0, lost: 0 };
  #loopback: Promise<LoopbackSocket> | undefined;
  #mixRate = NARROW_RATE;
  #mixer = new AudioMixer(NARROW_RATE / 50);
  #narrower: Resampler | undefined;
  readonly #narrow = new Int16Array(NARROW_RATE / 50);
  #frames = 0;
  #speakers = '';
  #speakersSaidAt = 0;
  #closed = false;

  constructor(options: RoomMixerOptions) {
    this.#options = options;
  }

  async createLeg(legId: LegId, ports: PortPair): Promise<{ rtpPort: number; rtcpPort: number }> {
    const { clock, bindAddress, rtpTimeout } = this.#options;
    const leg = await RtpLeg.open({
      id: legId,
      clock,
      ports,
      bindAddress,
      rtpTimeout,
      mixRate: this.#mixRate,
      onDtmf: (digit, durationMs) => {
        this.#options.onDtmf(legId, digit, durationMs);
      },
      onTimeout: () => {
        this.#options.onTimeout(legId);
      },
    });
    if (this.#closed) {
      await leg.close();
      throw new AppError('MEDIA_UNAVAILABLE', 'the room was closed');
    }
    // The rate may have changed while the ports were bound.
    leg.input.setMixRate(this.#mixRate);
    this.#legs.set(legId, leg);

    return { rtpPort: leg.rtpPort, rtcpPort: leg.rtcpPort };
  }

  configureLeg(legId: LegId, audio: PhoneAudio): void {
    const leg = this.#leg(legId);
    this.#ungroup(leg);
    leg.configure(audio);
    this.#chooseRate();
    this.#group(leg);
  }

  setLegMuted(legId: LegId, muted: boolean): void {
    this.#leg(legId).setMuted(muted);
  }

  async publishLeg(legId: LegId, target: PublishTarget): Promise<void> {
    const socket = await this.#openLoopback();
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
    this.#legs.delete(legId);
    this.#ungroup(leg);
    this.#forget(leg.input);
    this.#addCounts(this.#past, leg);
    this.#chooseRate();
    await leg.close();
  }

  async addMicrophone(info: MicrophoneInput): Promise<{ address: string; port: number }> {
    const socket = await this.#openLoopback();
    this.removeMicrophone(info.legId);
    this.#microphones.set(info.ssrc, { info, input: new MixerInput(this.#mixRate) });

    return { address: LOOPBACK_ADDRESS, port: socket.port };
  }

  removeMicrophone(legId: LegId): void {
    for (const [ssrc, { info, input }] of this.#microphones) {
      if (info.legId !== legId) continue;
      this.#microphones.delete(ssrc);
      this.#forget(input);
      input.close();
    }
  }

  /** Makes and sends the next 20 ms; `skipped`: frames before it that will never be made. */
  tick(now: number, skipped: number): void {
    if (this.#legs.size === 0) return;
    this.#gather(now);
    this.#mix();
    const everyone = this.#mixer.sources > 0 ? this.#mixer.finish() : undefined;
    const narrow = this.#toNarrow(everyone);
    for (const group of this.#groups.values()) {
      if (skipped > 0) group.skip(skipped * FRAME_MS);
      const frame = group.sampleRate === this.#mixRate ? everyone : narrow;
      group.tick(frame, this.#mixer, this.#mixRate, now);
    }
    for (const leg of this.#legs.values()) {
      if (!leg.hears) leg.skip(FRAME_MS * (1 + skipped));
    }
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

  #leg(legId: LegId): RtpLeg {
    const leg = this.#legs.get(legId);
    if (leg === undefined) throw new AppError('INVALID_STATE', 'the leg is closed');

    return leg;
  }

  async #openLoopback(): Promise<LoopbackSocket> {
    if (this.#closed) throw new AppError('MEDIA_UNAVAILABLE', 'the room was closed');
    this.#loopback ??= LoopbackSocket.bind((data) => {
      this.#onMicrophonePacket(data);
    });

    return this.#loopback;
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

  /** Takes 20 ms out of every input and leaves in #talkers those that are to be heard. */
  #gather(now: number): void {
    const talkers = this.#talkers;
    talkers.length = 0;
    for (const leg of this.#legs.values()) {
      leg.input.tick(now);
      if (leg.feeds && leg.input.audible) talkers.push(leg.input);
    }
    for (const { input } of this.#microphones.values()) {
      input.tick(now);
      if (input.audible) talkers.push(input);
    }
    keepLoudest(talkers);
  }

  #mix(): void {
    const mixer = this.#mixer;
    mixer.begin();
    for (const input of this.#talkers) mixer.add(input.frame());
    for (const input of this.#lastTalkers) {
      if (this.#talkers.includes(input)) continue;
      // Its last 20 ms fade out; in the next frame it is no longer in the mix.
      if (input.talking) mixer.add(input.frame(true));
      else input.mixed = false;
    }
    this.#rememberTalkers();
  }

  #rememberTalkers(): void {
    const last = this.#lastTalkers;
    let kept = 0;
    for (const input of last) {
      if (input.mixed && !this.#talkers.includes(input)) last[kept++] = input;
    }
    last.length = kept;
    for (const input of this.#talkers) last.push(input);
  }

  #toNarrow(everyone: Int16Array | undefined): Int16Array | undefined {
    if (this.#narrower === undefined) return undefined;
    if (everyone === undefined) {
      this.#narrower.reset();

      return undefined;
    }
    this.#narrower.process(everyone, everyone.length, this.#narrow);

    return this.#narrow;
  }

  #group(leg: RtpLeg): void {
    const { codec, ptime } = leg;
    if (codec === undefined || !leg.hears) return;
    const key = groupKey(codec, ptime);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new ListenerGroup(new MixEncoder(codec, this.#mixRate, ptime));
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
    const full = [...this.#legs.values()].some(
      ({ codec }) => (codec?.sampleRate ?? 0) > NARROW_RATE,
    );
    const rate = full ? FULL_RATE : NARROW_RATE;
    if (rate === this.#mixRate) return;
    this.#mixRate = rate;
    this.#mixer = new AudioMixer(rate / 50);
    this.#narrower = rate === NARROW_RATE ? undefined : new Resampler(rate, NARROW_RATE);
    for (const leg of this.#legs.values()) leg.input.setMixRate(rate);
    for (const { input } of this.#microphones.values()) input.setMixRate(rate);
    for (const group of this.#groups.values()) group.dropOwnMixes();
  }

  #forget(input: MixerInput): void {
    const index = this.#lastTalkers.indexOf(input);
    if (index >= 0) this.#lastTalkers.splice(index, 1);
  }

  #check(now: number): void {
    const speakers: SpeakerLevel[] = [];
    for (const leg of this.#legs.values()) {
      leg.check(now);
      if (leg.feeds && leg.input.speaking) {
        speakers.push({ legId: leg.id, level: Math.round(leg.input.level) });
      }
    }
    speakers.sort((left, right) => right.level - left.level);
    const names = speakers.map(({ legId }) => legId).join(' ');
    const repeat = speakers.length > 0 && now - this.#speakersSaidAt >= SPEAKERS_REPEAT_MS;
    if (names === this.#speakers && !repeat) return;
    this.#speakers = names;
    this.#speakersSaidAt = now;
    this.#options.onSpeakers(speakers);
  }

  #addCounts(into: PacketCounts, leg: RtpLeg): void {
    into.packetsIn += leg.packetsReceived;
    into.packetsOut += leg.packetsSent;
    into.lost += leg.packetsLost;
  }
}

function groupKey(codec: AudioCodec, ptime: number): string {
  return `${codec.name}/${ptime}`;
}
