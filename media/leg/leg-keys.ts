import { TELEPHONE_EVENT, type AudioCodec } from '../codecs.ts';
import type { PhoneAudio } from '../media-api.ts';
import { DtmfReceiver, type RtpPacketView } from '../rtp/index.ts';
import { KeyGate, type KeyGateOptions } from './key-gate.ts';

/** Takes the keys out of what a phone sends: events, or tones where it agreed on none. */
export class LegKeys {
  readonly #options: KeyGateOptions;
  #events: DtmfReceiver | undefined;
  #clockRate: number | undefined;
  #gate: KeyGate | undefined;

  constructor(options: KeyGateOptions) {
    this.#options = options;
  }

  configure(audio: PhoneAudio, now: number): void {
    const codecs = [...audio.receivePayloadTypes.values()];
    const event = codecs.find(({ name }) => name === TELEPHONE_EVENT);
    if (event !== undefined || !codecs.some((codec) => KeyGate.guards(codec))) this.#ungate(now);
    else this.#gate ??= new KeyGate(this.#options);
    // A new offer/answer may come in the middle of a key.
    if (event?.clockRate === this.#clockRate) return;
    this.#clockRate = event?.clockRate;
    this.#events =
      event && new DtmfReceiver({ clockRate: event.clockRate, onDigit: this.#options.onDigit });
  }

  event(packet: RtpPacketView, now: number): void {
    this.#events?.push(packet, now);
  }

  audio(packet: RtpPacketView, codec: AudioCodec, now: number): void {
    if (this.#gate === undefined) this.#options.onAudio(packet, codec, now);
    else this.#gate.push(packet, codec, now);
  }

  /** Now and then. */
  check(now: number): void {
    this.#events?.tick(now);
    this.#gate?.check(now);
  }

  /** Another source follows. */
  reset(): void {
    this.#gate?.reset();
  }

  close(): void {
    this.#gate?.close();
    this.#gate = undefined;
  }

  #ungate(now: number): void {
    this.#gate?.flush(now);
    this.close();
  }
}
