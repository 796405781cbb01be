import { silentLogger } from '../../../../base/index.ts';
import { parseSdp, SdpError, writeSdp, type SdpSession } from '../../../../signaling/sdp/index.ts';
import {
  Negotiation,
  type ExchangeResult,
  type NegotiationHost,
} from '../../../../signaling/sip/negotiation/index.ts';
import type { CallEnd, OutgoingCall, ReofferAnswer } from '../../../../signaling/sip/ua/index.ts';
import type { FakeClock } from '../../../support/fake-clock.ts';
import type { SipStack } from '../../../support/sip-wire.ts';
import { WebRtcPeerSdp } from '../../../support/webrtc-peer-sdp.ts';
import type { SeededRandom } from './random.ts';

/** Milliseconds; shorter than the server's, so that they meet. */
const WINDOW = { window: 50, longestWindow: 200, patience: 0, rests: [4000, 16_000, 64_000] };
/** In a row: who refuses for ever is asked no more, and then sees nothing new. */
const REFUSALS = 2;

/** A WebRTC phone with a stack of its own; whether it holds is the one thing that it wants of its call. */
export class SimulatedPhone implements NegotiationHost {
  readonly name: string;
  readonly ends: CallEnd[] = [];
  call: OutgoingCall | undefined;
  isEstablished = false;
  hasHungUp = false;
  hasResigned = false;
  /** What it wants, and what both sides agreed on. */
  wantsHold = false;
  isHolding = false;
  /** The server's description that holds. */
  remote = '';
  reinvites = 0;
  readonly #clock: FakeClock;
  readonly #random: SeededRandom;
  readonly #sdp = new WebRtcPeerSdp(true);
  readonly #negotiation: Negotiation;
  #refusals = 0;

  constructor(name: string, clock: FakeClock, random: SeededRandom) {
    this.name = name;
    this.#clock = clock;
    this.#random = random;
    this.#negotiation = new Negotiation(this, { clock, logger: silentLogger, settings: WINDOW });
  }

  get isAlive(): boolean {
    return this.isEstablished && this.ends.length === 0;
  }

  get isWanted(): boolean {
    return this.isAlive && this.wantsHold !== this.isHolding;
  }

  dial(from: SipStack, to: SipStack): void {
    const call = from.dial(to, { offer: parsed(this.#sdp.offer()) });
    this.call = call;
    call.events.on('established', (answer) => {
      this.isEstablished = true;
      if (answer !== undefined) this.remote = writeSdp(answer);
      this.#negotiation.changed();
    });
    call.events.on('ended', (end) => {
      this.ends.push(end);
      this.#negotiation.close();
    });
    call.handleReoffers((offer) => this.#answer(offer));
  }

  hold(held: boolean): void {
    this.wantsHold = held;
    this.#negotiation.changed();
  }

  hangUp(): void {
    this.hasHungUp = true;
    this.call?.hangUp();
  }

  async exchange(): Promise<ExchangeResult> {
    let held = false;
    const result = await this.call!.reoffer(() => {
      held = this.wantsHold;

      return parsed(this.#sdp.reoffer(this.remote, held));
    });
    if ('status' in result) return result;
    this.remote = writeSdp(result.answer);
    this.isHolding = held;

    return 'accepted';
  }

  count(): void {
    // What the phone counts is nobody's business.
  }

  resigned(): void {
    this.hasResigned = true;
  }

  /** The streams that its call carries to it, by their labels. */
  carried(): string[] {
    return parsed(this.remote)
      .media.filter(({ port }) => port !== 0)
      .flatMap(({ attributes }) => attributes.find(({ name }) => name === 'label')?.value ?? [])
      .sort();
  }

  #answer(offer: SdpSession | undefined): ReofferAnswer | Promise<ReofferAnswer> {
    if (offer === undefined) return { status: 488 };
    if (this.#refusals < REFUSALS && this.#random.chance(0.1)) {
      this.#refusals += 1;

      return { status: this.#random.pick([488, 500, 491]) };
    }
    const answer = (): ReofferAnswer => {
      const text = writeSdp(offer);
      this.remote = text;
      this.#refusals = 0;
      this.reinvites += 1;

      return { sdp: parsed(this.#sdp.answer(text, { held: this.isHolding })) };
    };
    if (this.#random.chance(0.5)) return answer();

    return new Promise((resolve) => {
      this.#clock.setTimer(this.#random.between(0, 400), () => {
        resolve(answer());
      });
    });
  }
}

function parsed(text: string): SdpSession {
  const session = parseSdp(text);
  if (session instanceof SdpError) throw session;

  return session;
}
