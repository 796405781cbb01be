import { TypedEmitter, type LegId } from '../base/index.ts';
import type { PhoneAudio, PhoneLeg, PhoneLegEvents, PhoneLegStats } from './media-api.ts';
import type { MixerRoom } from './mixer/index.ts';

/** What the room does beside the mixer when its phones change. */
export interface PhoneLegHost {
  configured(leg: MixerPhoneLeg, audio: PhoneAudio): void;
  muted(leg: MixerPhoneLeg, muted: boolean): void;
  /** Resolves when nothing of the leg is left outside the mixer. */
  leaving(leg: MixerPhoneLeg): Promise<void>;
}

/** A phone's place in the mixer, which does the work in its own thread. */
export class MixerPhoneLeg implements PhoneLeg {
  readonly id: LegId;
  readonly events = new TypedEmitter<PhoneLegEvents>();
  readonly rtpPort: number;
  readonly rtcpPort: number;
  readonly #mixer: MixerRoom;
  readonly #host: PhoneLegHost;
  #closing: Promise<void> | undefined;

  constructor(
    id: LegId,
    ports: { rtpPort: number; rtcpPort: number },
    mixer: MixerRoom,
    host: PhoneLegHost,
  ) {
    this.id = id;
    this.rtpPort = ports.rtpPort;
    this.rtcpPort = ports.rtcpPort;
    this.#mixer = mixer;
    this.#host = host;
  }

  async configure(audio: PhoneAudio): Promise<void> {
    await this.#mixer.configureLeg(this.id, audio);
    this.#host.configured(this, audio);
  }

  async setMuted(muted: boolean): Promise<void> {
    await this.#mixer.setLegMuted(this.id, muted);
    this.#host.muted(this, muted);
  }

  stats(): Promise<PhoneLegStats> {
    return this.#mixer.legStats(this.id);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();

    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#host.leaving(this);
    } finally {
      try {
        await this.#mixer.closeLeg(this.id);
      } finally {
        this.events.emit('closed');
      }
    }
  }
}
