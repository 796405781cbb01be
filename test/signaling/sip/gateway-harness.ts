import { silentLogger } from '../../../base/index.ts';
import type { RoomManager, Voice } from '../../../server/index.ts';
import { MemberCalls } from '../../../signaling/sip/focus/index.ts';
import { ReceptionDesk } from '../../../signaling/sip/gateway-reception.ts';
import { SipGateway } from '../../../signaling/sip/gateway.ts';
import type { SipRequest } from '../../../signaling/sip/message/index.ts';
import type { FakeClock } from '../../support/fake-clock.ts';
import { ScriptedPeer } from '../../support/scripted-peer.ts';
import { SipStack, SipWire } from '../../support/sip-wire.ts';

const SERVER = { address: '10.0.0.1', port: 5060 };

/** Milliseconds until a change of the room is out: the window, and its way. */
export const OUT = 270;

/** The gateway over a conference of a test, and a phone that calls it. */
export class GatewayHarness {
  readonly calls: MemberCalls;
  readonly phone: ScriptedPeer;
  /** Of re-INVITEs of both: "reason outcome". */
  readonly reinvites: string[] = [];
  readonly #clock: FakeClock;
  readonly #wire: SipWire;

  constructor({ clock, rooms, voice }: { clock: FakeClock; rooms: RoomManager; voice: Voice }) {
    this.#clock = clock;
    this.#wire = new SipWire(clock);
    this.calls = new MemberCalls(clock);
    const handler = new SipGateway({
      rooms,
      calls: this.calls,
      desk: new ReceptionDesk({ rooms, voice, clock, logger: silentLogger }),
      publicAddress: SERVER.address,
      clock,
      logger: silentLogger,
      counters: {
        callSetup: () => undefined,
        reinvite: (reason, outcome) => this.reinvites.push(`${reason} ${outcome}`),
      },
    });
    void new SipStack(this.#wire, SERVER, { handler, random: () => 0.5 });
    this.phone = this.peer('10.0.0.2');
  }

  peer(address: string): ScriptedPeer {
    return new ScriptedPeer(this.#wire, { address, port: 5070 }, SERVER);
  }

  /** Joining takes some promises more than one step of the clock waits for. */
  async settle(ms = 50): Promise<void> {
    for (let step = 0; step < 10; step++) await this.#clock.advanceAsync(ms / 10);
  }

  /** The phone calls, and has what it is told at first. */
  async call(body: string): Promise<void> {
    this.phone.request('INVITE', { body });
    await this.settle();
    this.phone.ack(this.phone.response('INVITE'));
    await this.settle();
  }

  /** The server's re-INVITEs to the phone, repetitions left out. */
  offers(): SipRequest[] {
    const invites = this.phone.received.filter(
      (message): message is SipRequest => message.kind === 'request' && message.method === 'INVITE',
    );

    return invites.filter(
      ({ cseq }, index) =>
        invites.findIndex((each) => each.cseq.sequence === cseq.sequence) === index,
    );
  }
}
