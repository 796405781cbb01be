import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ReofferAnswer } from '../../../../signaling/sip/ua/index.ts';
import type { FakeClock } from '../../../support/fake-clock.ts';
import type { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { sdp, sdpText, type SipStack } from '../../../support/sip-wire.ts';
import { CallHarness } from './call-harness.ts';

const RELIABLY: [string, string][] = [['Require', '100rel']];
/** Half of the longest wait after glare of who has not made the Call-ID (RFC 3261 14.1). */
const GLARE_DELAY = 1000;

let harness: CallHarness;
let clock: FakeClock;
let server: SipStack;
let phone: ScriptedPeer;
/** Ends the change of theirs that is being answered. */
let answer: (value: ReofferAnswer) => void;

beforeEach(() => {
  harness = new CallHarness();
  ({ clock, server, phone } = harness);
  answer = () => undefined;
});

function answerLater(): void {
  server.call.handleReoffers(() => new Promise((resolve) => (answer = resolve)));
}

/** The first answer of the INVITE: a reliable 183 with a description, ours first if theirs has none. */
function describeEarly(theirs: boolean): string {
  phone.request('INVITE', { headers: RELIABLY, ...(theirs && { body: sdpText() }) });
  clock.advance(10);
  server.call.progress(183, undefined, sdp({ port: 6004 }));
  clock.advance(10);

  return phone.response('INVITE').toTag!;
}

function prack(toTag: string, body?: string): number {
  const rseq = phone.response('INVITE').headers.get('RSeq')!;
  phone.request('PRACK', {
    ...{ toTag, headers: [['RAck', `${rseq} 1 INVITE`]] },
    ...(body !== undefined && { body }),
  });
  clock.advance(10);

  return phone.response('PRACK').status;
}

describe('offers that cross before the call is answered', () => {
  it('3311-5.2-a UPDATE against our offer in a 183 gets 491; after the PRACK it is taken', () => {
    const toTag = describeEarly(false);
    server.call.handleReoffers(() => ({ sdp: sdp({ port: 6006 }) }));
    phone.request('UPDATE', { toTag, body: sdpText({ version: 2 }) });
    clock.advance(10);
    expect(phone.response('UPDATE').status).toBe(491);
    expect(prack(toTag, sdpText())).toBe(200);
    phone.request('UPDATE', { toTag, body: sdpText({ version: 2 }) });
    clock.advance(10);
    expect(phone.response('UPDATE').status).toBe(200);
  });

  it('3262-5-a an offer in a PRACK while their UPDATE is being answered gets 500 and changes nothing', async () => {
    const toTag = describeEarly(true);
    answerLater();
    phone.request('UPDATE', { toTag, body: sdpText({ version: 2 }) });
    clock.advance(10);
    expect(prack(toTag, sdpText({ version: 3 }))).toBe(500);
    answer({ sdp: sdp({ port: 6008 }) });
    await clock.advanceAsync(10);
    expect(phone.response('UPDATE').bodyText).toContain('m=audio 6008');
    server.call.accept(sdp({ port: 6008 }));
    await clock.advanceAsync(10);
    expect(phone.response('INVITE').status).toBe(200);
  });

  it('3262-3-d the 200 waits for the answer to their offer in the PRACK', async () => {
    const toTag = describeEarly(true);
    answerLater();
    phone.request('PRACK', {
      ...{
        toTag,
        headers: [['RAck', `${phone.response('INVITE').headers.get('RSeq')!} 1 INVITE`]],
      },
      body: sdpText({ version: 2 }),
    });
    server.call.accept(sdp({ port: 6004 }));
    await clock.advanceAsync(10);
    expect(phone.response('INVITE').status).toBe(183);
    answer({ sdp: sdp({ port: 6010 }) });
    await clock.advanceAsync(10);
    expect(phone.response('PRACK').bodyText).toContain('m=audio 6010');
    expect(phone.response('INVITE').status).toBe(200);
  });
});

describe.each(['INVITE', 'UPDATE'] as const)('our %s', (ours) => {
  it.each(['INVITE', 'UPDATE'] as const)(
    '3264-4-a is not sent while their %s is being answered, and is soon after',
    async (theirs) => {
      const toTag = harness.establish();
      answerLater();
      phone.request(theirs, { toTag, body: sdpText({ version: 2 }) });
      clock.advance(10);
      void server.call.reoffer(() => sdp({ port: 6100 }), ours);
      await clock.advanceAsync(GLARE_DELAY - 100);
      const sent = (): string[] => phone.labels().filter((label) => label === ours);
      expect(sent()).toEqual([]);
      answer({ sdp: sdp({ port: 6002 }) });
      await clock.advanceAsync(10);
      if (theirs === 'INVITE') phone.ack(phone.response('INVITE'));
      await clock.advanceAsync(200);
      expect(sent()).toEqual([ours]);
    },
  );
});
