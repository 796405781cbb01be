import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SipRequest } from '../../../../signaling/sip/message/index.ts';
import { AdmissionControl, type RemoteFlow } from '../../../../signaling/sip/transport/index.ts';
import { sourceOf, TokenBuckets } from '../../../../signaling/sip/transport/token-buckets.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { anInvite, aRequest } from '../../../support/message-builder.ts';

let clock: FakeClock;
let refused: string[];
let control: AdmissionControl;

beforeEach(() => {
  clock = new FakeClock();
  refused = [];
  control = new AdmissionControl({
    clock,
    rate: { perSecond: 10, burst: 20 },
    random: () => 0.5,
    onRefused: (reason) => refused.push(reason),
  });
});

afterEach(() => {
  control.close();
  expect(clock.pendingTimers).toBe(0);
});

function from(address: string): RemoteFlow {
  const local = { address: '192.0.2.1', port: 5060 };

  return { protocol: 'UDP', remote: { address, port: 5060 }, local, connectionId: undefined };
}

function decide(address = '192.0.2.9', request: SipRequest = anInvite()): string {
  return control.decide(request, from(address)).kind;
}

function flood(count: number, address?: string): string[] {
  return Array.from({ length: count }, () => decide(address));
}

describe('the rate of one source', () => {
  it('has a burst and then so many a second', () => {
    expect(new Set(flood(20))).toEqual(new Set(['admit']));
    expect(control.decide(anInvite(), from('192.0.2.9'))).toEqual({
      kind: 'refuse',
      reason: 'rate',
      retryAfter: 6,
    });
    clock.advance(1_000);
    expect(flood(12).filter((kind) => kind === 'admit')).toHaveLength(10);
  });

  it("is nobody else's, but of the whole /64", () => {
    flood(21, '2001:db8:1:2::1');
    expect(decide('2001:db8:1:2:ffff::9')).toBe('refuse');
    expect(decide('2001:db8:1:3::1')).toBe('admit');
    expect(decide('192.0.2.9')).toBe('admit');
  });

  it('is not asked of requests inside dialogs, ACK and CANCEL', () => {
    flood(40);
    const inside = anInvite({ to: '<sip:100@parley.example>;tag=ours' });
    for (const request of [inside, aRequest('ACK'), aRequest('CANCEL')]) {
      expect(decide('192.0.2.9', request)).toBe('admit');
    }
  });

  it('ends in silence for who does not heed a 503', () => {
    const kinds = flood(400);
    expect(kinds.filter((kind) => kind === 'refuse')).toHaveLength(200);
    expect(kinds.at(-1)).toBe('drop');
    expect(refused).toHaveLength(380);
  });

  it('is not held against this machine itself', () => {
    expect(new Set(flood(500, '127.0.0.1'))).toEqual(new Set(['admit']));
  });
});

describe('overload', () => {
  function run(lateMs: number, times: number): void {
    for (let i = 0; i < times; i++) control.measured(lateMs);
  }

  it('refuses new requests alone, wherever they come from, until timers run on time', () => {
    run(600, 10);
    expect(control.isOverloaded).toBe(true);
    expect(decide('127.0.0.1')).toBe('refuse');
    expect(decide('192.0.2.9', anInvite({ to: '<sip:1@a.example>;tag=x' }))).toBe('admit');
    run(100, 10);
    expect(decide()).toBe('refuse');
    run(0, 10);
    expect(decide()).toBe('admit');
    expect(refused).toEqual(['overload', 'overload']);
  });

  it('is not one late timer', () => {
    run(30_000, 1);
    expect(control.isOverloaded).toBe(false);
  });

  it('measures by timers of its own', () => {
    clock.advance(10_000);
    expect(control.isOverloaded).toBe(false);
  });
});

describe('TokenBuckets', () => {
  it('forgets the longest unseen source', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 2);
    for (const source of ['a', 'b', 'c']) buckets.take(source, 0);
    expect(buckets.size).toBe(2);
    expect(buckets.take('c', 0)).toBe(false);
    expect(buckets.take('a', 0)).toBe(true);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:a:b:c:d:e:f', '2001:db8:a:b::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::', 'fe80:0:0:0::/64'],
  ])('%s is of %s', (address, source) => {
    expect(sourceOf(address)).toBe(source);
  });
});
