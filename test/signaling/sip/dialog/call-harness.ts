import type { CallEnd, OutgoingCall } from '../../../../signaling/sip/ua/index.ts';
import type { SdpSession } from '../../../../signaling/sdp/index.ts';
import type { ExtraHeaders } from '../../../../signaling/sip/message/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ScriptedPeer } from '../../../support/scripted-peer.ts';
import {
  nameAddr,
  sdp,
  sdpText,
  SipStack,
  SipWire,
  type StackOptions,
} from '../../../support/sip-wire.ts';

export const SERVER = { address: '10.0.0.1', port: 5060 };
export const PHONE = { address: '10.0.0.2', port: 5070 };

interface CallParts {
  /** The phone acknowledges our 2xx. */
  readonly ack?: boolean;
  /** Its INVITE holds an offer. */
  readonly offer?: boolean;
  readonly headers?: ExtraHeaders;
}

/** Our stack, a phone that does what the test says, and the one call between them. */
export class CallHarness {
  readonly clock = new FakeClock();
  readonly wire = new SipWire(this.clock);
  readonly server: SipStack;
  readonly phone: ScriptedPeer;
  /** How the call ended. */
  readonly ends: CallEnd[] = [];
  /** What the phone's changes offered. */
  readonly offers: (SdpSession | undefined)[] = [];

  constructor(options: StackOptions = {}) {
    this.server = new SipStack(this.wire, SERVER, {
      random: () => 0.5,
      ...options,
      handler: {
        incomingCall: (call) => void call.events.on('ended', (end) => this.ends.push(end)),
      },
    });
    this.phone = new ScriptedPeer(this.wire, PHONE, SERVER);
  }

  /** The phone calls. */
  invite({ offer = true, headers = [] }: CallParts = {}): void {
    this.phone.request('INVITE', { headers, ...(offer && { body: sdpText() }) });
    this.clock.advance(10);
  }

  /** The phone calls and we answer; changes of the phone's are answered from then on. Gives our tag. */
  establish({ ack = true, offer = true, headers = [] }: CallParts = {}): string {
    const { phone, server, clock } = this;
    this.invite({ offer, headers });
    server.call.handleReoffers((description) => {
      this.offers.push(description);

      return { sdp: sdp({ port: 6002 }) };
    });
    server.call.accept(sdp({ port: 6000 }));
    clock.advance(10);
    if (ack) phone.ack(phone.response('INVITE'), offer ? undefined : sdpText());
    clock.advance(10);

    return phone.response('INVITE').toTag!;
  }

  /** We call the phone, which answers: the Call-ID is ours. */
  async dial(): Promise<OutgoingCall> {
    const { phone, server, clock } = this;
    const call = server.userAgent.call({
      to: nameAddr('<sip:peer@10.0.0.2:5070>'),
      from: nameAddr('<sip:room@10.0.0.1>'),
      offer: sdp({ port: 6000 }),
    });
    call.events.on('ended', (end) => this.ends.push(end));
    await clock.advanceAsync(10);
    phone.respond(phone.requestOf('INVITE'), 200, sdpText());
    await clock.advanceAsync(10);

    return call;
  }

  /** Of the responses to requests of this method, as they came. */
  statuses(method: string): number[] {
    return this.phone.received.flatMap((message) =>
      message.kind === 'response' && message.method === method ? [message.status] : [],
    );
  }
}
