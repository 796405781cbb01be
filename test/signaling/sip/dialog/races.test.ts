import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CallEnd, ReofferAnswer } from '../../../../signaling/sip/ua/index.ts';
import { buildResponse } from '../../../../signaling/sip/message/index.ts';
import type { FakeClock } from '../../../support/fake-clock.ts';
import type { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { sdp, sdpText, type SipStack } from '../../../support/sip-wire.ts';
import { CallHarness } from './call-harness.ts';

let harness: CallHarness;
let clock: FakeClock;
let server: SipStack;
let phone: ScriptedPeer;
let ends: CallEnd[];

beforeEach(() => {
  harness = new CallHarness();
  ({ clock, server, phone, ends } = harness);
});

function statuses(method: string): number[] {
  return harness.statuses(method);
}

describe('messages that cross', () => {
  it('5407-3.1.1 an INVITE that comes again after its 200 is absorbed', () => {
    harness.establish({ ack: false });
    phone.send(phone.sent('INVITE'));
    clock.advance(100);
    expect(server.calls).toHaveLength(1);
    expect(statuses('INVITE')).toEqual([200]);
  });

  it('5407-3.1.2 a CANCEL after the 200 gets 200 and changes nothing', () => {
    harness.establish();
    phone.companion('CANCEL', phone.sent('INVITE'));
    clock.advance(10);
    expect(statuses('CANCEL')).toEqual([200]);
    expect(statuses('INVITE')).toEqual([200]);
    expect(ends).toEqual([]);
  });

  it('3261-15.1.2-a a BYE before the answer gets 200, and the INVITE 487', () => {
    harness.invite();
    server.call.progress(180);
    clock.advance(10);
    phone.request('BYE', { toTag: phone.response('INVITE').toTag });
    clock.advance(10);
    expect(phone.response('BYE').status).toBe(200);
    expect(harness.statuses('INVITE')).toEqual([180, 487]);
    expect(ends).toMatchObject([{ by: 'remote', cause: 'bye' }]);
    expect(server.call.accept(sdp())).toBe(false);
  });

  it('5407-3.1.6 a BYE before the ACK gets 200, and the ACK that follows is swallowed', () => {
    const toTag = harness.establish({ ack: false });
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
    const toTag = harness.establish();
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
    const toTag = harness.establish();
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
    harness.establish();
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
    harness.establish();
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
