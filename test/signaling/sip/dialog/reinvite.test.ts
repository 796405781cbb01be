import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CallEnd, ReofferAnswer, ReofferResult } from '../../../../signaling/sip/ua/index.ts';
import type { SdpSession } from '../../../../signaling/sdp/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { sdp, sdpText, SipStack, SipWire } from '../../../support/sip-wire.ts';

const SERVER = { address: '10.0.0.1', port: 5060 };
const PHONE = { address: '10.0.0.2', port: 5070 };

let clock: FakeClock;
let wire: SipWire;
let server: SipStack;
let phone: ScriptedPeer;
let ends: CallEnd[];
let offers: (SdpSession | undefined)[];
let answerNext: (answer: ReofferAnswer) => void;

beforeEach(() => {
  clock = new FakeClock();
  wire = new SipWire(clock);
  ends = [];
  offers = [];
  server = new SipStack(wire, SERVER, {
    random: () => 0.5,
    handler: { incomingCall: (call) => void call.events.on('ended', (end) => ends.push(end)) },
  });
  phone = new ScriptedPeer(wire, PHONE, SERVER);
});

function establish({ ack = true, offer = true } = {}): string {
  phone.request('INVITE', offer ? { body: sdpText() } : {});
  clock.advance(10);
  server.call.handleReoffers((description) => {
    offers.push(description);

    return { sdp: sdp({ port: 6002 }) };
  });
  server.call.accept(sdp({ port: 6000 }));
  clock.advance(10);
  if (ack) phone.ack(phone.response('INVITE'), offer ? undefined : sdpText());
  clock.advance(10);

  return phone.response('INVITE').toTag!;
}

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
    const toTag = establish();
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
    const toTag = establish();
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
    const toTag = establish();
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
    const toTag = establish();
    phone.request('INVITE', { toTag, body: sdpText(), contact: '<sip:moved@10.0.0.2:5070>' });
    clock.advance(10);
    phone.ack(phone.response('INVITE'));
    server.call.hangUp();
    clock.advance(10);
    expect(phone.requestOf('BYE').uri.text).toBe('sip:moved@10.0.0.2:5070');
  });

  it('with a malformed description gets 400 and the call goes on', () => {
    const toTag = establish();
    phone.request('INVITE', { toTag, body: 'v=0\r\n' });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(400);
    expect(ends).toEqual([]);
  });

  it('3261-14.2-a while the last one is unanswered gets 500 and Retry-After of 0 to 10', async () => {
    const toTag = establish();
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
    const toTag = establish({ ack: false });
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
    const toTag = establish({ ack: false, offer: false });
    phone.request('INVITE', { toTag, body: sdpText() });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(491);
  });

  it('3261-15.1.2-a is answered with 487 when a BYE overtakes its answer', async () => {
    const toTag = establish();
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
    const toTag = establish();
    phone.request('INVITE', { toTag, body: sdpText() });
    clock.advance(32_100);
    expect(phone.labels()).toContain('BYE');
    expect(ends).toMatchObject([{ cause: 'no-ack' }]);
  });

  it('whose handler throws gets 500 and the call goes on', () => {
    const toTag = establish();
    server.call.handleReoffers(() => {
      throw new Error('broken');
    });
    phone.request('INVITE', { toTag, body: sdpText() });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(500);
    expect(ends).toEqual([]);
  });
});

describe('a re-INVITE of ours', () => {
  function reoffer(): { result: ReofferResult | undefined } {
    const box: { result: ReofferResult | undefined } = { result: undefined };
    void server.call
      .reoffer(() => sdp({ port: 6100 }))
      .then((result) => {
        box.result = result;
      });

    return box;
  }

  it('brings the answer, and every 2xx its ACK', async () => {
    establish();
    const box = reoffer();
    await clock.advanceAsync(10);
    const invite = phone.requestOf('INVITE');
    expect(invite.bodyText).toContain('m=audio 6100');
    expect(invite.cseq.sequence).toBe(1);
    phone.respond(invite, 200, sdpText({ port: 4500 }));
    await clock.advanceAsync(10);
    phone.respond(invite, 200, sdpText({ port: 4500 }));
    await clock.advanceAsync(10);
    expect(box.result).toMatchObject({ answer: { media: [{ port: 4500 }] } });
    const acks = phone.received.filter(
      ({ kind, cseq }) => kind === 'request' && cseq.method === 'ACK',
    );
    expect(acks.map(({ cseq }) => cseq.sequence)).toEqual([1, 1]);
  });

  it('3261-14.2-a while it is open, theirs gets 491', async () => {
    const toTag = establish();
    reoffer();
    await clock.advanceAsync(10);
    phone.request('INVITE', { toTag, body: sdpText() });
    await clock.advanceAsync(10);
    expect(phone.response('INVITE').status).toBe(491);
  });

  it('3261-14.1-a is tried again after 491, within 0 to 2 s as theirs is the Call-ID', async () => {
    establish();
    const box = reoffer();
    await clock.advanceAsync(10);
    phone.respond(phone.requestOf('INVITE'), 491);
    await clock.advanceAsync(990);
    expect(phone.requestOf('INVITE').cseq.sequence).toBe(1);
    await clock.advanceAsync(100);
    expect(phone.requestOf('INVITE').cseq.sequence).toBe(2);
    phone.respond(phone.requestOf('INVITE'), 200, sdpText());
    await clock.advanceAsync(10);
    expect(box.result).toHaveProperty('answer');
  });

  it('3261-14.1-b refused with 488 leaves the call as it was', async () => {
    establish();
    const box = reoffer();
    await clock.advanceAsync(10);
    phone.respond(phone.requestOf('INVITE'), 488);
    await clock.advanceAsync(10);
    expect(box.result).toEqual({ status: 488 });
    expect(ends).toEqual([]);
  });

  it('3261-12.2.1.2-a answered with 481 ends the dialog', async () => {
    establish();
    reoffer();
    await clock.advanceAsync(10);
    phone.respond(phone.requestOf('INVITE'), 481);
    await clock.advanceAsync(10);
    expect(ends).toMatchObject([{ by: 'remote', cause: 'lost' }]);
    expect(server.userAgent.callCount).toBe(0);
  });

  it('5407-3.2.3 its 200 is acknowledged even after our BYE', async () => {
    establish();
    const box = reoffer();
    await clock.advanceAsync(10);
    const invite = phone.requestOf('INVITE');
    server.call.hangUp();
    phone.respond(invite, 200, sdpText());
    await clock.advanceAsync(10);
    expect(phone.requestOf('ACK').cseq.sequence).toBe(invite.cseq.sequence);
    expect(box.result).toEqual({ status: 487 });
  });

  it('is not possible on a call that is over', async () => {
    const toTag = establish();
    phone.request('BYE', { toTag });
    await clock.advanceAsync(10);
    const box = reoffer();
    await clock.advanceAsync(10);
    expect(box.result).toEqual({ status: 481 });
  });
});
