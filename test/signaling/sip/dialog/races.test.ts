import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CallEnd, ReofferAnswer } from '../../../../signaling/sip/ua/index.ts';
import { buildResponse, type SipRequest } from '../../../../signaling/sip/message/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { sdp, sdpText, SipStack, SipWire } from '../../../support/sip-wire.ts';

let clock: FakeClock;
let server: SipStack;
let phone: ScriptedPeer;
let ends: CallEnd[];
let invite: SipRequest;

beforeEach(() => {
  clock = new FakeClock();
  const wire = new SipWire(clock);
  const at = { address: '10.0.0.1', port: 5060 };
  ends = [];
  server = new SipStack(wire, at, {
    random: () => 0.5,
    handler: { incomingCall: (call) => void call.events.on('ended', (end) => ends.push(end)) },
  });
  phone = new ScriptedPeer(wire, { address: '10.0.0.2', port: 5070 }, at);
});

/** Answered; acknowledged unless told otherwise. */
function establish({ ack = true } = {}): string {
  invite = phone.request('INVITE', { body: sdpText() });
  clock.advance(10);
  server.call.accept(sdp({ port: 6000 }));
  clock.advance(10);
  if (ack) phone.ack(phone.response('INVITE'));
  clock.advance(10);

  return phone.response('INVITE').toTag!;
}

function statuses(method: string): number[] {
  return phone.received.flatMap((message) =>
    message.kind === 'response' && message.method === method ? [message.status] : [],
  );
}

describe('messages that cross', () => {
  it('5407-3.1.1 an INVITE that comes again after its 200 is absorbed', () => {
    establish({ ack: false });
    phone.send(invite);
    clock.advance(100);
    expect(server.calls).toHaveLength(1);
    expect(statuses('INVITE')).toEqual([200]);
  });

  it('5407-3.1.2 a CANCEL after the 200 gets 200 and changes nothing', () => {
    establish();
    phone.companion('CANCEL', invite);
    clock.advance(10);
    expect(statuses('CANCEL')).toEqual([200]);
    expect(statuses('INVITE')).toEqual([200]);
    expect(ends).toEqual([]);
  });

  it('5407-3.1.6 a BYE before the ACK gets 200, and the ACK that follows is swallowed', () => {
    const toTag = establish({ ack: false });
    const ok = phone.response('INVITE');
    phone.request('BYE', { toTag });
    clock.advance(10);
    phone.ack(ok);
    clock.advance(40_000);
    expect(statuses('BYE')).toEqual([200]);
    expect(statuses('INVITE')).toEqual([200]);
    expect(ends).toMatchObject([{ by: 'remote', cause: 'bye' }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('5407-3.3.3 a request that crosses our BYE gets 481', () => {
    const toTag = establish();
    server.call.hangUp();
    phone.request('REFER', { toTag, headers: [['Refer-To', '<sip:bob@10.0.0.9>']] });
    phone.request('INFO', { toTag });
    phone.request('UPDATE', { toTag, body: sdpText() });
    phone.request('OPTIONS', { toTag });
    clock.advance(10);
    const methods = ['REFER', 'INFO', 'UPDATE', 'OPTIONS'];
    expect(methods.map((method) => phone.response(method).status)).toEqual([481, 481, 481, 481]);
    expect(ends).toMatchObject([{ by: 'local', cause: 'bye' }]);
  });

  it('6141-3.3-a a CANCEL of a re-INVITE whose change is under way leaves its 200', async () => {
    const toTag = establish();
    let finish: (answer: ReofferAnswer) => void = () => undefined;
    server.call.handleReoffers(() => new Promise((resolve) => (finish = resolve)));
    const reinvite = phone.request('INVITE', { toTag, body: sdpText({ version: 2 }) });
    clock.advance(10);
    phone.companion('CANCEL', reinvite, toTag);
    clock.advance(10);
    expect(statuses('CANCEL')).toEqual([200]);
    finish({ sdp: sdp({ port: 6002 }) });
    await clock.advanceAsync(10);
    expect(statuses('INVITE')).toEqual([200, 200]);
    expect(ends).toEqual([]);
  });

  it('3261-14.1-a a re-INVITE of ours that is answered with 500 comes again when Retry-After says', async () => {
    establish();
    void server.call.reoffer(() => sdp({ port: 6100 }));
    await clock.advanceAsync(10);
    const first = phone.requestOf('INVITE');
    phone.send(buildResponse(first, 500, { headers: [['Retry-After', '3']] }));
    await clock.advanceAsync(2900);
    expect(phone.requestOf('INVITE').cseq.sequence).toBe(1);
    await clock.advanceAsync(200);
    expect(phone.requestOf('INVITE').cseq.sequence).toBe(2);
  });

  it('a re-INVITE of ours that rings for ever does not outlive its call', async () => {
    establish();
    void server.call.reoffer(() => sdp({ port: 6100 }));
    await clock.advanceAsync(10);
    phone.respond(phone.requestOf('INVITE'), 180);
    await clock.advanceAsync(10);
    server.call.hangUp();
    await clock.advanceAsync(10);
    expect(phone.labels()).toContain('CANCEL');
    await clock.advanceAsync(100_000);
    expect(server.transactions.counts().total).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});
