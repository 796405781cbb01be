import type { LegId } from '../../base/index.ts';
import { ownCodec } from '../codecs.ts';
import type { RtpLeg } from '../leg/index.ts';
import type { AudioMixer } from './audio-mixer.ts';
import { MixEncoder } from './mix-encoder.ts';
import { OwnMix } from './own-mix.ts';

interface Listener {
  leg: RtpLeg;
  /** Kept from one time it talks to the next. */
  own: OwnMix | undefined;
}

/** The phones of a room that take the same packets: one codec, one packet time, one encode. */
export class ListenerGroup {
  readonly #shared: MixEncoder;
  readonly #listeners: Listener[] = [];

  constructor(shared: MixEncoder) {
    this.#shared = shared;
  }

  get sampleRate(): number {
    return this.#shared.sampleRate;
  }

  get size(): number {
    return this.#listeners.length;
  }

  add(leg: RtpLeg): void {
    this.#listeners.push({ leg, own: undefined });
  }

  /** For another thread, where `ListenerGroup.thaw` goes on with the same legs. */
  freeze() {
    const { codec, ptime, formatParameters } = this.#shared;
    const listeners = this.#listeners.map(({ leg, own }) => ({
      legId: leg.id,
      own: own?.freeze(),
    }));

    return { codec, ptime, formatParameters, shared: this.#shared.freeze(), listeners };
  }

  static thaw(
    state: ReturnType<ListenerGroup['freeze']>,
    legs: ReadonlyMap<LegId, RtpLeg>,
    mixer: AudioMixer,
    mixRate: number,
  ): ListenerGroup {
    const { codec, ptime, formatParameters } = state;
    const shared = new MixEncoder(ownCodec(codec), mixRate, ptime, formatParameters);
    shared.thaw(state.shared);
    const group = new ListenerGroup(shared);
    for (const { legId, own: frozen } of state.listeners) {
      const leg = legs.get(legId);
      if (leg === undefined) continue;
      const own = frozen && new OwnMix(mixer, mixRate, shared);
      if (frozen !== undefined) own?.thaw(frozen);
      group.#listeners.push({ leg, own });
    }

    return group;
  }

  get legs(): readonly RtpLeg[] {
    return this.#listeners.map(({ leg }) => leg);
  }

  remove(leg: RtpLeg): void {
    const index = this.#listeners.findIndex((listener) => listener.leg === leg);
    if (index >= 0) this.#listeners.splice(index, 1)[0]!.own?.close();
  }

  /** `everyone` at `sampleRate`, undefined when nobody talks. */
  tick(everyone: Int16Array | undefined, mixer: AudioMixer, mixRate: number, now: number): void {
    for (const listener of this.#listeners) this.#pushOwn(listener, everyone, mixer, mixRate);
    this.#shared.push(everyone);
    while (this.#shared.next()) this.#sendPacket(now);
  }

  /** What one of them loses is made good for all: they are sent the same. */
  adaptToLoss(): void {
    const percent = Math.max(0, ...this.#listeners.map(({ leg }) => leg.reportedLossPercent));
    this.#shared.expectLoss(percent);
    for (const { own } of this.#listeners) own?.encoder.expectLoss(percent);
  }

  skip(ms: number): void {
    for (const { leg } of this.#listeners) leg.skip(ms);
  }

  /** Own mixes belong to one mix rate. */
  dropOwnMixes(): void {
    for (const listener of this.#listeners) {
      listener.own?.close();
      listener.own = undefined;
    }
  }

  close(): void {
    this.dropOwnMixes();
    this.#shared.close();
    this.#listeners.length = 0;
  }

  #pushOwn(
    listener: Listener,
    everyone: Int16Array | undefined,
    mixer: AudioMixer,
    mixRate: number,
  ): void {
    const { input, playback } = listener.leg;
    if (!input.mixed && !playback.active) {
      if (listener.own?.active !== true) return;
      if (listener.own.settled) listener.own.stop();
      else listener.own.settle(everyone);

      return;
    }
    listener.own ??= new OwnMix(mixer, mixRate, this.#shared);
    listener.own.start(this.#shared);
    listener.own.push(input.mixed ? input.lastFrame : undefined, playback);
  }

  #sendPacket(now: number): void {
    const shared = this.#shared;
    for (const { leg, own } of this.#listeners) {
      if (own?.active !== true) {
        this.#send(leg, shared, now);
      } else if (own.encoder.next()) {
        this.#send(leg, own.encoder, now);
      }
    }
  }

  #send(leg: RtpLeg, encoder: MixEncoder, now: number): void {
    if (encoder.payloadLength === 0) leg.skip(encoder.ptime);
    else leg.send(encoder.packet, encoder.payloadLength, encoder.duration, now);
  }
}
