import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CallEnd, ReofferAnswer, ReofferResult } from '../../../../signaling/sip/ua/index.ts';
import type { SdpSession } from '../../../../signaling/sdp/index.ts';
import { buildResponse, type SipHeaders } from '../../../../signaling/sip/message/index.ts';
import type { FakeClock } from '../../../support/fake-clock.ts';
import type { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { nameAddr, sdp, sdpText, type SipStack } from '../../../support/sip-wire.ts';
import { CallHarness } from './call-harness.ts';

let harness: CallHarness;
let clock: FakeClock;
let server: SipStack;
let phone: ScriptedPeer;
let ends: CallEnd[];
let offers: (SdpSession | undefined)[];

beforeEach(() => {
  harness = new CallHarness();
  ({ clock, server, phone, ends, offers } = harness);
});

function update(toTag: string | undefined, body?: string, contact?: string): number {
  phone.request('UPDATE', { toTag, ...(body && { body }), ...(contact && { contact }) });
  clock.advance(10);

  return phone.response('UPDATE').status;
}

describe('an UPDATE of theirs', () => {
  it('3311-5.2-b is answered at once with the answer and our Contact', () => {
    const toTag = harness.establish();
    expect(update(toTag, sdpText({ direction: 'sendonly', version: 2 }))).toBe(200);
    const response = phone.response('UPDATE');
    expect(offers.at(-1)?.media[0]?.direction).toBe('sendonly');
    expect(response.bodyText).toContain('m=audio 6002');
    expect(response.contact?.uri.text).toBe('sip:1234@10.0.0.1:5060');
  });

  it('3311-5.1-a is a target refresh, also without SDP', () => {
    const toTag = harness.establish();
    expect(update(toTag, undefined, '<sip:moved@10.0.0.2:5070>')).toBe(200);
    expect(phone.response('UPDATE').body).toHaveLength(0);
    expect(offers).toEqual([]);
    server.call.hangUp();
    clock.advance(10);
    expect(phone.requestOf('BYE').uri.text).toBe('sip:moved@10.0.0.2:5070');
  });

  it('3311-5.2-c refused with 488 leaves session and target; unknown dialog gets 481', () => {
    const toTag = harness.establish();
    server.call.handleReoffers(() => ({ status: 488, warning: { code: 305, text: 'no' } }));
    expect(update(toTag, sdpText(), '<sip:else@10.0.0.3:9>')).toBe(488);
    expect(phone.response('UPDATE').headers.get('Warning')).toBe('305 parley "no"');
    expect(update('unknown', sdpText())).toBe(481);
    expect(update(undefined, sdpText())).toBe(481);
    server.call.hangUp();
    clock.advance(10);
    expect(phone.requestOf('BYE').uri.text).toBe('sip:peer@10.0.0.2:5070');
  });

  it('3311-5.2-a while an offer of theirs is unanswered gets 500 with Retry-After', async () => {
    const toTag = harness.establish();
    let answer: (value: ReofferAnswer) => void = () => undefined;
    server.call.handleReoffers(() => new Promise((resolve) => (answer = resolve)));
    phone.request('UPDATE', { toTag, body: sdpText() });
    clock.advance(10);
    expect(update(toTag, sdpText())).toBe(500);
    expect(phone.response('UPDATE').headers.get('Retry-After')).toBe('5');
    // "before it has generated a final response to a previous UPDATE": one without an offer, too.
    expect(update(toTag)).toBe(500);
    expect(phone.response('UPDATE').headers.get('Retry-After')).toBe('5');
    answer({ sdp: sdp() });
    await clock.advanceAsync(10);
    expect(phone.response('UPDATE').status).toBe(200);
    expect(update(toTag)).toBe(200);
  });

  it('3311-5.2-a before the INVITE with its offer is answered gets 500', () => {
    phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    server.call.progress(180);
    clock.advance(10);
    expect(update(phone.response('INVITE').toTag, sdpText())).toBe(500);
  });

  it('3311-5.2-a while our offer is open gets 491', () => {
    const toTag = harness.establish({ ack: false, offer: false });
    expect(update(toTag, sdpText())).toBe(491);
  });

  it('5407-3.3.2 against our re-INVITE gets 491; without SDP 200, and so does ours', async () => {
    const toTag = harness.establish();
    const ours = server.call.reoffer(() => sdp({ port: 6100 }));
    clock.advance(10);
    expect(update(toTag, sdpText())).toBe(491);
    expect(update(toTag)).toBe(200);
    phone.respond(phone.requestOf('INVITE'), 200, sdpText({ port: 4700 }));
    clock.advance(10);
    expect(await ours).toMatchObject({ answer: { media: [{ port: 4700 }] } });
    expect(phone.requestOf('ACK').cseq.sequence).toBe(1);
    expect(ends).toEqual([]);
  });

  it('3261-8.2.3-a with a body that is no SDP gets 415', () => {
    const toTag = harness.establish();
    phone.request('UPDATE', { toTag, body: 'x', type: 'text/plain' });
    clock.advance(10);
    expect(phone.response('UPDATE').status).toBe(415);
    expect(phone.response('UPDATE').headers.get('Accept')).toBe('application/sdp');
  });
});

describe('an UPDATE of ours', () => {
  async function reoffer(): Promise<{ result: ReofferResult | undefined }> {
    const box: { result: ReofferResult | undefined } = { result: undefined };
    void server.call
      .reoffer(() => sdp({ port: 6100 }), 'UPDATE')
      .then((result) => {
        box.result = result;
      });
    await clock.advanceAsync(10);

    return box;
  }

  it('3311-4-a is named in Allow of our requests, provisional answers and 2xx', async () => {
    harness.invite({ headers: [['Require', '100rel']] });
    const allows = (message: { headers: SipHeaders }): void => {
      expect(message.headers.list('Allow')).toContain('UPDATE');
    };
    server.call.progress(183, undefined, sdp());
    clock.advance(10);
    const early = phone.response('INVITE');
    expect([early.status, early.headers.has('RSeq')]).toEqual([183, true]);
    allows(early);
    const headers: [string, string][] = [['RAck', `${early.headers.get('RSeq')!} 1 INVITE`]];
    phone.request('PRACK', { toTag: early.toTag, headers });
    server.call.accept(sdp());
    clock.advance(20);
    const answered = phone.response('INVITE');
    expect(answered.status).toBe(200);
    allows(answered);
    phone.ack(answered);
    clock.advance(10);
    await reoffer();
    allows(phone.requestOf('UPDATE'));
    server.userAgent.call({
      to: nameAddr('<sip:peer@10.0.0.2:5070>'),
      from: nameAddr('<sip:room@10.0.0.1>'),
      offer: sdp(),
    });
    clock.advance(10);
    allows(phone.requestOf('INVITE'));
  });

  it('3311-5.1-a carries our Contact and an offer, and gets no ACK', async () => {
    harness.establish();
    const box = await reoffer();
    expect(phone.requestOf('UPDATE').bodyText).toContain('m=audio 6100');
    expect(phone.requestOf('UPDATE').contact?.uri.text).toBe('sip:1234@10.0.0.1:5060');
    phone.respond(phone.requestOf('UPDATE'), 200, sdpText({ port: 4600 }));
    await clock.advanceAsync(10);
    expect(box.result).toMatchObject({ answer: { media: [{ port: 4600 }] } });
    expect(phone.labels()).not.toContain('ACK');
  });

  it('3264-4-a theirs with an offer gets 491 meanwhile, and a re-INVITE too', async () => {
    const toTag = harness.establish();
    await reoffer();
    expect(update(toTag, sdpText())).toBe(491);
    phone.request('INVITE', { toTag, body: sdpText() });
    await clock.advanceAsync(10);
    expect(phone.response('INVITE').status).toBe(491);
  });

  it('3261-14.1-a is tried again after 491, and after 500 when Retry-After says', async () => {
    harness.establish();
    const box = await reoffer();
    phone.respond(phone.requestOf('UPDATE'), 491);
    await clock.advanceAsync(2100);
    expect(phone.requestOf('UPDATE').cseq.sequence).toBe(2);
    phone.respond(phone.requestOf('UPDATE'), 200, sdpText());
    await clock.advanceAsync(10);
    expect(box.result).toHaveProperty('answer');
  });

  it('a second change waits for the first', async () => {
    harness.establish();
    await reoffer();
    const second = await reoffer();
    expect(phone.requestOf('UPDATE').cseq.sequence).toBe(1);
    phone.respond(phone.requestOf('UPDATE'), 488);
    await clock.advanceAsync(20);
    expect(phone.requestOf('UPDATE').cseq.sequence).toBe(2);
    phone.respond(phone.requestOf('UPDATE'), 200, sdpText());
    await clock.advanceAsync(10);
    expect(second.result).toHaveProperty('answer');
    expect(ends).toEqual([]);
  });

  it('3311-5.1-a its 2xx refreshes the target, a refusal does not', async () => {
    harness.establish();
    await reoffer();
    const moved = { contact: '<sip:moved@10.0.0.2:5070>' };
    phone.send(buildResponse(phone.requestOf('UPDATE'), 488, moved));
    await clock.advanceAsync(10);
    await reoffer();
    const second = phone.requestOf('UPDATE');
    expect(second.uri.text).toBe('sip:peer@10.0.0.2:5070');
    const body = { type: 'application/sdp', content: sdpText() };
    phone.send(buildResponse(second, 200, { ...moved, body }));
    await clock.advanceAsync(10);
    server.call.hangUp();
    await clock.advanceAsync(10);
    expect(phone.requestOf('BYE').uri.text).toBe('sip:moved@10.0.0.2:5070');
  });

  it('3261-12.2.1.2-a answered with 481 ends the dialog, without a BYE', async () => {
    harness.establish();
    const box = await reoffer();
    phone.respond(phone.requestOf('UPDATE'), 481);
    await clock.advanceAsync(10);
    expect(box.result).toEqual({ status: 481 });
    expect(phone.labels()).not.toContain('BYE');
    expect(ends).toMatchObject([{ by: 'remote', cause: 'lost' }]);
    expect(server.userAgent.callCount).toBe(0);
  });

  it('3261-12.2.1.2-a answered with 408 it is ended by BYE', async () => {
    harness.establish();
    await reoffer();
    phone.respond(phone.requestOf('UPDATE'), 408);
    await clock.advanceAsync(10);
    expect(phone.labels()).toContain('BYE');
    expect(ends).toMatchObject([{ by: 'remote', cause: 'lost' }]);
  });
});
