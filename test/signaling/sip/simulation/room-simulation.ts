/**
 * A room whose phones speak WebRTC over a bad network: joins, leaves, holds and pages that switch their
 * cameras, as a seed has it. Gateway, room, stacks and negotiation are the real ones, on both sides.
 */
import { silentLogger, type ProducerId, type RoomNumber } from '../../../../base/index.ts';
import { RoomManager, type Participant } from '../../../../server/index.ts';
import { MemberCalls } from '../../../../signaling/sip/focus/index.ts';
import { ReceptionDesk } from '../../../../signaling/sip/gateway-reception.ts';
import { SipGateway } from '../../../../signaling/sip/gateway.ts';
import { MemoryStore, RecordingSink } from '../../../server/room-harness.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeVoice } from '../../../support/fake-voice.ts';
import { SipStack, SipWire } from '../../../support/sip-wire.ts';
import { SeededRandom } from './random.ts';
import { SimulatedMediaEngine } from './simulated-media.ts';
import { SimulatedPhone } from './simulated-phone.ts';
import type { NetworkOptions } from './simulation.ts';

export interface RoomOutcome {
  readonly faults: readonly string[];
  readonly outcomes: ReadonlyMap<string, number>;
  readonly phonesAtRest: number;
}

const ACTIONS_MS = 40_000;
const LAST_MS = 1500;
/** All transactions, retries after glare and rests after refusals have had their time. */
const REST_MS = 400_000;
/** The user part that stacks dial. */
const ROOM = 'room' as RoomNumber;
const STREAM = { transportId: 't', rtpParameters: { codecs: [] }, paused: false };
const SERVER = { address: '10.0.0.1', port: 5060 };

export async function simulateRoom(seed: number, network: NetworkOptions): Promise<RoomOutcome> {
  const play = new RoomPlay(seed, network);
  await play.act();
  await play.rest();
  const faults = play.compare();
  await play.end();

  return {
    faults: [...faults, ...play.leftovers()],
    outcomes: play.outcomes,
    phonesAtRest: play.phonesAtRest,
  };
}

class RoomPlay {
  readonly outcomes = new Map<string, number>();
  readonly #clock = new FakeClock();
  readonly #random: SeededRandom;
  readonly #rooms: RoomManager;
  readonly #server: SipStack;
  readonly #phones: SimulatedPhone[] = [];
  readonly #stacks: SipStack[] = [];
  readonly #pages: Participant[] = [];
  phonesAtRest = 0;
  #isCalm = false;

  constructor(seed: number, network: NetworkOptions) {
    const random = new SeededRandom(seed);
    const clock = this.#clock;
    this.#random = random;
    const wire = new SipWire(clock, {
      fate: () => {
        if (this.#isCalm) return [5];
        if (random.chance(network.loss)) return [];
        const copies = random.chance(network.duplication) ? 2 : 1;

        return Array.from({ length: copies }, () => random.between(...network.latency));
      },
    });
    const voice = new FakeVoice();
    this.#rooms = new RoomManager({
      settings: { autoCreate: true, maxParticipants: 500 },
      media: new SimulatedMediaEngine(clock),
      voice,
      store: new MemoryStore(),
      clock,
      logger: silentLogger,
    });
    const handler = new SipGateway({
      rooms: this.#rooms,
      calls: new MemberCalls(clock),
      desk: new ReceptionDesk({ rooms: this.#rooms, voice, clock, logger: silentLogger }),
      publicAddress: SERVER.address,
      clock,
      logger: silentLogger,
      counters: {
        callSetup: () => undefined,
        reinvite: (reason, outcome) => {
          const key = `${reason} ${outcome}`;
          this.outcomes.set(key, (this.outcomes.get(key) ?? 0) + 1);
        },
      },
    });
    this.#server = new SipStack(wire, SERVER, { handler, random: random.next });
    for (let index = random.between(2, 5); index > 0; index--) {
      const at = { address: `10.0.0.${String(index + 1)}`, port: 5060 };
      this.#stacks.push(new SipStack(wire, at, { random: random.next }));
      this.#phones.push(new SimulatedPhone(`phone ${String(index)}`, clock, random));
    }
  }

  /** Plans what is done, and lets the time pass in which it is. */
  async act(): Promise<void> {
    const random = this.#random;
    for (const [index, phone] of this.#phones.entries()) {
      // Many at once, now and then.
      const joinAt = random.between(0, random.pick([100, ACTIONS_MS / 2]));
      this.#at(joinAt, () => phone.dial(this.#stacks[index]!, this.#server));
      for (let holds = random.between(0, 3); holds > 0; holds--) {
        this.#at(random.between(joinAt, ACTIONS_MS), () => phone.hold(random.chance(0.5)));
      }
      if (random.chance(0.3)) this.#at(random.between(joinAt, ACTIONS_MS), () => phone.hangUp());
    }
    for (let pages = random.between(0, 3); pages > 0; pages--) {
      this.#at(random.between(0, ACTIONS_MS), () => void this.#playPage());
    }
    // The last changes of all come while others are under way: nothing comes later that would mend them.
    for (let last = random.between(0, 3); last > 0; last--) {
      this.#at(ACTIONS_MS - random.between(0, LAST_MS), () => void this.#joinPage());
    }
    await this.#clock.advanceAsync(ACTIONS_MS);
  }

  /** Nobody does anything any more, and nobody holds. */
  async rest(): Promise<void> {
    for (const phone of this.#phones) phone.hold(false);
    await this.#clock.advanceAsync(REST_MS);
  }

  /** What each phone has, against what the room has for it. */
  compare(): string[] {
    const room = this.#rooms.get(ROOM);
    const faults: string[] = [];
    const inRoom = room?.roster().filter(({ kind }) => kind === 'phone').length ?? 0;
    const alive = this.#phones.filter((phone) => phone.isAlive);
    this.phonesAtRest = alive.length;
    if (inRoom !== alive.length) faults.push(`${inRoom} phones in the room, ${alive.length} up`);
    const labels = (room?.producers() ?? []).map(
      ({ participantId, source }) => `${participantId}.${source}`,
    );
    const all = new Set(labels);
    for (const phone of alive) {
      const { name, isHolding, hasResigned } = phone;
      if (isHolding && !hasResigned) faults.push(`${name} holds, and does not want to`);
      const carried = phone.carried();
      if (new Set(carried).size !== carried.length) faults.push(`${name} has a stream twice`);
      const strange = carried.filter((label) => !all.has(label));
      if (strange.length > 0) faults.push(`${name} has what is gone: ${strange.join(', ')}`);
      // Its own two are the ones that it does not get.
      const missing = labels.length - carried.length;
      const own = labels.filter((label) => !carried.includes(label));
      const owners = new Set(own.map((label) => label.split('.')[0]));
      if (missing !== 2 || owners.size !== 1) faults.push(`${name} lacks ${own.join(', ')}`);
    }

    return faults;
  }

  async end(): Promise<void> {
    this.#isCalm = true;
    for (const phone of this.#phones) phone.hangUp();
    await Promise.all(this.#pages.map((page) => page.leave('left')));
    await this.#clock.advanceAsync(REST_MS);
  }

  leftovers(): string[] {
    const stacks = [this.#server, ...this.#stacks];
    const calls = stacks.reduce((sum, { userAgent }) => sum + userAgent.callCount, 0);
    const faults = calls === 0 ? [] : [`${calls} calls left`];
    for (const { name, call, ends } of this.#phones) {
      if (call !== undefined && ends.length !== 1) faults.push(`${name}: ${ends.length} ends`);
    }
    const timers = this.#clock.pendingTimers;
    if (timers > 0) faults.push(`${timers} timers left`);

    return faults;
  }

  /** With a microphone. */
  async #joinPage(): Promise<Participant> {
    const page = await this.#rooms.join(
      { room: ROOM, name: 'page', kind: 'browser', address: '192.0.2.1' },
      new RecordingSink(),
    );
    page.activate();
    this.#pages.push(page);
    await page.webRtcLeg.produce({ ...STREAM, kind: 'audio', source: 'microphone' });

    return page;
  }

  /** Joins, switches its camera a few times, and may leave. */
  async #playPage(): Promise<void> {
    const random = this.#random;
    const page = await this.#joinPage();
    const { webRtcLeg: leg } = page;
    let camera: ProducerId | undefined;
    const toggle = async (): Promise<void> => {
      const before = camera;
      camera = undefined;
      if (before !== undefined) await leg.closeProducer(before);
      else camera = (await leg.produce({ ...STREAM, kind: 'video', source: 'camera' })).id;
    };
    for (let toggles = random.between(0, 4); toggles > 0; toggles--) {
      this.#at(random.between(0, 5000), toggle);
    }
    if (random.chance(0.5)) this.#at(random.between(0, 10_000), () => page.leave('left'));
  }

  #at(delay: number, act: () => void | Promise<void>): void {
    this.#clock.setTimer(delay, () => void act());
  }
}
