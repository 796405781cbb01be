import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CallEnd, OutgoingCall } from '../../../../signaling/sip/ua/index.ts';
import { buildResponse, type SipResponse } from '../../../../signaling/sip/message/index.ts';
import type { SdpSession } from '../../../../signaling/sdp/index.ts';
import type { FakeClock } from '../../../support/fake-clock.ts';
import type { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { nameAddr, sdp, sdpText, type SipStack } from '../../../support/sip-wire.ts';
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

describe('provisional answers to us', () => {
  const established: (SdpSession | undefined)[] = [];
  let call: OutgoingCall;

  function dial({ delayed = false } = {}): void {
    established.length = 0;
    call = server.userAgent.call({
      to: nameAddr('<sip:peer@10.0.0.2:5070>'),
      from: nameAddr('<sip:room@10.0.0.1>'),
      offer: delayed ? undefined : sdp({ port: 5000 }),
      answerWith: () => sdp({ port: 5002 }),
    });
    call.events.on('established', (answer) => established.push(answer));
    call.events.on('ended', (end) => ends.push(end));
    clock.advance(10);
  }

  function respond(status: number, parts: { rseq?: number; body?: string; tag?: string }): void {
    const { rseq: number, body, tag = 'one' } = parts;
    const headers: [string, string][] = [];
    if (number !== undefined) headers.push(['Require', '100rel'], ['RSeq', String(number)]);
    const response: SipResponse = buildResponse(phone.requestOf('INVITE'), status, {
      toTag: tag,
      contact: `<sip:${tag}@10.0.0.2:5070>`,
      headers,
      body: body === undefined ? undefined : { type: 'application/sdp', content: body },
    });
    phone.send(response);
    clock.advance(10);
  }

  function pracks(): string[] {
    return phone.received.flatMap((message) =>
      message.kind === 'request' && message.method === 'PRACK'
        ? [message.headers.get('RAck')!]
        : [],
    );
  }

  it('3262-4 a reliable one gets its PRACK in the early dialog, once; out of order none', () => {
    dial();
    expect(phone.requestOf('INVITE').headers.list('Supported')).toContain('100rel');
    respond(180, { rseq: 7 });
    const prackRequest = phone.requestOf('PRACK');
    expect(prackRequest.toTag).toBe('one');
    expect(prackRequest.uri.text).toBe('sip:one@10.0.0.2:5070');
    expect(prackRequest.cseq.sequence).toBe(2);
    respond(180, { rseq: 7 });
    respond(183, { rseq: 9 });
    expect(pracks()).toEqual(['7 1 INVITE']);
    respond(183, { rseq: 8 });
    expect(pracks()).toEqual(['7 1 INVITE', '8 1 INVITE']);
  });

  it('3262-5-a the answer in a reliable 183 holds, that of the 200 means nothing', () => {
    dial();
    respond(183, { rseq: 1, body: sdpText({ port: 4001 }) });
    respond(200, { body: sdpText({ port: 4999 }) });
    expect(established[0]?.media[0]?.port).toBe(4001);
    expect(phone.requestOf('ACK').body).toHaveLength(0);
    call.hangUp();
    clock.advance(10);
    expect(phone.requestOf('BYE').cseq.sequence).toBe(3);
  });

  it('3262-5-a an offer in a reliable 183 is answered in the PRACK', () => {
    dial({ delayed: true });
    respond(183, { rseq: 1, body: sdpText() });
    expect(phone.requestOf('PRACK').bodyText).toContain('m=audio 5002');
  });

  it('3261-13.2.2.4-a forks: the first 200 wins, a second one is acknowledged and ended', () => {
    dial();
    respond(183, { rseq: 1, body: sdpText({ port: 4001 }), tag: 'one' });
    respond(183, { rseq: 5, body: sdpText({ port: 4002 }), tag: 'two' });
    respond(200, { tag: 'two' });
    expect(established[0]?.media[0]?.port).toBe(4002);
    respond(200, { tag: 'one' });
    expect(phone.requestOf('BYE').toTag).toBe('one');
    expect(ends).toEqual([]);
    call.hangUp();
    clock.advance(10);
    expect(phone.requestOf('BYE').toTag).toBe('two');
  });

  it('3261-12.1.1-a an unreliable one with a tag makes a dialog too, in which requests may come', () => {
    dial();
    respond(180, { tag: phone.tag });
    expect(server.userAgent.callCount).toBe(1);
    const { callId, fromTag } = phone.requestOf('INVITE');
    phone.request('UPDATE', { callId, toTag: fromTag });
    phone.request('OPTIONS', { callId, toTag: fromTag });
    phone.request('UPDATE', { callId, toTag: fromTag, body: sdpText() });
    clock.advance(10);
    // Our own offer is open (RFC 3311 5.2).
    expect(harness.statuses('UPDATE')).toEqual([200, 491]);
    expect(phone.response('OPTIONS').status).toBe(200);
    respond(200, { tag: phone.tag, body: sdpText({ port: 4001 }) });
    expect(established[0]?.media[0]?.port).toBe(4001);
    expect(server.userAgent.callCount).toBe(1);
    phone.request('BYE', { callId, toTag: fromTag });
    clock.advance(10);
    expect(phone.response('BYE').status).toBe(200);
    expect(server.userAgent.callCount).toBe(0);
  });

  it('3261-13.2.1-a the answer of an unreliable 183 holds when the 2xx has none', () => {
    dial();
    respond(183, { body: sdpText({ port: 4001 }) });
    expect(established).toEqual([]);
    respond(183, { body: sdpText({ port: 4002 }), tag: 'two' });
    respond(200, { tag: 'two' });
    expect(established[0]?.media[0]?.port).toBe(4002);
    expect(phone.labels()).not.toContain('BYE');
  });

  it('a callee of ever more dialogs opens no more than 32', () => {
    dial();
    for (let fork = 0; fork < 40; fork++) respond(180, { rseq: 1, tag: `fork-${String(fork)}` });
    expect(pracks()).toHaveLength(32);
    respond(183, { rseq: 2, tag: 'fork-0' });
    expect(pracks()).toHaveLength(33);
    respond(200, { tag: 'fork-39', body: sdpText() });
    expect(established).toHaveLength(1);
  });

  it('forks that never answer are forgotten', () => {
    dial();
    respond(183, { rseq: 1, tag: 'one' });
    phone.respond(phone.requestOf('PRACK'), 200);
    respond(200, { tag: 'two', body: sdpText() });
    clock.advance(100_000);
    expect(server.userAgent.callCount).toBe(1);
  });

  it('a refused call leaves no early dialog', () => {
    dial();
    respond(180, { rseq: 1 });
    phone.respond(phone.requestOf('PRACK'), 200);
    respond(486, {});
    clock.advance(100_000);
    expect(server.userAgent.callCount).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('an UPDATE in the early dialog reaches the call', () => {
    dial();
    call.handleReoffers(() => ({ sdp: sdp({ port: 5100 }) }));
    respond(183, { rseq: 1, body: sdpText(), tag: phone.tag });
    const { callId, fromTag } = phone.requestOf('INVITE');
    phone.request('UPDATE', { callId, toTag: fromTag, body: sdpText({ version: 2 }) });
    clock.advance(10);
    expect(phone.response('UPDATE').status).toBe(200);
    expect(phone.response('UPDATE').bodyText).toContain('m=audio 5100');
  });
});
