import type { CallEnd, IncomingCall, OutgoingCall } from '../../../../signaling/sip/ua/index.ts';
import { parseSdp, SdpError, type SdpSession } from '../../../../signaling/sdp/index.ts';
import type { FakeClock } from '../../../support/fake-clock.ts';
import { sdpText } from '../../../support/sip-wire.ts';
import type { SeededRandom } from './random.ts';

/** What a phone knows of its call: descriptions by the version of their `o=`. */
export class SimulatedSide {
  readonly name: string;
  readonly ends: CallEnd[] = [];
  call: IncomingCall | OutgoingCall | undefined;
  /** The versions that both sides agreed to, as this one sees it. */
  agreed: { local: string; remote: string } | undefined;
  isEstablished = false;
  hasHungUp = false;
  readonly #clock: FakeClock;
  readonly #random: SeededRandom;
  #version: number;

  constructor(name: string, clock: FakeClock, random: SeededRandom, firstVersion: number) {
    this.name = name;
    this.#clock = clock;
    this.#random = random;
    this.#version = firstVersion;
  }

  get isAlive(): boolean {
    return this.isEstablished && this.ends.length === 0;
  }

  describe(direction = 'sendrecv'): SdpSession {
    this.#version += 1;
    const session = parseSdp(sdpText({ version: this.#version, direction }));
    if (session instanceof SdpError) throw session;

    return session;
  }

  agree(local: SdpSession, remote: SdpSession): void {
    this.agreed = { local: local.origin.version, remote: remote.origin.version };
  }

  watch(call: IncomingCall | OutgoingCall): void {
    this.call = call;
    call.events.on('ended', (end) => this.ends.push(end));
    call.events.on('established', () => (this.isEstablished = true));
    let pending: SdpSession | undefined;
    call.events.on('answered', (answer) => {
      if (pending !== undefined) this.agree(pending, answer);
    });
    call.handleReoffers((offer) => {
      const local = this.describe();
      if (offer === undefined) pending = local;
      const answer = (): { sdp: SdpSession } => {
        if (offer !== undefined) this.agree(local, offer);

        return { sdp: local };
      };
      if (this.#random.chance(0.1)) return { status: 488 };
      if (this.#random.chance(0.5)) return answer();

      return new Promise((resolve) => {
        this.#clock.setTimer(this.#random.between(0, 400), () => {
          resolve(answer());
        });
      });
    });
  }

  hangUp(): void {
    this.hasHungUp = true;
    this.call?.hangUp();
  }

  /** Hold or resume, by re-INVITE or UPDATE. */
  async change(): Promise<void> {
    const direction = this.#random.pick(['sendonly', 'inactive', 'sendrecv']);
    const method = this.#random.pick(['INVITE', 'UPDATE'] as const);
    let offered: SdpSession | undefined;
    const result = await this.call?.reoffer(() => (offered = this.describe(direction)), method);
    if (result !== undefined && 'answer' in result) this.agree(offered!, result.answer);
  }
}
