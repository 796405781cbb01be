import { TELEPHONE_EVENT, type AudioCodec } from '../codecs.ts';
import type { PhoneAudio } from '../media-api.ts';
import { DtmfReceiver, type RtpPacketView } from '../rtp/index.ts';
import { KeyGate, type KeyGateOptions } from './key-gate.ts';

/** Takes the keys out of what a phone sends: events, or tones where it agreed on none. */
export class LegKeys {
  readonly #options: KeyGateOptions;
  /** By clock: RFC 4733 2.1 wants that of the audio, but a phone may list 8000 Hz too, or alone. */
  readonly #events = new Map<number, DtmfReceiver>();
  #gate: KeyGate | undefined;

  constructor(options: KeyGateOptions) {
    this.#options = options;
  }

  configure(audio: PhoneAudio, now: number): void {
    const codecs = [...audio.receivePayloadTypes.values()];
    const events = codecs.filter(({ name }) => name === TELEPHONE_EVENT);
    if (events.length > 0 || !codecs.some((codec) => KeyGate.guards(codec))) this.#ungate(now);
    else this.#gate ??= new KeyGate(this.#options);
    const { onDigit } = this.#options;
    const clockRates = new Set(events.map(({ clockRate }) => clockRate));
    for (const known of this.#events.keys()) {
      if (!clockRates.has(known)) this.#events.delete(known);
    }
    for (const clockRate of clockRates) {
      // A new offer/answer may come in the middle of a key.
      if (this.#events.has(clockRate)) continue;
      this.#events.set(clockRate, new DtmfReceiver({ clockRate, onDigit }));
    }
  }

  /** For another thread, where `thaw` of one that was configured the same goes on with it. */
  freeze() {
    const events = [...this.#events].map(([clockRate, receiver]) => ({
      clockRate,
      receiver: receiver.freeze(),
    }));

    return { events, gate: this.#gate?.freeze() };
  }

  thaw(state: ReturnType<LegKeys['freeze']>): void {
    for (const { clockRate, receiver } of state.events) this.#events.get(clockRate)?.thaw(receiver);
    if (state.gate !== undefined) this.#gate?.thaw(state.gate);
  }

  /** `codec` is that of the packet's payload type: its clock is that of the event's duration. */
  event(packet: RtpPacketView, { clockRate }: AudioCodec, now: number): void {
    this.#events.get(clockRate)?.push(packet, now);
  }

  audio(packet: RtpPacketView, codec: AudioCodec, now: number): void {
    if (this.#gate === undefined) this.#options.onAudio(packet, codec, now);
    else this.#gate.push(packet, codec, now);
  }

  /** Now and then. */
  check(now: number): void {
    for (const receiver of this.#events.values()) receiver.tick(now);
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
