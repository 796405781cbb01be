import { silentLogger, type ParticipantId, type RoomNumber } from '../../../../base/index.ts';
import { DialOut } from '../../../../server/dial-out.ts';
import type { CallOriginator, OriginateRequest } from '../../../../server/ports.ts';
import { DigestClient, type ClientCredentials } from '../../../../signaling/sip/auth/index.ts';
import { createAccountServices } from '../../../../signaling/sip/gateway-accounts.ts';
import { PhoneDialer } from '../../../../signaling/sip/gateway-dialer.ts';
import { ReceptionDesk } from '../../../../signaling/sip/gateway-reception.ts';
import { SipGateway } from '../../../../signaling/sip/gateway.ts';
import { Focus, KeySender, MemberCalls } from '../../../../signaling/sip/focus/index.ts';
import type { SipRequest } from '../../../../signaling/sip/message/index.ts';
import { ScriptedPeer, type PeerRequest } from '../../../support/scripted-peer.ts';
import { sdpText, SipStack, SipWire } from '../../../support/sip-wire.ts';
import { Books } from '../../../server/account-harness.ts';
import { Conference, RecordingSink } from '../../../server/room-harness.ts';

export const US = { address: '10.0.0.1', port: 5060 };
export const ROOM = '1000' as RoomNumber;

export interface HarnessOptions {
  /** False: what is to be called is only written down, in `dialled`. */
  readonly reallyDials?: boolean;
  readonly guests?: boolean;
  readonly autoCreate?: boolean;
}

/** Rooms, and the SIP side of them, over a network in memory; example.com is our domain. */
export class FocusHarness {
  readonly conference: Conference;
  readonly books: Books;
  readonly wire: SipWire;
  readonly stack: SipStack;
  readonly calls: MemberCalls;
  readonly keys: KeySender;
  readonly dialOut: DialOut;
  readonly focus: Focus;
  readonly dialled: OriginateRequest[] = [];
  readonly dialOutcomes: string[] = [];

  constructor({ reallyDials = false, guests = true, autoCreate = true }: HarnessOptions = {}) {
    this.conference = new Conference({ autoCreate });
    this.calls = new MemberCalls(this.conference.clock);
    const { clock, rooms } = this.conference;
    this.wire = new SipWire(clock);
    this.books = new Books(clock);
    const { accounts, trunks } = this.books;
    const common = { clock, logger: silentLogger, domain: 'example.com' };
    const counters = {
      callSetup: () => undefined,
      reinvite: () => undefined,
      authentication: () => undefined,
    };
    const services = createAccountServices({
      ...common,
      accounts,
      trunks,
      guests,
      counters,
      digestAlgorithms: ['MD5'],
      hosts: [US.address],
      publicAddress: US.address,
      product: 'Parley/test',
    });
    const phones = { ...common, rooms, calls: this.calls, counters, publicAddress: US.address };
    const { admission } = services;
    const { voice } = this.conference;
    const desk = new ReceptionDesk({ rooms, voice, clock, logger: silentLogger });
    const gateway = new SipGateway({ ...phones, desk, factory: 'conference', admission });
    this.stack = new SipStack(this.wire, US, { handler: gateway });
    const { userAgent } = this.stack;
    this.keys = new KeySender({ ...common, calls: this.calls });
    const dialer = new PhoneDialer(
      { ...phones, ...services, ...this.books, keys: this.keys, port: 5060 },
      userAgent,
    );
    this.dialOut = new DialOut({
      ...common,
      originator: reallyDials ? dialer : this.#recorder(dialer),
      trunks,
      limits: { perRoom: 10, perAccount: 5, trunkPerRoomAndHour: 5 },
      onOutcome: (kind, outcome) => this.dialOutcomes.push(`${kind} ${outcome}`),
    });
    this.focus = new Focus({
      ...common,
      rooms,
      calls: this.calls,
      userAgent,
      sender: this.stack.transactions,
      gatekeeper: admission,
      dialOut: this.dialOut,
      authority: US.address,
      product: 'Parley/test',
    });
  }

  #recorder(dialer: CallOriginator): CallOriginator {
    return {
      resolve: (...what) => dialer.resolve(...what),
      call: (request) => {
        this.dialled.push(request);

        return Promise.resolve({
          participantId: `p${String(this.dialled.length)}` as ParticipantId,
        });
      },
    };
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
  readonly #sent = new Map<string, SipRequest>();

  constructor(harness: FocusHarness, host: string) {
    this.#harness = harness;
    this.peer = new ScriptedPeer(harness.wire, { address: host, port: 5060 }, US);
  }

  get toTag(): string | undefined {
    return this.#toTag;
  }

  async dial(parts: PeerRequest = {}): Promise<void> {
    const headers: [string, string][] = [['Allow', 'INVITE, ACK, BYE, CANCEL, MESSAGE, NOTIFY']];
    if ((await this.send('INVITE', { headers, body: sdpText(), ...parts })) !== 200) return;
    const answer = this.peer.response('INVITE');
    this.#toTag = answer.toTag;
    this.peer.ack(answer);
    await this.#harness.run();
  }

  /** In the call. */
  async inCall(method: string, parts: PeerRequest = {}): Promise<number> {
    return this.send(method, { toTag: this.#toTag, ...parts });
  }

  /** The answer to the challenge in the last response. */
  credentials(method: string, who: ClientCredentials): [string, string][] {
    const client = new DigestClient(who);
    const request = this.#sent.get(method)!.clone();
    request.headers.delete('Authorization');
    client.challenged(request, this.peer.response(method));

    return client.headersFor(request);
  }

  async send(method: string, parts: PeerRequest = {}): Promise<number> {
    const request = this.peer.request(method, parts);
    this.#sent.set(method, request);
    await this.#harness.run();
    const { status, toTag } = this.peer.response(method);
    if (method === 'INVITE' && status >= 300) this.peer.companion('ACK', request, toTag);

    return status;
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
