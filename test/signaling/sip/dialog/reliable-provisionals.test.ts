import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CallEnd, OutgoingCall } from '../../../../signaling/sip/ua/index.ts';
import { buildResponse, type SipResponse } from '../../../../signaling/sip/message/index.ts';
import type { SdpSession } from '../../../../signaling/sdp/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { nameAddr, sdp, sdpText, SipStack, SipWire } from '../../../support/sip-wire.ts';

const SERVER = { address: '10.0.0.1', port: 5060 };
const REQUIRE: [string, string][] = [['Require', '100rel']];
const SUPPORTED: [string, string][] = [['Supported', '100rel']];

let clock: FakeClock;
let server: SipStack;
let phone: ScriptedPeer;
let ends: CallEnd[];

beforeEach(() => {
  clock = new FakeClock();
  const wire = new SipWire(clock);
  ends = [];
  server = new SipStack(wire, SERVER, {
    random: () => 0.5,
    handler: { incomingCall: (call) => void call.events.on('ended', (end) => ends.push(end)) },
  });
  phone = new ScriptedPeer(wire, { address: '10.0.0.2', port: 5070 }, SERVER);
});

function rseq(): number {
  return Number(phone.response('INVITE').headers.get('RSeq'));
}

function prack(number: number, body?: string, cseq = 1): number {
  const headers: [string, string][] = [['RAck', `${String(number)} ${String(cseq)} INVITE`]];
  phone.request('PRACK', {
    toTag: phone.response('INVITE').toTag,
    headers,
    ...(body && { body }),
  });
  clock.advance(10);

  return phone.response('PRACK').status;
}

function statuses(): number[] {
  return phone.received.flatMap((message) =>
    message.kind === 'response' && message.method === 'INVITE' ? [message.status] : [],
  );
}

describe('provisional answers of ours', () => {
  function ring(headers: [string, string][], status = 180, answer?: SdpSession): void {
    phone.request('INVITE', { body: sdpText(), headers });
    clock.advance(10);
    server.call.progress(status, undefined, answer);
    clock.advance(10);
  }

  it('3262-3-a go reliably when the INVITE requires it', () => {
    ring(REQUIRE);
    expect(phone.response('INVITE').headers.list('Require')).toEqual(['100rel']);
    expect(rseq()).toBeGreaterThan(0);
    expect(rseq()).toBeLessThan(2 ** 31);
  });

  it('3262-3-a go unreliably when it does not list 100rel, and with Supported only with SDP', () => {
    ring([], 183, sdp());
    expect(phone.response('INVITE').headers.has('RSeq')).toBe(false);
    expect(phone.response('INVITE').body).toHaveLength(0);
  });

  it('3262-3-a with Supported a description goes reliably, ringing does not', () => {
    ring(SUPPORTED);
    expect(phone.response('INVITE').headers.has('RSeq')).toBe(false);
    server.call.progress(183, undefined, sdp({ port: 6004 }));
    clock.advance(10);
    expect(rseq()).toBeGreaterThan(0);
    expect(phone.response('INVITE').bodyText).toContain('m=audio 6004');
  });

  it('3262-3-b the next has RSeq + 1 and waits for the PRACK of the first', () => {
    ring(REQUIRE);
    const first = rseq();
    server.call.progress(183);
    clock.advance(10);
    expect(statuses()).toEqual([180]);
    expect(prack(first)).toBe(200);
    expect(statuses()).toEqual([180, 183]);
    expect(rseq()).toBe(first + 1);
  });

  it('3262-3-c are sent again at T1, 2 T1, 4 T1 … past T2, and give up with 5xx after 64 T1', () => {
    ring(REQUIRE);
    clock.advance(31_900);
    // 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s
    expect(statuses()).toEqual([180, 180, 180, 180, 180, 180, 180]);
    clock.advance(1000);
    expect(statuses().at(-1)).toBe(504);
    expect(ends).toHaveLength(1);
  });

  it('3262-3-c a PRACK for none gets 481, the right one 200 and silence', () => {
    ring(REQUIRE);
    const number = rseq();
    expect(prack(number + 1)).toBe(481);
    expect(prack(number, undefined, 7)).toBe(481);
    expect(prack(number)).toBe(200);
    expect(prack(number)).toBe(481);
    clock.advance(20_000);
    expect(statuses()).toEqual([180]);
  });

  it('3262-3-d the 200 waits for the PRACK', () => {
    ring(REQUIRE, 183, sdp({ port: 6004 }));
    expect(server.call.accept(sdp({ port: 6004 }))).toBe(true);
    clock.advance(10);
    expect(statuses()).toEqual([183]);
    prack(rseq());
    expect(statuses()).toEqual([183, 200]);
    // Both descriptions went already (RFC 3261 13.2.1).
    expect(phone.response('INVITE').body).toHaveLength(0);
    phone.ack(phone.response('INVITE'));
    clock.advance(40_000);
    expect(ends).toEqual([]);
  });

  it('3262-5-a an offer of ours in a 183 is answered in the PRACK', () => {
    const answers: number[] = [];
    phone.request('INVITE', { headers: REQUIRE });
    clock.advance(10);
    server.call.events.on('answered', (answer) => answers.push(answer.media[0]!.port));
    server.call.progress(183, undefined, sdp({ port: 6004 }));
    server.call.accept(sdp({ port: 6004 }));
    clock.advance(10);
    expect(prack(rseq(), sdpText({ port: 4444 }))).toBe(200);
    expect(answers).toEqual([4444]);
    expect(phone.response('INVITE').status).toBe(200);
  });

  it('3262-5-a an offer of theirs in a PRACK is answered in its 200', () => {
    ring(REQUIRE, 183, sdp({ port: 6004 }));
    server.call.handleReoffers(() => ({ sdp: sdp({ port: 6006 }) }));
    expect(prack(rseq(), sdpText({ port: 4444, version: 2 }))).toBe(200);
    expect(phone.response('PRACK').bodyText).toContain('m=audio 6006');
  });

  it('3311-5.2-a once both have described themselves an UPDATE with an offer is taken', () => {
    ring(REQUIRE, 183, sdp({ port: 6004 }));
    prack(rseq());
    server.call.handleReoffers(() => ({ sdp: sdp({ port: 6006 }) }));
    const { toTag } = phone.response('INVITE');
    phone.request('UPDATE', { toTag, body: sdpText({ version: 2 }) });
    clock.advance(10);
    expect(phone.response('UPDATE').status).toBe(200);
    expect(phone.response('UPDATE').bodyText).toContain('m=audio 6006');
  });

  it('a CANCEL before the PRACK ends the call and the retransmissions', () => {
    const invite = phone.request('INVITE', { body: sdpText(), headers: REQUIRE });
    clock.advance(10);
    server.call.progress(180);
    server.call.accept(sdp());
    clock.advance(10);
    phone.companion('CANCEL', invite);
    clock.advance(10);
    expect(statuses()).toEqual([180, 487]);
    phone.companion('ACK', invite, phone.response('INVITE').toTag);
    clock.advance(60_000);
    expect(statuses()).toEqual([180, 487]);
    expect(clock.pendingTimers).toBe(0);
  });
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
