import type { types as mediasoup } from 'mediasoup';
import type { LegId } from '../../base/index.ts';
import type { PhoneAudio, ProducerInfo } from '../media-api.ts';
import { MicrophoneTap, type MicrophoneTapContext } from './microphone-tap.ts';
import { PhonePublication, type PhonePublicationContext } from './phone-publication.ts';

/**
 * Joins the two halves of a room over the loopback: every phone is published to the browsers while
 * there are browsers, every microphone is in the mix while there are phones. Cameras and screens
 * stay in the SFU.
 */
export class PhoneBridge {
  readonly #context: MicrophoneTapContext & PhonePublicationContext;
  readonly #phones = new Map<LegId, PhonePublication>();
  readonly #microphones = new Map<LegId, MicrophoneTap>();
  #browsers = false;
  #closed = false;

  constructor(context: MicrophoneTapContext & PhonePublicationContext) {
    this.#context = context;
  }

  async phoneJoined(legId: LegId): Promise<void> {
    if (this.#closed) return;
    this.#phones.set(legId, new PhonePublication(legId, this.#browsers, this.#context));
    if (this.#phones.size === 1) await this.#tellMicrophones(true);
  }

  async phoneConfigured(legId: LegId, audio: PhoneAudio): Promise<void> {
    await this.#phones.get(legId)?.setAudio(audio);
  }

  async phoneMuted(legId: LegId, muted: boolean): Promise<void> {
    await this.#phones.get(legId)?.setMuted(muted);
  }

  async phoneLeft(legId: LegId): Promise<void> {
    const phone = this.#phones.get(legId);
    if (phone === undefined) return;
    this.#phones.delete(legId);
    await Promise.all([
      phone.close(),
      ...(this.#phones.size === 0 ? [this.#tellMicrophones(false)] : []),
    ]);
  }

  /** Whether the room has browsers at all. */
  async setBrowsers(browsers: boolean): Promise<void> {
    if (this.#browsers === browsers) return;
    this.#browsers = browsers;
    await Promise.all([...this.#phones.values()].map((phone) => phone.setAudience(browsers)));
  }

  async microphoneAdded(legId: LegId, producer: mediasoup.Producer): Promise<void> {
    if (this.#closed) return;
    let tap = this.#microphones.get(legId);
    if (tap === undefined) {
      tap = new MicrophoneTap(legId, this.#phones.size > 0, this.#context);
      this.#microphones.set(legId, tap);
    }
    await tap.setProducer(producer);
  }

  /** The leg may bring another later, so its tap stays: the mixer must see both in order. */
  async microphoneRemoved(legId: LegId): Promise<void> {
    await this.#microphones.get(legId)?.setProducer(undefined);
  }

  async browserLeft(legId: LegId): Promise<void> {
    const tap = this.#microphones.get(legId);
    this.#microphones.delete(legId);
    await tap?.setProducer(undefined);
  }

  producers(): ProducerInfo[] {
    return [...this.#phones.values()].flatMap(({ info }) => info ?? []);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([
      ...[...this.#phones.keys()].map((legId) => this.phoneLeft(legId)),
      ...[...this.#microphones.keys()].map((legId) => this.browserLeft(legId)),
    ]);
  }

  async #tellMicrophones(phones: boolean): Promise<void> {
    await Promise.all([...this.#microphones.values()].map((tap) => tap.setPhones(phones)));
  }
}
