/** Size: one list of rules of RFC 6665 over one set of peers. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../../base/index.ts';
import {
  nextSubscriptionState,
  Notifier,
  type EventPackage,
  type EventWatch,
  type Opening,
  type SubscriptionEvent,
  type SubscriptionState,
  type WatchListener,
} from '../../../../signaling/sip/event/index.ts';
import { buildResponse, type SipRequest } from '../../../../signaling/sip/message/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ScriptedPeer, type PeerRequest } from '../../../support/scripted-peer.ts';
import { SipStack, SipWire } from '../../../support/sip-wire.ts';

/** A counter that subscribers watch. */
class Counter implements EventPackage {
  readonly name = 'counter';
  readonly contentType = 'application/x-count';
  readonly expires = { default: 600, min: 60, max: 1000 };
  readonly pace = 5000;
  readonly listeners = new Set<WatchListener>();
  value = 1;
  refusal: number | undefined;

  open(): Opening {
    if (this.refusal !== undefined) return { status: this.refusal };
    let told = 0;
    let own: WatchListener | undefined;
    const watch: EventWatch = {
      full: () => `full ${String((told = this.value))}`,
      partial: () => {
        if (told === this.value) return undefined;
        const from = told;
        told = this.value;

        return `from ${String(from)} to ${String(told)}`;
      },
      start: (listener) => {
        own = listener;
        this.listeners.add(listener);
      },
      close: () => {
        if (own !== undefined) this.listeners.delete(own);
      },
    };

    return { resource: 'counter', conference: 'counter', watch };
  }

  count(): void {
    this.value += 1;
    for (const listener of [...this.listeners]) listener.changed();
  }
}

const US = { address: '10.0.0.1', port: 5060 };
const PHONE = { address: '10.0.0.2', port: 5060 };

let clock: FakeClock;
let stack: SipStack;
let phone: ScriptedPeer;
let counter: Counter;
let notifier: Notifier;

beforeEach(() => {
  clock = new FakeClock();
  const wire = new SipWire(clock);
  stack = new SipStack(wire, US);
  phone = new ScriptedPeer(wire, PHONE, US);
  counter = new Counter();
  notifier = new Notifier({
    clock,
    logger: silentLogger,
    sender: stack.transactions,
    packages: [counter],
    contactFor: (...peer) => stack.userAgent.focusContact(...peer),
    product: 'Parley/test',
    maxPerResource: 3,
  });
  stack.userAgent.serve('SUBSCRIBE', (transaction) => {
    notifier.receive(transaction);
  });
});

function subscribe(headers: [string, string][] = [], parts: PeerRequest = {}): void {
  phone.request('SUBSCRIBE', { headers: [['Event', 'counter'], ...headers], ...parts });
  clock.advance(20);
}

/** The NOTIFYs that came since the last call, each once and answered. */
let seen = 0;
function notifies(status = 200): SipRequest[] {
  const fresh = phone.received.slice(seen).filter((message) => message.kind === 'request');
  seen = phone.received.length;
  const byBranch = new Map(fresh.map((each) => [each.via.params.get('branch'), each]));
  for (const each of byBranch.values()) phone.respond(each, status);
  clock.advance(20);

  return [...byBranch.values()];
}

beforeEach(() => {
  seen = 0;
});

describe('a SUBSCRIBE', () => {
  it('6665-4.2.1.2-a is answered with 200 and a NOTIFY at once, in the dialog that it makes', () => {
    subscribe();
    const answer = phone.response('SUBSCRIBE');
    const [notify] = notifies();

    expect(answer.status).toBe(200);
    expect(answer.headers.get('Expires')).toBe('600');
    expect(answer.headers.get('Contact')).toContain('isfocus');
    expect(notify?.headers.get('Event')).toBe('counter');
    expect(notify?.headers.get('Subscription-State')).toBe('active;expires=600');
    expect(notify?.bodyText).toBe('full 1');
    expect(notify?.fromTag).toBe(answer.toTag);
    expect(notify?.toTag).toBe(phone.tag);
    expect(notify?.uri.text).toBe('sip:peer@10.0.0.2:5060');
  });

  it.each([[[]], [[['Event', 'presence']]], [[['Event', ';id=3']]]] as [string, string][][][])(
    '6665-4.2.1.1-a with %j is answered with 489 and Allow-Events',
    (headers) => {
      phone.request('SUBSCRIBE', { headers });
      clock.advance(20);

      expect(phone.response('SUBSCRIBE').status).toBe(489);
      expect(phone.response('SUBSCRIBE').headers.get('Allow-Events')).toBe('counter');
    },
  );

  it('6665-4.2.1.1-a too short is answered with 423 and Min-Expires', () => {
    subscribe([['Expires', '59']]);

    expect(phone.response('SUBSCRIBE').status).toBe(423);
    expect(phone.response('SUBSCRIBE').headers.get('Min-Expires')).toBe('60');
  });

  it.each([
    ['100', '100'],
    ['99999', '1000'],
  ])('6665-4.2.1.1-a of %s s gets %s s, never more than it asked for', (asked, granted) => {
    subscribe([['Expires', asked]]);

    expect(phone.response('SUBSCRIBE').headers.get('Expires')).toBe(granted);
    notifies();
  });

  it('6665-4.2.1.2-a is refused with the 403 of its package, and nothing is told', () => {
    counter.refusal = 403;
    subscribe();

    expect(phone.response('SUBSCRIBE').status).toBe(403);
    expect(notifies()).toEqual([]);
    expect(notifier.count).toBe(0);
  });

  it('is answered with 406 when it takes other documents only', () => {
    subscribe([['Accept', 'application/pidf+xml']]);

    expect(phone.response('SUBSCRIBE').status).toBe(406);
  });

  it('is answered with 503 when there are too many to one resource', () => {
    for (const callId of ['a', 'b', 'c', 'd']) subscribe([], { callId });

    expect(notifier.count).toBe(3);
    expect(phone.response('SUBSCRIBE').status).toBe(503);
    notifies();
  });

  it('6665-4.1.2.3-a with Expires: 0 fetches: one NOTIFY, terminated, and nothing stays', () => {
    subscribe([['Expires', '0']]);
    const [notify, ...more] = notifies();

    expect(notify?.headers.get('Subscription-State')).toBe('terminated;reason=timeout');
    expect(notify?.bodyText).toBe('full 1');
    expect(more).toEqual([]);
    expect(notifier.count).toBe(0);
    expect(counter.listeners.size).toBe(0);
  });

  it('in a dialog that we do not know is answered with 481', () => {
    subscribe([], { toTag: 'unknown' });

    expect(phone.response('SUBSCRIBE').status).toBe(481);
  });
});

describe('a subscription', () => {
  let toTag: string | undefined;

  beforeEach(() => {
    subscribe([['Expires', '100']]);
    toTag = phone.response('SUBSCRIBE').toTag;
    notifies();
  });

  it('4575-3.9-a tells changes at most once in 5 s, merged, none lost', () => {
    counter.count();
    clock.advance(100);
    expect(notifies()).toEqual([]);
    counter.count();
    clock.advance(5000);
    expect(notifies().map((each) => each.bodyText)).toEqual(['from 1 to 3']);
    clock.advance(6000);
    expect(notifies()).toEqual([]);
    counter.count();
    clock.advance(20);
    expect(notifies().map((each) => each.bodyText)).toEqual(['from 3 to 4']);
  });

  it('6665-4.2.1.2-a is refreshed in its dialog: 200 and the whole state at once', () => {
    clock.advance(50_000);
    subscribe([['Expires', '100']], { toTag });
    const [notify] = notifies();

    expect(phone.response('SUBSCRIBE').status).toBe(200);
    expect(notify?.bodyText).toBe('full 1');
    expect(notify?.headers.get('Subscription-State')).toBe('active;expires=100');
    clock.advance(60_000);
    expect(notifier.count).toBe(1);
  });

  it('6665-4.1.2.3-a ends with Expires: 0 and a last NOTIFY', () => {
    subscribe([['Expires', '0']], { toTag });
    const [notify] = notifies();

    expect(phone.response('SUBSCRIBE').status).toBe(200);
    expect(phone.response('SUBSCRIBE').headers.get('Expires')).toBe('0');
    expect(notify?.headers.get('Subscription-State')).toBe('terminated;reason=timeout');
    expect(notify?.bodyText).toBe('full 1');
    expect(notifier.count).toBe(0);
    subscribe([], { toTag });
    expect(phone.response('SUBSCRIBE').status).toBe(481);
  });

  it('6665-4.2.2-a that runs out says terminated;reason=timeout', () => {
    clock.advance(100_000);

    expect(notifies()[0]?.headers.get('Subscription-State')).toBe('terminated;reason=timeout');
    expect(notifier.count).toBe(0);
  });

  it.each(['noresource', 'rejected'] as const)(
    '6665-4.2.2-a that its package ends says terminated;reason=%s',
    (reason) => {
      for (const listener of [...counter.listeners]) listener.over(reason);
      clock.advance(20);

      expect(notifies()[0]?.headers.get('Subscription-State')).toBe(`terminated;reason=${reason}`);
      expect(notifier.count).toBe(0);
    },
  );

  it('6665-4.2.2-b is removed when a NOTIFY is answered with 481', () => {
    clock.advance(5000);
    counter.count();
    clock.advance(20);
    notifies(481);

    expect(notifier.count).toBe(0);
    expect(counter.listeners.size).toBe(0);
  });

  it('6665-4.2.2-b is removed when a NOTIFY gets no answer', () => {
    clock.advance(5000);
    counter.count();
    clock.advance(40_000);

    expect(notifier.count).toBe(0);
  });

  it('6665-4.2.2-b is kept when a NOTIFY is put off: the whole state is told when it may be', () => {
    clock.advance(5000);
    counter.count();
    clock.advance(20);
    const headers = [['Retry-After', '10']] as const;
    phone.send(buildResponse(phone.requestOf('NOTIFY'), 503, { headers }));
    clock.advance(20);
    seen = phone.received.length;
    counter.count();
    clock.advance(9900);
    expect(notifies()).toEqual([]);
    clock.advance(200);
    expect(notifies().map(({ bodyText }) => bodyText)).toEqual(['full 3']);
    expect(notifier.count).toBe(1);
  });

  it('6665-4.2.2-a says in each NOTIFY how long it still lives', () => {
    clock.advance(30_000);
    counter.count();
    clock.advance(20);
    expect(notifies()[0]?.headers.get('Subscription-State')).toBe('active;expires=70');
  });

  it('6665-4.2.1.2-a refreshed under another id is none that is known', () => {
    subscribe([['Expires', '100']], { toTag, headers: [['Event', 'counter;id=2']] });
    expect(phone.response('SUBSCRIBE').status).toBe(481);
  });

  it('6665-4.4.1-a is one of its own: Event id tells two of one dialog apart', () => {
    subscribe([['Expires', '0']], { toTag, headers: [['Event', 'counter;id=2']] });

    expect(phone.response('SUBSCRIBE').status).toBe(481);
    expect(notifier.count).toBe(1);
  });

  it('answers a SUBSCRIBE that is out of order with 500', () => {
    subscribe([], { toTag, cseq: 9 });
    notifies();
    subscribe([], { toTag, cseq: 3 });

    expect(phone.response('SUBSCRIBE').status).toBe(500);
  });

  it('leaves no timer behind', async () => {
    notifier.close();
    await stack.close();

    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the table of subscription states', () => {
  const events: SubscriptionEvent[] = [
    'subscribe',
    'fetch',
    'refresh',
    'unsubscribe',
    'expire',
    'watchOver',
    'lastNotified',
    'notifyFailed',
    'abort',
  ];

  it.each([
    ['init', ['subscribe', 'fetch']],
    ['active', ['refresh', 'unsubscribe', 'expire', 'watchOver', 'notifyFailed', 'abort']],
    ['ending', ['lastNotified', 'notifyFailed', 'abort']],
    ['terminated', []],
  ] as [SubscriptionState, SubscriptionEvent[]][])('%s takes %j alone', (state, taken) => {
    expect(events.filter((event) => nextSubscriptionState(state, event) !== undefined)).toEqual(
      taken,
    );
  });
});
