import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { silentLogger } from '../../../../base/index.ts';
import {
  DEFAULT_NEGOTIATION,
  judgeRefusal,
  Negotiation,
  negotiationSettings,
  type ExchangeResult,
  type NegotiationOutcome,
} from '../../../../signaling/sip/negotiation/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

/** A call whose room asks for one thing after the other. */
class FakeHost {
  wanted = 0;
  has = 0;
  awaitedUntil = 0;
  hasResigned = false;
  readonly counted: NegotiationOutcome[] = [];
  readonly sent: { at: number; wanted: number }[] = [];
  answer: (() => ExchangeResult) | undefined = () => 'accepted';
  #pending: ((result: ExchangeResult) => void)[] = [];
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  get isWanted(): boolean {
    return this.wanted !== this.has;
  }

  exchange(): Promise<ExchangeResult> {
    const { wanted } = this;
    this.sent.push({ at: this.#clock.now(), wanted });

    return new Promise<ExchangeResult>((resolve) => {
      const end = (result: ExchangeResult): void => {
        if (result === 'accepted') this.has = wanted;
        resolve(result);
      };
      if (this.answer === undefined) this.#pending.push(end);
      else end(this.answer());
    });
  }

  /** The open exchange ends. */
  end(result: ExchangeResult): void {
    this.#pending.shift()!(result);
  }

  count(outcome: NegotiationOutcome): void {
    this.counted.push(outcome);
  }

  resigned(): void {
    this.hasResigned = true;
  }
}

let clock: FakeClock;
let host: FakeHost;
let negotiation: Negotiation;

function want(what: number): void {
  host.wanted = what;
  negotiation.changed();
}

beforeEach(() => {
  clock = new FakeClock();
  host = new FakeHost(clock);
  negotiation = new Negotiation(host, { clock, logger: silentLogger });
});

describe('changes of a call that the room asks for', () => {
  it('are one offer when they come within the window', async () => {
    for (let joined = 1; joined <= 10; joined++) {
      want(joined);
      await clock.advanceAsync(20);
    }
    await clock.advanceAsync(5000);
    expect(host.sent).toEqual([{ at: 430, wanted: 10 }]);
    expect(host.counted).toEqual(['accepted']);
  });

  it('do not wait for ever for a room that never comes to rest', async () => {
    for (let joined = 1; joined <= 30; joined++) {
      want(joined);
      await clock.advanceAsync(100);
    }
    await clock.advanceAsync(5000);
    expect(host.sent[0]?.at).toBe(DEFAULT_NEGOTIATION.longestWindow);
    expect(host.sent.length).toBeLessThanOrEqual(4);
    expect(host.has).toBe(30);
  });

  it('wait for what was announced, whatever else happens meanwhile, and no longer', async () => {
    host.awaitedUntil = 3000;
    want(1);
    await clock.advanceAsync(100);
    want(2);
    await clock.advanceAsync(1400);
    expect(host.sent).toEqual([]);
    host.awaitedUntil = 0;
    want(3);
    await clock.advanceAsync(5000);
    expect(host.sent).toEqual([{ at: 1500, wanted: 3 }]);
  });

  it('do not wait for ever for what was announced and never comes', async () => {
    host.awaitedUntil = Infinity;
    want(1);
    await clock.advanceAsync(20_000);
    expect(host.sent).toEqual([{ at: DEFAULT_NEGOTIATION.patience, wanted: 1 }]);
  });

  it('are an offer each where nothing is to be merged', async () => {
    negotiation = new Negotiation(host, {
      clock,
      logger: silentLogger,
      settings: negotiationSettings(0),
    });
    for (let joined = 1; joined <= 5; joined++) {
      want(joined);
      await clock.advanceAsync(1);
    }
    expect(host.sent.map(({ wanted }) => wanted)).toEqual([1, 2, 3, 4, 5]);
  });

  it('wait for the answer to the offer before', async () => {
    host.answer = undefined;
    want(1);
    await clock.advanceAsync(300);
    want(2);
    want(3);
    await clock.advanceAsync(20_000);
    expect(host.sent).toHaveLength(1);
    host.end('accepted');
    await clock.advanceAsync(1000);
    host.end('accepted');
    await clock.advanceAsync(1000);
    expect(host.sent.map(({ wanted }) => wanted)).toEqual([1, 3]);
    expect(host.has).toBe(3);
  });

  it('are not sent when they were taken back in time', async () => {
    want(1);
    await clock.advanceAsync(100);
    want(0);
    await clock.advanceAsync(5000);
    expect(host.sent).toEqual([]);
    expect(negotiation.state).toBe('settled');
    expect(clock.pendingTimers).toBe(0);
  });

  it('end when the call does', async () => {
    host.answer = undefined;
    want(1);
    await clock.advanceAsync(300);
    negotiation.close();
    host.end('accepted');
    want(2);
    await clock.advanceAsync(10_000);
    expect(host.sent).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a refused offer (RFC 3261 14.1)', () => {
  it.each([488, 491, 500, 503, 480, 606])(
    '%d is tried again, ever later, then never',
    async (status) => {
      host.answer = () => ({ status });
      want(1);
      await clock.advanceAsync(10 * 60_000);
      const rests = host.sent.slice(1).map(({ at }, index) => at - host.sent[index]!.at);
      expect(rests).toEqual(DEFAULT_NEGOTIATION.rests);
      expect(host.hasResigned).toBe(true);
      want(2);
      await clock.advanceAsync(10 * 60_000);
      expect(host.sent).toHaveLength(1 + DEFAULT_NEGOTIATION.rests.length);
    },
  );

  it.each([405, 501, 420, 200])('%d is not tried again', async (status) => {
    host.answer = () => ({ status });
    want(1);
    await clock.advanceAsync(10 * 60_000);
    expect(host.sent).toHaveLength(1);
    expect(host.hasResigned).toBe(true);
  });

  it.each([408, 481])('%d ends the changes: the dialog is gone (12.2.1.2)', async (status) => {
    host.answer = () => ({ status });
    want(1);
    await clock.advanceAsync(10 * 60_000);
    expect(negotiation.state).toBe('closed');
    expect(host.counted).toEqual(['ended']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('that ends the call is counted, though the call is closed before', async () => {
    host.answer = undefined;
    want(1);
    await clock.advanceAsync(300);
    negotiation.close();
    host.end({ status: 408 });
    await clock.advanceAsync(0);
    expect(host.counted).toEqual(['ended']);
  });

  it('is forgotten once an offer is taken', async () => {
    host.answer = () => ({ status: 491 });
    want(1);
    await clock.advanceAsync(1000);
    host.answer = () => 'accepted';
    await clock.advanceAsync(5000);
    host.answer = () => ({ status: 491 });
    want(2);
    await clock.advanceAsync(10 * 60_000);
    expect(host.sent).toHaveLength(2 + 1 + DEFAULT_NEGOTIATION.rests.length);
  });

  it('is another one when a mistake of ours was in the way', async () => {
    host.exchange = () => Promise.reject(new Error('no media'));
    want(1);
    await clock.advanceAsync(300);
    expect(host.counted).toEqual(['failed']);
    expect(negotiation.state).toBe('resting');
  });

  it.each([
    [481, 'ended'],
    [408, 'ended'],
    [487, 'ended'],
    [405, 'never'],
    [488, 'again'],
    [504, 'again'],
  ] as const)('%d means: %s', (status, meaning) => {
    expect(judgeRefusal(status)).toBe(meaning);
  });
});

it('in whatever order things happen: one exchange at a time, and at rest the call has what is wanted', async () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('want' as const), value: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ type: fc.constant('wait' as const), value: fc.integer({ min: 0, max: 800 }) }),
    fc.record({ type: fc.constant('answer' as const), value: fc.integer({ min: 0, max: 3 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const time = new FakeClock();
      const room = new FakeHost(time);
      const machine = new Negotiation(room, { clock: time, logger: silentLogger });
      room.answer = undefined;
      let open = 0;
      let most = 0;
      const exchange = room.exchange.bind(room);
      room.exchange = async () => {
        most = Math.max(most, ++open);

        return exchange().finally(() => (open -= 1));
      };
      for (const { type, value } of steps) {
        if (type === 'want') {
          room.wanted = value;
          machine.changed();
        } else if (type === 'wait') await time.advanceAsync(value);
        else if (open > 0) {
          room.end(value === 0 ? { status: 491 } : 'accepted');
          await time.advanceAsync(0);
        }
      }
      room.answer = () => 'accepted';
      if (open > 0) room.end('accepted');
      await time.advanceAsync(10 * 60_000);
      expect(most).toBeLessThanOrEqual(1);
      if (!room.hasResigned) expect(room.has).toBe(room.wanted);
      machine.close();
      expect(time.pendingTimers).toBe(0);
    }),
    { numRuns: 150 },
  );
});
