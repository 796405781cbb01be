import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CallEnd, ReofferResult } from '../../../../signaling/sip/ua/index.ts';
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
    harness.establish();
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
    const toTag = harness.establish();
    reoffer();
    await clock.advanceAsync(10);
    phone.request('INVITE', { toTag, body: sdpText() });
    await clock.advanceAsync(10);
    expect(phone.response('INVITE').status).toBe(491);
  });

  it('3261-14.1-a waits for the ACK of a re-INVITE of theirs', async () => {
    const toTag = harness.establish();
    phone.request('INVITE', { toTag, body: sdpText({ version: 2 }) });
    await clock.advanceAsync(10);
    const box = reoffer();
    await clock.advanceAsync(5000);
    expect(phone.labels()).not.toContain('INVITE');
    phone.ack(phone.response('INVITE'));
    await clock.advanceAsync(10);
    phone.respond(phone.requestOf('INVITE'), 200, sdpText());
    await clock.advanceAsync(10);
    expect(box.result).toHaveProperty('answer');
  });

  it('3261-14.1-a is given up with its call when that ACK never comes', async () => {
    const toTag = harness.establish();
    phone.request('INVITE', { toTag, body: sdpText({ version: 2 }) });
    await clock.advanceAsync(10);
    const box = reoffer();
    await clock.advanceAsync(32_100);
    expect(phone.labels()).not.toContain('INVITE');
    expect(box.result).toEqual({ status: 487 });
    expect(ends).toMatchObject([{ cause: 'no-ack' }]);
  });

  it.each([
    ['not ours', false, 0, 0],
    ['not ours', false, 0.5, 1000],
    ['not ours', false, 0.9999, 2000],
    ['ours', true, 0, 2100],
    ['ours', true, 0.5, 3050],
    ['ours', true, 0.9999, 4000],
  ])(
    '3261-14.1-a after 491, the Call-ID being %s (%s) and %f drawn, it waits %d ms',
    async (_name, isOurs, drawn, delay) => {
      harness = new CallHarness({ random: () => drawn });
      ({ clock, server, phone } = harness);
      const call = isOurs ? await harness.dial() : (harness.establish(), server.call);
      void call.reoffer(() => sdp({ port: 6100 }));
      await clock.advanceAsync(10);
      const first = phone.requestOf('INVITE').cseq.sequence;
      // Its way there takes 5 ms.
      phone.respond(phone.requestOf('INVITE'), 491);
      await clock.advanceAsync(5 + delay - 1);
      if (delay > 0) expect(phone.requestOf('INVITE').cseq.sequence).toBe(first);
      await clock.advanceAsync(1 + 5);
      expect(phone.requestOf('INVITE').cseq.sequence).toBe(first + 1);
    },
  );

  it('3261-14.1-a is tried again after 491, within 0 to 2 s as theirs is the Call-ID', async () => {
    harness.establish();
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

  it.each([488, 500, 503, 603, 606])(
    '3261-14.1-b refused with %d leaves the call and its target as they were',
    async (status) => {
      const toTag = harness.establish();
      const box = reoffer();
      await clock.advanceAsync(10);
      phone.send(
        buildResponse(phone.requestOf('INVITE'), status, {
          contact: '<sip:else@10.0.0.3:9>',
        }),
      );
      await clock.advanceAsync(10);
      expect(box.result).toEqual({ status });
      expect(ends).toEqual([]);
      // Theirs is taken after it, and ours goes where it went before.
      phone.request('INVITE', { toTag, body: sdpText({ version: 2 }) });
      await clock.advanceAsync(10);
      expect(phone.response('INVITE').status).toBe(200);
      phone.ack(phone.response('INVITE'));
      server.call.hangUp();
      await clock.advanceAsync(10);
      expect(phone.requestOf('BYE').uri.text).toBe('sip:peer@10.0.0.2:5070');
    },
  );

  it('3261-12.2.1.2-a answered with 481 ends the dialog', async () => {
    harness.establish();
    reoffer();
    await clock.advanceAsync(10);
    phone.respond(phone.requestOf('INVITE'), 481);
    await clock.advanceAsync(10);
    expect(ends).toMatchObject([{ by: 'remote', cause: 'lost' }]);
    expect(server.userAgent.callCount).toBe(0);
  });

  it.each([408, 'silence'] as const)(
    '3261-12.2.1.2-a answered with %s ends the dialog, with a BYE as it may still be there',
    async (answer) => {
      harness.establish();
      const box = reoffer();
      await clock.advanceAsync(10);
      if (answer === 408) phone.respond(phone.requestOf('INVITE'), answer);
      await clock.advanceAsync(32_010);
      expect(box.result).toEqual({ status: 408 });
      expect(phone.labels()).toContain('BYE');
      expect(ends).toMatchObject([{ by: 'remote', cause: 'lost' }]);
    },
  );

  it('5407-3.2.3 its 200 is acknowledged even after our BYE', async () => {
    harness.establish();
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
    const toTag = harness.establish();
    phone.request('BYE', { toTag });
    await clock.advanceAsync(10);
    const box = reoffer();
    await clock.advanceAsync(10);
    expect(box.result).toEqual({ status: 481 });
  });
});

describe('other requests of ours in the call', () => {
  /** What its sender is told. */
  function send(method: string): (number | string)[] {
    const told: (number | string)[] = [];
    server.call.send(
      method,
      {},
      {
        onResponse: ({ status }) => told.push(status),
        onFailure: (failure) => told.push(failure),
      },
    );
    clock.advance(10);

    return told;
  }

  it('3261-12.2.1.2-a an INFO that gets 481 ends the call, as the far end has none', () => {
    harness.establish();
    const told = send('INFO');
    phone.respond(phone.requestOf('INFO'), 481);
    clock.advance(10);
    expect(told).toEqual([481]);
    expect(ends).toMatchObject([{ by: 'remote', cause: 'lost', message: { status: 481 } }]);
    expect(phone.labels()).not.toContain('BYE');
    expect(server.userAgent.callCount).toBe(0);
  });

  it.each([408, 'silence'] as const)(
    '3261-12.2.1.2-a an INFO that gets %s does, with BYE',
    (answer) => {
      harness.establish();
      const told = send('INFO');
      if (answer === 408) phone.respond(phone.requestOf('INFO'), answer);
      clock.advance(32_010);
      expect(told).toEqual([answer === 408 ? 408 : 'timeout']);
      expect(phone.labels()).toContain('BYE');
      expect(ends).toMatchObject([{ by: 'remote', cause: 'lost' }]);
    },
  );

  it.each(['NOTIFY', 'REFER', 'MESSAGE'])('5057-5.3 the 481 of a %s does not', (method) => {
    harness.establish();
    expect(send(method)).toEqual([]);
    phone.respond(phone.requestOf(method), 481);
    clock.advance(10);
    expect(ends).toEqual([]);
  });

  it('3261-12.2.1.2-a any other refusal of an INFO does not', () => {
    harness.establish();
    send('INFO');
    phone.respond(phone.requestOf('INFO'), 501);
    clock.advance(10);
    expect(ends).toEqual([]);
  });
});
