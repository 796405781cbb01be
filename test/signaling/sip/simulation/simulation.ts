/** One call between two whole stacks, on a bad network, with whatever a seed lets both do to it. */
import type { IncomingCall } from '../../../../signaling/sip/ua/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { label, SipStack, SipWire } from '../../../support/sip-wire.ts';
import { SeededRandom } from './random.ts';
import { SimulatedSide } from './simulated-side.ts';

export interface Outcome {
  /** What is wrong; empty when the call went as it must. */
  readonly faults: readonly string[];
  /** What was said, one message a line. */
  readonly trace: string;
  readonly labels: readonly string[];
  readonly wasEstablished: boolean;
}

export interface NetworkOptions {
  readonly loss: number;
  readonly duplication: number;
  /** Milliseconds; messages overtake one another within it. */
  readonly latency: readonly [from: number, to: number];
  /**
   * Nothing arrives: for seconds, which no call may notice; or from the hang-up on, which leaves each side
   * to find out for itself.
   */
  readonly outage?: 'short' | 'final';
}

const ACTIONS_MS = 60_000;
/** Every transaction and every retry after glare has had its time. */
const REST_MS = 260_000;
/** The longest session interval in use and what comes after it: a side that hears nothing gives up. */
const SESSION_MS = 2_000_000;

export async function simulate(seed: number, network: NetworkOptions): Promise<Outcome> {
  const random = new SeededRandom(seed);
  const clock = new FakeClock();
  let isCalm = false;
  let isGone = false;
  const outage = planOutage(network, random);
  const wire = new SipWire(clock, {
    fate: () => {
      if (isGone || outage(clock.now())) return [];
      if (isCalm) return [5];
      if (random.chance(network.loss)) return [];
      const copies = random.chance(network.duplication) ? 2 : 1;

      return Array.from({ length: copies }, () => random.between(...network.latency));
    },
  });
  const caller = new SimulatedSide('caller', clock, random, 1000);
  const callee = new SimulatedSide('callee', clock, random, 5000);
  const sessionTimer = { interval: random.pick([90, 120, 1800]), minimum: 90 };
  const options = { random: random.next, sessionTimer };
  const from = new SipStack(wire, { address: '10.0.0.1', port: 5060 }, options);
  const to = new SipStack(
    wire,
    { address: '10.0.0.2', port: 5060 },
    { ...options, handler: { incomingCall: (call) => answer(call, callee, clock, random) } },
  );
  dial(from, to, caller, random);
  planActions(caller, callee, clock, random);
  await clock.advanceAsync(ACTIONS_MS + REST_MS);

  const faults = [...compareAtRest(caller, callee), ...findDropped(caller, callee, network)];
  const wasEstablished = caller.isEstablished;
  isCalm = true;
  isGone = network.outage === 'final';
  random.pick([caller, callee]).hangUp();
  await clock.advanceAsync(isGone ? SESSION_MS : REST_MS);
  faults.push(...findLeftovers([caller, callee], [from, to], clock));
  const labels = wire.flow();

  return { faults, trace: traceOf(wire), labels, wasEstablished };
}

/**
 * Whether a message falls into the outage. Far shorter than 64*T1: everything that matters is said again.
 * It begins with whichever message the seed picks, so that each kind is once the first one lost.
 */
function planOutage({ outage }: NetworkOptions, random: SeededRandom): (now: number) => boolean {
  if (outage !== 'short') return () => false;
  let before = random.between(0, 12);
  const length = random.between(1000, 5000);
  let end: number | undefined;

  return (now) => {
    if (before-- > 0) return false;
    end ??= now + length;

    return now < end;
  };
}

function dial(from: SipStack, to: SipStack, caller: SimulatedSide, random: SeededRandom): void {
  const isDelayed = random.chance(0.25);
  const offer = isDelayed ? undefined : caller.describe();
  const call = from.dial(to, {
    offer,
    answerWith: (remote) => {
      const local = caller.describe();
      caller.agree(local, remote);

      return local;
    },
    headers: random.chance(0.3) ? [['Require', '100rel']] : [],
  });
  caller.watch(call);
  call.events.on('established', (remote) => {
    // A change in the early dialog may have come after it.
    if (offer !== undefined && remote !== undefined) caller.agreed ??= versions(offer, remote);
  });
}

function versions(
  local: { origin: { version: string } },
  remote: { origin: { version: string } },
): { local: string; remote: string } {
  return { local: local.origin.version, remote: remote.origin.version };
}

function answer(
  call: IncomingCall,
  callee: SimulatedSide,
  clock: FakeClock,
  random: SeededRandom,
): void {
  callee.watch(call);
  const local = callee.describe();
  const { offer } = call;
  call.events.on('established', (remote) => {
    if (offer === undefined && remote !== undefined) callee.agreed = versions(local, remote);
  });
  call.events.on('answered', (remote) => (callee.agreed ??= versions(local, remote)));
  const early = random.chance(0.5) ? local : undefined;
  const ringAt = random.between(0, 500);
  if (random.chance(0.7)) clock.setTimer(ringAt, () => void call.progress(183, undefined, early));
  clock.setTimer(random.between(0, 12_000), () => {
    if (random.chance(0.1)) {
      call.reject(486);
    } else if (call.accept(local) && offer !== undefined) {
      callee.agreed ??= versions(local, offer);
    }
  });
}

function planActions(
  caller: SimulatedSide,
  callee: SimulatedSide,
  clock: FakeClock,
  random: SeededRandom,
): void {
  for (let left = random.between(0, 8); left > 0; left--) {
    const side = random.pick([caller, callee]);
    const at = random.between(0, ACTIONS_MS / 2);
    clock.setTimer(at, () => void side.change());
    // Glare, now and then.
    const other = side === caller ? callee : caller;
    if (random.chance(0.3)) {
      clock.setTimer(at + random.between(0, 300), () => void other.change());
    }
  }
  if (random.chance(0.4)) {
    const side = random.pick([caller, callee]);
    const at = random.between(0, random.pick([5000, ACTIONS_MS]));
    clock.setTimer(at, () => side.hangUp());
    if (random.chance(0.3)) {
      const other = side === caller ? callee : caller;
      clock.setTimer(at + random.between(0, 300), () => other.hangUp());
    }
  }
}

function* compareAtRest(caller: SimulatedSide, callee: SimulatedSide): Iterable<string> {
  if (caller.isAlive !== callee.isAlive) {
    yield `the call is ${caller.isAlive ? 'up' : 'over'} for the caller, not for the callee`;
  }
  if (!caller.isAlive || !callee.isAlive) return;
  const [ours, theirs] = [caller.agreed, callee.agreed];
  if (ours?.local !== theirs?.remote || ours?.remote !== theirs?.local) {
    yield `they agreed to different descriptions: ${JSON.stringify([ours, theirs])}`;
  }
}

/** Without loss no call ends but by somebody's wish. */
function* findDropped(
  caller: SimulatedSide,
  callee: SimulatedSide,
  { loss }: NetworkOptions,
): Iterable<string> {
  if (loss > 0 || caller.hasHungUp || callee.hasHungUp || caller.isAlive) return;
  if (caller.isEstablished) yield `the call ended by itself: ${caller.ends[0]?.cause ?? ''}`;
}

function* findLeftovers(
  sides: readonly SimulatedSide[],
  stacks: readonly SipStack[],
  clock: FakeClock,
): Iterable<string> {
  for (const { name, call, ends } of sides) {
    if (call !== undefined && ends.length !== 1) yield `${name}: ${String(ends.length)} ends`;
  }
  for (const { userAgent, transactions, at } of stacks) {
    if (userAgent.callCount > 0) yield `${at.address}: ${String(userAgent.callCount)} calls left`;
    const { total } = transactions.counts();
    if (total > 0) yield `${at.address}: ${JSON.stringify(transactions.counts())} left`;
  }
  if (clock.pendingTimers > 0) yield `${String(clock.pendingTimers)} timers left`;
}

function traceOf(wire: SipWire): string {
  return wire.log
    .map(({ at, from, message, lost }) => {
      const seconds = (at / 1000).toFixed(3).padStart(9);
      const arrow = from.address.endsWith('.1') ? '→' : '←';
      const what = `${label(message)} ${String(message.cseq.sequence)}`;

      return `${seconds} ${arrow} ${what}${message.body.length > 0 ? ' (SDP)' : ''}${lost ? ' lost' : ''}`;
    })
    .join('\n');
}
