/**
 * Flows that RFCs draw, played against the running server: the other ends are ours, and what the server
 * sends must be what the ladder has, end by end and in its order.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stopAllChildren } from '../support/child-process.ts';
import { LadderPeer, type Ask } from './ladder-peer.ts';
import { NOT_RUN, PLANS, type LadderPlan } from './ladder-plans.ts';
import { readLadders, stepsOf, type Step } from './ladder-steps.ts';
import { startServer, type ServerUnderTest } from './server-under-test.ts';

const PASSWORD = 'ladder-secret';
const HOST_PIN = '4711';

const ladders = readLadders();
let parley: ServerUnderTest;

beforeAll(async () => {
  parley = await startServer('conformance-ladders');
  // On a busy machine a server that has just started may still refuse what is new.
  const deadline = performance.now() + 20_000;
  while ((await parley.prober.alive()) === Infinity && performance.now() < deadline);
});

afterAll(async () => {
  await stopAllChildren();
});

it('every ladder is run or has a reason why not', () => {
  const known = [...new Set(PLANS.map(({ file }) => file)), ...Object.values(NOT_RUN).flat()];

  expect(known.sort()).toEqual(ladders.map(({ file }) => file).sort());
});

describe('ladders out of RFCs', () => {
  it.each(PLANS.map((plan, index) => ({ ...plan, room: String(7_000 + index) })))(
    '$file as $as',
    async ({ room, ...plan }) => {
      const ladder = ladders.find(({ file }) => file === plan.file)!;
      const steps = stepsOf(ladder, plan.as, plan.leftOut);
      expect(steps.length).toBeGreaterThan(1);
      const play = new LadderPlay(plan, room);
      try {
        await play.prepare(steps);
        const seen: string[] = [];
        for (const step of steps) {
          seen.push(await play.perform(step));
          if (seen.at(-1) !== nameOf(step, step.label)) break;
        }
        expect(seen).toEqual(steps.map((step) => nameOf(step, step.label)));
      } finally {
        await play.close();
      }
    },
  );
});

function nameOf({ peer, isOurs }: Step, label: string): string {
  return `${isOurs ? 'to' : 'from'} ${peer}: ${label}`;
}

class LadderPlay {
  readonly #plan: LadderPlan;
  readonly #room: string;
  readonly #peers = new Map<string, LadderPeer>();
  readonly #done = new Set<string>();

  constructor(plan: LadderPlan, room: string) {
    this.#plan = plan;
    this.#room = room;
  }

  async prepare(steps: readonly Step[]): Promise<void> {
    const { server, prober } = parley;
    const plan = this.#plan;
    const username = `u${this.#room}`;
    await server.api('POST', '/rooms', { number: this.#room, hostPin: HOST_PIN });
    await server.api('POST', '/accounts', { username, password: PASSWORD });
    for (const name of new Set(steps.map(({ peer }) => peer))) {
      // The registration that fails does so for its password.
      const password = plan.file.startsWith('rfc3665-05') ? 'wrong' : PASSWORD;
      this.#peers.set(name, new LadderPeer(await prober.udp(), { name, username, password }));
    }
    for (const [name, needs] of Object.entries(plan.before ?? {})) {
      for (const need of needs) await this.#need(name, need);
    }
    if (plan.refers !== undefined && plan.before?.[plan.refers] === undefined) {
      await this.#need(plan.refers, 'challenge');
      await this.#exchange(plan.refers, ['REGISTER', '200']);
    }
  }

  /** What was sent, or what came in its place. */
  async perform(step: Step): Promise<string> {
    const peer = this.#peers.get(step.peer)!;
    if (step.isOurs) {
      await this.#ask(step);

      return nameOf(step, await peer.next(step.label));
    }
    if (/^\d/.test(step.label)) await peer.respond(Number(step.label));
    else await peer.send(step.label.split(' ')[0]!, this.#askFor(step));

    return nameOf(step, step.label);
  }

  async close(): Promise<void> {
    await parley.server.api('DELETE', `/rooms/${this.#room}`);
    for (const peer of this.#peers.values()) peer.close();
  }

  async #need(peer: string, need: string): Promise<void> {
    if (need === 'call') await this.#exchange(peer, ['INVITE', '200', 'ACK']);
    else if (need === 'challenge') await this.#exchange(peer, ['REGISTER', '401']);
    else await this.#exchange(peer, ['SUBSCRIBE', '200', 'NOTIFY conference', '200']);
  }

  /** Turn by turn, the peer first; an ACK is the peer's too. */
  async #exchange(peer: string, labels: readonly string[]): Promise<void> {
    for (const [at, label] of labels.entries()) {
      const isOurs = label !== 'ACK' && (at === 1 || at === 2);
      const step: Step = { peer, isOurs, label, drawn: label };
      expect(await this.perform(step)).toBe(nameOf(step, label));
    }
  }

  /** What the server does because its operator wants it. */
  async #ask({ peer, label }: Step): Promise<void> {
    const { server } = parley;
    const isAsked = this.#plan.asked?.some((asked) => asked === label) === true;
    if (!isAsked || this.#done.has(label)) return;
    this.#done.add(label);
    const path = `/rooms/${this.#room}`;
    if (label === 'INVITE') {
      await server.api('POST', `${path}/calls`, { uri: this.#peers.get(peer)!.uri });
    } else {
      const [member] = await server.participants(this.#room);
      await server.api('DELETE', `${path}/participants/${member?.id ?? ''}`);
    }
  }

  #askFor({ label, drawn }: Step): Ask {
    const at = `127.0.0.1:${parley.prober.port}`;
    switch (label) {
      case 'INVITE': {
        const direction =
          drawn.includes('hold)') && !drawn.includes('unhold') ? 'sendonly' : 'sendrecv';
        const sdp = /no SDP/.test(drawn) ? undefined : direction;

        return { uri: `sip:${this.#room}*${HOST_PIN}@${at}`, sdp };
      }
      case 'REGISTER':
        return { uri: `sip:u${this.#room}@${at}` };
      case 'SUBSCRIBE':
        return { uri: `sip:${this.#room}@${at}`, headers: [['Event', 'conference']] };
      case 'REFER':
        return { uri: '', headers: [['Refer-To', this.#referTo(drawn)]] };
      default:
        return { uri: `sip:${this.#room}@${at}` };
    }
  }

  #referTo(drawn: string): string {
    const target = this.#peers.get(this.#plan.refers!)!;
    if (drawn.includes('method=BYE')) return `<${target.uri};method=BYE>`;

    return `<sip:u${this.#room}@127.0.0.1>`;
  }
}
