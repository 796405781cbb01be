import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CallEnd, ReofferAnswer } from '../../../../signaling/sip/ua/index.ts';
import type { SdpSession } from '../../../../signaling/sdp/index.ts';
import type { FakeClock } from '../../../support/fake-clock.ts';
import type { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { sdp, sdpText, type SipStack } from '../../../support/sip-wire.ts';
import { CallHarness } from './call-harness.ts';

let harness: CallHarness;
let clock: FakeClock;
let server: SipStack;
let phone: ScriptedPeer;
let ends: CallEnd[];
let offers: (SdpSession | undefined)[];
let answerNext: (answer: ReofferAnswer) => void;

beforeEach(() => {
  harness = new CallHarness();
  ({ clock, server, phone, ends, offers } = harness);
});

/** The handler answers only when the test says so. */
function answerLater(): void {
  server.call.handleReoffers(
    () =>
      new Promise((resolve) => {
        answerNext = resolve;
      }),
  );
}

describe('a re-INVITE of theirs', () => {
  it('3264-8.4-a holds and resumes: the handler sees the offer, the 200 its answer', () => {
    const toTag = harness.establish();
    phone.request('INVITE', { toTag, body: sdpText({ direction: 'sendonly', version: 2 }) });
    clock.advance(10);
    expect(offers.at(-1)?.media[0]?.direction).toBe('sendonly');
    expect(phone.response('INVITE').status).toBe(200);
    expect(phone.response('INVITE').bodyText).toContain('m=audio 6002');
    phone.ack(phone.response('INVITE'));
    phone.request('INVITE', { toTag, body: sdpText({ version: 3 }) });
    clock.advance(10);
    expect(offers.at(-1)?.media[0]?.direction).toBe('sendrecv');
    phone.ack(phone.response('INVITE'));
    clock.advance(100_000);
    expect(ends).toEqual([]);
    expect(phone.labels().filter((label) => label === '200 INVITE')).toHaveLength(3);
  });

  it('without SDP gets our offer, and the ACK brings the answer', () => {
    const toTag = harness.establish();
    const answers: number[] = [];
    server.call.events.on('answered', (answer) => answers.push(answer.media[0]!.port));
    phone.request('INVITE', { toTag });
    clock.advance(10);
    expect(offers).toEqual([undefined]);
    expect(phone.response('INVITE').bodyText).toContain('m=audio 6002');
    phone.ack(phone.response('INVITE'), sdpText({ port: 4400 }));
    clock.advance(10);
    expect(answers).toEqual([4400]);
  });

  it('3261-14.1-b refused leaves the session and the remote target as before', () => {
    const toTag = harness.establish();
    server.call.handleReoffers(() => ({ status: 488 }));
    phone.request('INVITE', { toTag, body: sdpText(), contact: '<sip:else@10.0.0.3:9>' });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(488);
    server.call.hangUp();
    clock.advance(10);
    // 6141-4.6-a: the remote target changes only on a 2xx.
    expect(phone.requestOf('BYE').uri.text).toBe('sip:peer@10.0.0.2:5070');
  });

  it('12.2.2 a successful one refreshes the remote target', () => {
    const toTag = harness.establish();
    phone.request('INVITE', { toTag, body: sdpText(), contact: '<sip:moved@10.0.0.2:5070>' });
    clock.advance(10);
    phone.ack(phone.response('INVITE'));
    server.call.hangUp();
    clock.advance(10);
    expect(phone.requestOf('BYE').uri.text).toBe('sip:moved@10.0.0.2:5070');
  });

  it('with a malformed description gets 400 and the call goes on', () => {
    const toTag = harness.establish();
    phone.request('INVITE', { toTag, body: 'v=0\r\n' });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(400);
    expect(ends).toEqual([]);
  });

  it('3261-14.2-a while the last one is unanswered gets 500 and Retry-After of 0 to 10', async () => {
    const toTag = harness.establish();
    answerLater();
    phone.request('INVITE', { toTag, body: sdpText() });
    clock.advance(10);
    phone.request('INVITE', { toTag, body: sdpText() });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(500);
    expect(phone.response('INVITE').headers.get('Retry-After')).toBe('5');
    answerNext({ sdp: sdp() });
    await clock.advanceAsync(10);
    expect(phone.response('INVITE').status).toBe(200);
  });

  it.each([
    [0, '0'],
    [0.9999, '10'],
  ])('3261-14.2-a Retry-After is at least 0 and at most 10 (%f drawn)', (drawn, value) => {
    harness = new CallHarness({ random: () => drawn });
    ({ clock, server, phone } = harness);
    const toTag = harness.establish();
    answerLater();
    phone.request('INVITE', { toTag, body: sdpText() });
    phone.request('INVITE', { toTag, body: sdpText() });
    clock.advance(10);
    expect(phone.response('INVITE').headers.get('Retry-After')).toBe(value);
  });

  it('3261-14.2-a while the first INVITE is unanswered gets 500', () => {
    phone.request('INVITE');
    clock.advance(10);
    server.call.progress(180);
    clock.advance(10);
    phone.request('INVITE', { toTag: phone.response('INVITE').toTag });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(500);
  });

  it('5407-3.1.4 before the ACK of an offer that came in the INVITE: 200, late ACK accepted', () => {
    const toTag = harness.establish({ ack: false });
    const first = phone.response('INVITE');
    phone.request('INVITE', { toTag, body: sdpText() });
    clock.advance(10);
    const second = phone.response('INVITE');
    expect(second.status).toBe(200);
    expect(second.cseq.sequence).toBe(2);
    phone.ack(second);
    phone.ack(first);
    clock.advance(100_000);
    expect(ends).toEqual([]);
  });

  it('5407-3.1.5 before the ACK of our own offer: 491', () => {
    const toTag = harness.establish({ ack: false, offer: false });
    phone.request('INVITE', { toTag, body: sdpText() });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(491);
  });

  it('3261-15.1.2-a is answered with 487 when a BYE overtakes its answer', async () => {
    const toTag = harness.establish();
    answerLater();
    phone.request('INVITE', { toTag, body: sdpText() });
    clock.advance(10);
    phone.request('BYE', { toTag });
    clock.advance(10);
    expect(phone.response('BYE').status).toBe(200);
    expect(phone.response('INVITE').status).toBe(487);
    answerNext({ sdp: sdp() });
    await clock.advanceAsync(10);
    expect(phone.response('INVITE').status).toBe(487);
  });

  it('whose 200 is never acknowledged ends the call with BYE', () => {
    const toTag = harness.establish();
    phone.request('INVITE', { toTag, body: sdpText() });
    clock.advance(32_100);
    expect(phone.labels()).toContain('BYE');
    expect(ends).toMatchObject([{ cause: 'no-ack' }]);
  });

  it('whose handler throws gets 500 and the call goes on', () => {
    const toTag = harness.establish();
    server.call.handleReoffers(() => {
      throw new Error('broken');
    });
    phone.request('INVITE', { toTag, body: sdpText() });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(500);
    expect(ends).toEqual([]);
  });
});
