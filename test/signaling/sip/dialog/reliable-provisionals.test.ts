import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CallEnd } from '../../../../signaling/sip/ua/index.ts';
import type { SdpSession } from '../../../../signaling/sdp/index.ts';
import type { FakeClock } from '../../../support/fake-clock.ts';
import type { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { sdp, sdpText, type SipStack } from '../../../support/sip-wire.ts';
import { CallHarness } from './call-harness.ts';

const REQUIRE: [string, string][] = [['Require', '100rel']];
const SUPPORTED: [string, string][] = [['Supported', '100rel']];

let harness: CallHarness;
let clock: FakeClock;
let server: SipStack;
let phone: ScriptedPeer;
let ends: CallEnd[];

beforeEach(() => {
  harness = new CallHarness();
  ({ clock, server, phone, ends } = harness);
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
  return harness.statuses('INVITE');
}

describe('provisional answers of ours', () => {
  function ring(headers: [string, string][], status = 180, answer?: SdpSession): void {
    harness.invite({ headers });
    server.call.progress(status, undefined, answer);
    clock.advance(10);
  }

  it('3262-3-a go reliably when the INVITE requires it', () => {
    ring(REQUIRE);
    expect(phone.response('INVITE').headers.list('Require')).toEqual(['100rel']);
    expect(rseq()).toBeGreaterThan(0);
    expect(rseq()).toBeLessThan(2 ** 31);
  });

  it('3262-3-a the 100 never goes reliably', () => {
    harness.invite({ headers: REQUIRE });
    clock.advance(300);
    expect(statuses()).toEqual([100]);
    expect(phone.response('INVITE').headers.has('RSeq')).toBe(false);
    expect(phone.response('INVITE').headers.has('Require')).toBe(false);
  });

  it.each([0, 0.9999999999])('3262-3-b RSeq has room for all that follow (%f drawn)', (drawn) => {
    harness = new CallHarness({ random: () => drawn });
    ({ clock, server, phone } = harness);
    ring(REQUIRE);
    expect(rseq()).toBeGreaterThanOrEqual(1);
    expect(rseq()).toBeLessThan(2 ** 31 - 1000);
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
