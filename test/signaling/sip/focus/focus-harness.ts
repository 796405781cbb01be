import { silentLogger, type RoomNumber } from '../../../../base/index.ts';
import { SipGateway } from '../../../../signaling/sip/gateway.ts';
import {
  Focus,
  MemberCalls,
  PhoneDialler,
  type DialOut,
  type DialOutRequest,
} from '../../../../signaling/sip/focus/index.ts';
import { isSipUri, type SipRequest } from '../../../../signaling/sip/message/index.ts';
import { ScriptedPeer, type PeerRequest } from '../../../support/scripted-peer.ts';
import { sdpText, SipStack, SipWire } from '../../../support/sip-wire.ts';
import { Conference, RecordingSink } from '../../../server/room-harness.ts';

export const US = { address: '10.0.0.1', port: 5060 };
export const ROOM = '1000' as RoomNumber;

/** Rooms, and the SIP side of them, over a network in memory. */
export class FocusHarness {
  readonly conference = new Conference();
  readonly wire: SipWire;
  readonly stack: SipStack;
  readonly calls = new MemberCalls();
  readonly focus: Focus;
  /** What was asked of a dial-out that does nothing by itself. */
  readonly dialled: DialOutRequest[] = [];

  constructor({ reallyDials = false }: { reallyDials?: boolean } = {}) {
    const { clock, rooms } = this.conference;
    this.wire = new SipWire(clock);
    const gateway = new SipGateway({
      rooms,
      calls: this.calls,
      factory: 'conference',
      publicAddress: US.address,
      clock,
      logger: silentLogger,
      counters: { callSetup: () => undefined, reinvite: () => undefined },
    });
    this.stack = new SipStack(this.wire, US, { handler: gateway });
    const recorded: DialOut = { dialOut: (request) => void this.dialled.push(request) };
    this.focus = new Focus({
      rooms,
      calls: this.calls,
      userAgent: this.stack.userAgent,
      sender: this.stack.transactions,
      dialOut: reallyDials
        ? new PhoneDialler({
            rooms,
            userAgent: this.stack.userAgent,
            calls: this.calls,
            publicAddress: US.address,
            logger: silentLogger,
          })
        : recorded,
      authority: US.address,
      isOurs: (uri) => isSipUri(uri) && uri.host === US.address,
      product: 'Parley/test',
      clock,
      logger: silentLogger,
    });
  }

  get clock() {
    return this.conference.clock;
  }

  /** Lets messages travel and promises settle, in turns. */
  async run(ms = 300): Promise<void> {
    for (let i = 0; i < 10; i++) {
      this.clock.advance(ms / 10);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
  }

  peer(host: string): Phone {
    return new Phone(this, host);
  }

  /** A phone in the room. */
  async phone(host: string, parts: PeerRequest = {}): Promise<Phone> {
    const phone = this.peer(host);
    await phone.dial(parts);

    return phone;
  }

  browser(name: string, sink = new RecordingSink()) {
    return this.conference
      .join(name, { room: ROOM }, sink)
      .then((member) => (member.activate(), { member, sink }));
  }
}

/** A scripted phone that can dial in and answers what it is asked. */
export class Phone {
  readonly peer: ScriptedPeer;
  readonly #harness: FocusHarness;
  #toTag: string | undefined;
  #answered = 0;

  constructor(harness: FocusHarness, host: string) {
    this.#harness = harness;
    this.peer = new ScriptedPeer(harness.wire, { address: host, port: 5060 }, US);
  }

  get toTag(): string | undefined {
    return this.#toTag;
  }

  async dial(parts: PeerRequest = {}): Promise<void> {
    this.peer.request('INVITE', {
      headers: [['Allow', 'INVITE, ACK, BYE, CANCEL, MESSAGE, NOTIFY']],
      body: sdpText(),
      ...parts,
    });
    await this.#harness.run();
    const answer = this.peer.response('INVITE');
    if (answer.status !== 200) return;
    this.#toTag = answer.toTag;
    this.peer.ack(answer);
    await this.#harness.run();
  }

  /** In the call. */
  async inCall(method: string, parts: PeerRequest = {}): Promise<number> {
    return this.send(method, { toTag: this.#toTag, ...parts });
  }

  async send(method: string, parts: PeerRequest = {}): Promise<number> {
    this.peer.request(method, parts);
    await this.#harness.run();

    return this.peer.response(method).status;
  }

  /** The requests that came since the last call, ACK aside; all are answered with 200. */
  async requests(): Promise<SipRequest[]> {
    const found: SipRequest[] = [];
    for (;;) {
      const fresh = this.peer.received.slice(this.#answered);
      if (fresh.length === 0) return found.filter((each) => each.method !== 'ACK');
      this.#answered = this.peer.received.length;
      for (const message of fresh) {
        if (message.kind !== 'request') continue;
        if (
          found.some((each) => each.via.params.get('branch') === message.via.params.get('branch'))
        )
          continue;
        found.push(message);
        if (message.method !== 'ACK') this.peer.respond(message, 200);
      }
      await this.#harness.run();
    }
  }
}
