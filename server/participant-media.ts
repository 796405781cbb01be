import type { PhoneLeg, WebRtcLeg } from '../media/index.ts';
import type { CloseReason } from './close-reason.ts';

export type MediaLegOf = { kind: 'phone'; leg: PhoneLeg } | { kind: 'browser'; leg: WebRtcLeg };

/** The media leg of one participant, of whichever kind; there is none while it is being made. */
export class ParticipantMedia {
  #media: MediaLegOf | undefined;

  get attached(): boolean {
    return this.#media !== undefined;
  }

  get phoneLeg(): PhoneLeg {
    if (this.#media?.kind !== 'phone') throw new TypeError('the participant has no phone leg');

    return this.#media.leg;
  }

  /** Undefined for browsers, and for phones that speak WebRTC. */
  get voiceLeg(): PhoneLeg | undefined {
    return this.#media?.kind === 'phone' ? this.#media.leg : undefined;
  }

  get webRtcLeg(): WebRtcLeg {
    if (this.#media?.kind !== 'browser') throw new TypeError('the participant has no WebRTC leg');

    return this.#media.leg;
  }

  /** `lost` is called when the leg ends by itself, and again when it was told to end. */
  attach(media: MediaLegOf, lost: (reason: CloseReason) => void): void {
    this.#media = media;
    const onClosed = (): void => {
      lost('media-failed');
    };
    if (media.kind === 'browser') {
      media.leg.events.on('closed', onClosed);

      return;
    }
    media.leg.events.on('closed', onClosed).on('timeout', () => {
      lost('media-timeout');
    });
  }

  async setMuted(muted: boolean): Promise<void> {
    await this.#media?.leg.setMuted(muted);
  }

  async close(): Promise<void> {
    await this.#media?.leg.close();
  }
}
