import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CallEnd, ReofferResult } from '../../../../signaling/sip/ua/index.ts';
import { buildResponse, type SipRequest } from '../../../../signaling/sip/message/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { sdp, sdpText, SipStack, SipWire } from '../../../support/sip-wire.ts';

const SERVER = { address: '10.0.0.1', port: 5060 };

let clock: FakeClock;
let server: SipStack;
let phone: ScriptedPeer;
let ends: CallEnd[];
let invite: SipRequest;
let result: ReofferResult | undefined;

/** A call that stands, and our re-INVITE in it. */
beforeEach(async () => {
  clock = new FakeClock();
  const wire = new SipWire(clock);
  ends = [];
  result = undefined;
  server = new SipStack(wire, SERVER, {
    random: () => 0.5,
    handler: { incomingCall: (call) => void call.events.on('ended', (end) => ends.push(end)) },
  });
  phone = new ScriptedPeer(wire, { address: '10.0.0.2', port: 5070 }, SERVER);
  phone.request('INVITE', { body: sdpText() });
  clock.advance(10);
  server.call.accept(sdp({ port: 6000 }));
  server.call.handleReoffers(() => ({ sdp: sdp({ port: 6002 }) }));
  clock.advance(10);
  phone.ack(phone.response('INVITE'));
  clock.advance(10);
  void server.call
    .reoffer(() => sdp({ port: 6100 }))
    .then((outcome) => {
      result = outcome;
    });
  await clock.advanceAsync(10);
  invite = phone.requestOf('INVITE');
});

interface Provisional {
  rseq?: number;
  body?: string;
  contact?: string;
}

async function progress(status: number, parts: Provisional = {}): Promise<void> {
  const { rseq, body, contact = '<sip:peer@10.0.0.2:5070>' } = parts;
  const reliably: [string, string][] =
    rseq === undefined
      ? []
      : [
          ['Require', '100rel'],
          ['RSeq', String(rseq)],
        ];
  phone.send(
    buildResponse(invite, status, {
      toTag: phone.tag,
      contact,
      headers: reliably,
      body: body === undefined ? undefined : { type: 'application/sdp', content: body },
    }),
  );
  await clock.advanceAsync(10);
}

function pracks(): (string | undefined)[] {
  return phone.received.flatMap((message) =>
    message.kind === 'request' && message.method === 'PRACK' ? [message.headers.get('RAck')] : [],
  );
}

describe('provisional answers to our re-INVITE', () => {
  it('3262-4 a reliable one gets its PRACK, once and in order; another none', async () => {
    expect(invite.headers.list('Supported')).toContain('100rel');
    await progress(180);
    expect(pracks()).toEqual([]);
    await progress(180, { rseq: 5 });
    await progress(180, { rseq: 5 });
    await progress(183, { rseq: 7 });
    expect(pracks()).toEqual(['5 1 INVITE']);
    phone.respond(phone.requestOf('PRACK'), 200);
    await progress(183, { rseq: 6 });
    expect(pracks()).toEqual(['5 1 INVITE', '6 1 INVITE']);
    expect(phone.requestOf('PRACK').cseq.sequence).toBe(3);
    phone.respond(phone.requestOf('PRACK'), 200);
    phone.respond(invite, 200, sdpText({ port: 4500, version: 2 }));
    await clock.advanceAsync(10);
    expect(result).toMatchObject({ answer: { media: [{ port: 4500 }] } });
    expect(phone.requestOf('ACK').cseq.sequence).toBe(1);
  });

  it('3262-5-a the answer in a reliable 183 holds; the 200 has none, or one that means nothing', async () => {
    await progress(183, { rseq: 1, body: sdpText({ port: 4500, version: 2 }) });
    phone.respond(phone.requestOf('PRACK'), 200);
    expect(phone.requestOf('PRACK').body).toHaveLength(0);
    phone.respond(invite, 200, sdpText({ port: 4999, version: 3 }));
    await clock.advanceAsync(10);
    expect(result).toMatchObject({ answer: { media: [{ port: 4500 }] } });
    expect(ends).toEqual([]);
  });

  it('6337-3 their UPDATE after such an answer is a new offer, and outlives a refusal of ours', async () => {
    await progress(183, { rseq: 1, body: sdpText({ port: 4500, version: 2 }) });
    phone.respond(phone.requestOf('PRACK'), 200);
    const toTag = invite.fromTag;
    phone.request('UPDATE', { toTag, body: sdpText({ version: 3 }) });
    await clock.advanceAsync(10);
    expect(phone.response('UPDATE').status).toBe(200);
    phone.respond(invite, 488);
    await clock.advanceAsync(10);
    expect(result).toEqual({ status: 488 });
    phone.request('UPDATE', { toTag, body: sdpText({ version: 4 }) });
    await clock.advanceAsync(10);
    expect(phone.response('UPDATE').status).toBe(200);
    expect(ends).toEqual([]);
  });

  it.each([
    ['a reliable 1xx moves it', { rseq: 1 }, 'sip:moved@10.0.0.2:5070'],
    ['any other 1xx leaves it', {}, 'sip:peer@10.0.0.2:5070'],
  ])('6141-4.6-a the remote target: %s, whatever comes at last', async (_what, parts, target) => {
    await progress(183, { ...parts, contact: '<sip:moved@10.0.0.2:5070>' });
    phone.send(buildResponse(invite, 488, { contact: '<sip:else@10.0.0.9:5070>' }));
    await clock.advanceAsync(10);
    server.call.hangUp();
    await clock.advanceAsync(10);
    expect(phone.requestOf('BYE').uri.text).toBe(target);
  });

  it('a provisional that comes after our BYE is left alone', async () => {
    server.call.hangUp();
    await progress(183, { rseq: 1 });
    expect(pracks()).toEqual([]);
  });
});
