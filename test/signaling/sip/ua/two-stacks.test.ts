import { describe, expect, it } from '@jest/globals';
import type { CallEnd, OutgoingCall } from '../../../../signaling/sip/ua/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import {
  label,
  sdp,
  SipStack,
  SipWire,
  type StackOptions,
  type WireOptions,
} from '../../../support/sip-wire.ts';
import { SeededRandom } from '../simulation/random.ts';

const A = { address: '10.0.0.1', port: 5060 };
const B = { address: '10.0.0.2', port: 5060 };
const LONG = 200_000;

interface Pair {
  clock: FakeClock;
  wire: SipWire;
  caller: SipStack;
  callee: SipStack;
  ends: { caller: CallEnd[]; callee: CallEnd[] };
}

function pair(wireOptions: WireOptions = {}, calleeOptions: StackOptions = {}): Pair {
  const clock = new FakeClock();
  const wire = new SipWire(clock, wireOptions);
  const ends: Pair['ends'] = { caller: [], callee: [] };
  const { handler } = calleeOptions;
  const callee = new SipStack(wire, B, {
    ...calleeOptions,
    handler: {
      incomingCall: (call) => {
        call.events.on('ended', (end) => ends.callee.push(end));
        call.handleReoffers(() => ({ sdp: sdp({ port: 6002 }) }));
        if (handler?.incomingCall) handler.incomingCall(call);
        else call.accept(sdp({ port: 6000 }));
      },
    },
  });
  const { protocol } = calleeOptions;
  const caller = new SipStack(wire, A, protocol === undefined ? {} : { protocol });

  return { clock, wire, caller, callee, ends };
}

function dial(
  { caller, callee, ends }: Pair,
  parts: Parameters<SipStack['dial']>[1] = {},
): OutgoingCall {
  const call = caller.dial(callee, parts);
  call.events.on('ended', (end) => ends.caller.push(end));

  return call;
}

/** All timers of a finished call run out; none may be left, and no call. */
async function expectNothingLeft({ clock, caller, callee }: Pair): Promise<void> {
  await clock.advanceAsync(LONG);
  expect(clock.pendingTimers).toBe(0);
  expect([caller.userAgent.callCount, callee.userAgent.callCount]).toEqual([0, 0]);
  expect(caller.transactions.counts().total + callee.transactions.counts().total).toBe(0);
}

describe('two stacks on one wire', () => {
  it.each(['UDP', 'TCP'] as const)(
    'call and hang up over %s: the flow of RFC 3665 3.1',
    async (protocol) => {
      const test = pair({}, { protocol });
      const target = { ...B, protocol };
      const call = dial(test, { target });
      const established: unknown[] = [];
      call.events.on('established', (answer) => established.push(answer?.media[0]?.port));
      await test.clock.advanceAsync(100);
      expect(established).toEqual([6000]);
      call.hangUp();
      await test.clock.advanceAsync(100);
      expect(test.wire.flow()).toEqual(['INVITE', '200 INVITE', 'ACK', 'BYE', '200 BYE']);
      for (const { message } of test.wire.log) {
        // 3261-20.22-a and 3261-8.1.1.5-a.
        if (message.kind === 'request') expect(message.headers.get('Max-Forwards')).toBe('70');
        expect(message.cseq.sequence).toBeLessThan(2 ** 31);
      }
      expect(test.ends.callee).toMatchObject([{ by: 'remote', cause: 'bye' }]);
      expect(test.ends.caller).toMatchObject([{ by: 'local', cause: 'bye' }]);
      await expectNothingLeft(test);
    },
  );

  it('the callee hangs up', async () => {
    const test = pair();
    dial(test);
    await test.clock.advanceAsync(100);
    test.callee.call.hangUp();
    await test.clock.advanceAsync(100);
    expect(test.ends.caller).toMatchObject([{ by: 'remote', cause: 'bye' }]);
    await expectNothingLeft(test);
  });

  it('both hang up at once (5407-3.2.1)', async () => {
    const test = pair();
    const call = dial(test);
    await test.clock.advanceAsync(100);
    call.hangUp();
    test.callee.call.hangUp();
    await expectNothingLeft(test);
    expect(test.wire.flow().filter((item) => item === '200 BYE')).toHaveLength(2);
  });

  it('a refused call', async () => {
    const test = pair({}, { handler: { incomingCall: (call) => void call.reject(486) } });
    dial(test);
    await test.clock.advanceAsync(100);
    expect(test.ends.caller).toMatchObject([{ cause: 'rejected', message: { status: 486 } }]);
    await expectNothingLeft(test);
  });

  it('3261-9.1-a a call given up while it rings: CANCEL, 487', async () => {
    const test = pair({}, { handler: { incomingCall: (call) => void call.progress(180) } });
    const call = dial(test);
    await test.clock.advanceAsync(100);
    call.hangUp();
    await test.clock.advanceAsync(100);
    expect(test.wire.flow()).toEqual([
      'INVITE',
      '180 INVITE',
      'CANCEL',
      '200 CANCEL',
      '487 INVITE',
      'ACK',
    ]);
    for (const { message } of test.wire.log) {
      // 3261-20.22-a
      if (message.kind === 'request') expect(message.headers.get('Max-Forwards')).toBe('70');
    }
    expect(test.ends.callee).toMatchObject([{ cause: 'cancel' }]);
    expect(test.ends.caller).toMatchObject([{ by: 'local', cause: 'cancel' }]);
    await expectNothingLeft(test);
  });

  it('5407-3.1.2 a CANCEL that crosses the 200: ACK, then BYE', async () => {
    const test = pair({}, { handler: { incomingCall: (call) => void call.progress(180) } });
    const call = dial(test);
    await test.clock.advanceAsync(100);
    test.callee.call.accept(sdp());
    call.hangUp();
    await test.clock.advanceAsync(100);
    expect(test.wire.flow()).toContain('BYE');
    expect(test.ends.callee).toMatchObject([{ by: 'remote', cause: 'bye' }]);
    await expectNothingLeft(test);
  });

  it('nobody there', async () => {
    const test = pair({ drop: () => true });
    dial(test);
    await test.clock.advanceAsync(LONG);
    expect(test.ends.caller).toMatchObject([{ by: 'remote', cause: 'lost' }]);
    await expectNothingLeft(test);
  });

  it('3261-13.2.1-a a delayed offer, answered in the ACK', async () => {
    const test = pair();
    const seen: unknown[] = [];
    const call = dial(test, {
      offer: undefined,
      answerWith: (offer) => sdp({ port: offer.media[0]!.port + 1 }),
    });
    test.clock.advance(7);
    test.callee.call.events.on('established', (answer) => seen.push(answer?.media[0]?.port));
    await test.clock.advanceAsync(100);
    expect(seen).toEqual([6001]);
    call.hangUp();
    await expectNothingLeft(test);
  });

  it('5407-3.3.1 crossing re-INVITEs: both 491, both tried again, both succeed', async () => {
    const test = pair({ latency: 20 });
    const call = dial(test);
    call.handleReoffers(() => ({ sdp: sdp({ port: 5002 }) }));
    await test.clock.advanceAsync(200);
    const results = Promise.all([
      call.reoffer(() => sdp({ port: 5002, version: 2 })),
      test.callee.call.reoffer(() => sdp({ port: 6002, version: 2 })),
    ]);
    await test.clock.advanceAsync(5000);
    expect(test.wire.flow().filter((item) => item === '491 INVITE')).toHaveLength(2);
    expect(await results).toMatchObject([
      { answer: { media: [{ port: 6002 }] } },
      { answer: { media: [{ port: 5002 }] } },
    ]);
    call.hangUp();
    await expectNothingLeft(test);
  });

  it('5407-3.3.2 an UPDATE that crosses a re-INVITE: both 491, both tried again, both succeed', async () => {
    const test = pair({ latency: 20 });
    const call = dial(test);
    call.handleReoffers(() => ({ sdp: sdp({ port: 5002 }) }));
    await test.clock.advanceAsync(200);
    const results = Promise.all([
      call.reoffer(() => sdp({ port: 5002, version: 2 })),
      test.callee.call.reoffer(() => sdp({ port: 6002, version: 2 }), 'UPDATE'),
    ]);
    await test.clock.advanceAsync(60);
    const answers = test.wire.flow().filter((item) => item.startsWith('491'));
    expect(answers.sort()).toEqual(['491 INVITE', '491 UPDATE']);
    await test.clock.advanceAsync(5000);
    expect(await results).toMatchObject([
      { answer: { media: [{ port: 6002 }] } },
      { answer: { media: [{ port: 5002 }] } },
    ]);
    call.hangUp();
    await expectNothingLeft(test);
  });

  it('an end of the process with a call in each state leaves nothing', async () => {
    const test = pair({}, { handler: { incomingCall: (call) => void call.progress(180) } });
    dial(test);
    dial(test);
    await test.clock.advanceAsync(100);
    test.callee.calls[0]!.accept(sdp());
    await test.clock.advanceAsync(100);
    const closed = test.callee.userAgent.close();
    await test.clock.advanceAsync(100);
    await closed;
    expect(test.ends.caller).toMatchObject([
      { by: 'remote', cause: 'bye' },
      { cause: 'rejected', message: { status: 503 } },
    ]);
    await expectNothingLeft(test);
  });
});

describe('what is lost on the way', () => {
  /** Loses the first `count` messages with this label. */
  function lose(text: string, count: number): WireOptions {
    let left = count;

    return { drop: (message) => label(message) === text && left-- > 0 };
  }

  it.each(['INVITE', '200 INVITE', 'ACK', 'BYE', '200 BYE'])(
    'a lost %s is made good',
    async (text) => {
      const test = pair(lose(text, 2));
      const call = dial(test);
      await test.clock.advanceAsync(10_000);
      expect(test.callee.call.isEnded).toBe(false);
      call.hangUp();
      await expectNothingLeft(test);
      expect(test.ends.caller).toMatchObject([{ by: 'local', cause: 'bye' }]);
      expect(test.ends.callee).toMatchObject([{ by: 'remote', cause: 'bye' }]);
    },
  );

  it.each(['UDP', 'TCP'] as const)(
    '3261-13.3.1.4-a ACKs that never come end the call on both sides; over %s the 2xx goes out again',
    async (protocol) => {
      const test = pair(lose('ACK', 1000), { protocol });
      dial(test, { target: { ...B, protocol } });
      await expectNothingLeft(test);
      expect(test.ends.callee).toMatchObject([{ cause: 'no-ack' }]);
      expect(test.ends.caller).toMatchObject([{ by: 'remote', cause: 'bye' }]);
      // At 0, 0.5, 1.5, 3.5, then every 4 s; each has its ACK.
      const sent = test.wire.flow();
      expect(sent.filter((item) => item === '200 INVITE')).toHaveLength(11);
      expect(sent.filter((item) => item === 'ACK')).toHaveLength(11);
    },
  );

  it('a fifth of all messages, in a hundred calls: both sides agree that each is over', async () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = new SeededRandom(seed).next;
      const test = pair({ drop: () => random() < 0.2 }, { random });
      const call = dial(test);
      await test.clock.advanceAsync(Math.floor(random() * 3000));
      const action = random();
      if (action < 0.3) void call.reoffer(() => sdp({ port: 5004, version: 2 }));
      else if (action < 0.6)
        void test.callee.calls[0]?.reoffer(() => sdp({ port: 6004, version: 2 }));
      await test.clock.advanceAsync(Math.floor(random() * 3000));
      if (random() < 0.5) test.callee.calls[0]?.hangUp();
      call.hangUp();
      await test.clock.advanceAsync(LONG);
      const left = [test.clock.pendingTimers, test.caller.userAgent.callCount];
      expect({ seed, left, ended: test.ends.caller.length }).toEqual({
        seed,
        left: [0, 0],
        ended: 1,
      });
      expect({ seed, calls: test.callee.userAgent.callCount }).toEqual({ seed, calls: 0 });
      expect({ seed, ended: test.ends.callee.length }).toEqual({
        seed,
        ended: test.callee.calls.length,
      });
    }
  });
});
