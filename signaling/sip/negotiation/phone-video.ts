/**
 * When the call of a plain RTP phone gets an m=video and when it loses it: the policy of
 * `video-policy.ts` over the machine of `negotiation.ts`. What stands in the descriptions, and where the
 * packets go, is its host's.
 *
 * The host calls `noteOffer` with each offer of the phone's (the INVITE's too) before it answers and asks
 * `wants` whether to take its m=video; `noteAnswer` with the answer to our INVITE; `established` once the
 * call stands; `changed` whenever pictures come or go in the room; `close` at the end.
 */
import type { Clock, Logger } from '../../../base/index.ts';
import type { SdpSession } from '../../sdp/index.ts';
import {
  Negotiation,
  type ExchangeResult,
  type NegotiationHost,
  type NegotiationOutcome,
  type NegotiationSettings,
} from './negotiation.ts';
import {
  initialTraits,
  traitsAfterAnswer,
  traitsAfterEnquiry,
  traitsAfterOffer,
  wantsVideo,
  type Serves,
  type VideoTraits,
} from './video-policy.ts';

export interface PhoneVideoHost {
  /** How many pictures the room has for the phone; its own is none of them. */
  readonly pictures: number;
  /** An m=video is in use in the call. */
  readonly hasVideo: boolean;
  /** The phone holds us: it is asked nothing until it is back. */
  readonly isHolding: boolean;
  serves: Serves;
  /** What it says that it can do; undefined: it does not say, or is not to be asked. */
  enquire(): Promise<SdpSession | undefined>;
  /** Makes room for what `describe` is asked for next; false: there is none, try again later. */
  prepare(): Promise<boolean>;
  /** Our next offer: the audio as it is, m=video in use or at port 0. Asked anew for each try. */
  describe(withVideo: boolean): SdpSession;
  /** The answer to it; an error ends the call. */
  receiveAnswer(answer: SdpSession): Promise<Error | undefined>;
  /** The answer was of no use. */
  fail(error: Error): void;
}

export interface PhoneVideoOptions {
  readonly host: PhoneVideoHost;
  readonly call: {
    reoffer(
      offer: () => SdpSession,
    ): Promise<{ readonly answer: SdpSession } | { readonly status: number }>;
  };
  /** Of the phone's INVITE or its 2xx. */
  readonly contact: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: NegotiationSettings;
  readonly counters: { reinvite(reason: string, outcome: string): void };
}

export class PhoneVideo implements NegotiationHost {
  readonly #options: PhoneVideoOptions;
  readonly #negotiation: Negotiation;
  #traits: VideoTraits;
  #isEstablished = false;

  constructor(options: PhoneVideoOptions) {
    this.#options = options;
    this.#traits = initialTraits(options.contact);
    this.#negotiation = new Negotiation(this, options);
  }

  /** Whether the call is to have an m=video now. */
  get wants(): boolean {
    return wantsVideo(this.#traits, this.#options.host.pictures);
  }

  get isWanted(): boolean {
    const { isHolding, hasVideo } = this.#options.host;

    return this.#isEstablished && !isHolding && this.wants !== hasVideo;
  }

  noteOffer(offer: SdpSession): void {
    const { host } = this.#options;
    this.#traits = traitsAfterOffer(this.#traits, offer, host.serves);
    const offersVideo = offer.media.some(
      (media) => media.type === 'video' && media.port !== 0 && host.serves(offer, media),
    );
    // Who takes a running video out of the call does not want it back at once.
    if (host.hasVideo && !offersVideo) this.#traits = { ...this.#traits, hasDeclined: true };
  }

  /** `offered`: our offer had an m=video. */
  noteAnswer(answer: SdpSession, offered: boolean): void {
    this.#traits = traitsAfterAnswer(this.#traits, answer, offered);
  }

  established(): void {
    this.#isEstablished = true;
    this.changed();
  }

  /** Pictures came or went, or the phone changed the call. */
  changed(): void {
    void this.#enquire();
    this.#negotiation.changed();
  }

  close(): void {
    this.#negotiation.close();
  }

  async exchange(): Promise<ExchangeResult> {
    const { host, call } = this.#options;
    // "insufficient resources" is what a peer would say.
    if (!(await host.prepare())) return { status: 500 };
    let offered = false;
    const result = await call.reoffer(() => {
      // After glare their change may have come first, and the room may be another.
      offered = host.isHolding ? host.hasVideo : this.wants;

      return host.describe(offered);
    });
    if ('status' in result) return result;
    this.noteAnswer(result.answer, offered);
    const error = await host.receiveAnswer(result.answer);
    if (error === undefined) return 'accepted';
    host.fail(error);

    return { status: 487 };
  }

  /** Not before there is something to see. */
  async #enquire(): Promise<void> {
    const { host } = this.#options;
    const { hadNoSay } = this.#traits;
    if (!hadNoSay || !this.#isEstablished || host.isHolding || host.pictures === 0) return;
    this.#traits = { ...this.#traits, hadNoSay: false };
    const answer = await host.enquire();
    this.#traits = traitsAfterEnquiry(this.#traits, answer, host.serves);
    this.#negotiation.changed();
  }

  count(outcome: NegotiationOutcome): void {
    this.#options.counters.reinvite('video', outcome);
  }

  resigned(): void {
    this.#options.logger.debug({}, 'the phone keeps the video that it has');
  }
}
