/**
 * What was written to break SIP servers. Memory is measured as an operator sees it: resident, once the
 * server has nothing to do and has had up to a minute to give back what the last cases took.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SipMessage } from '../../signaling/sip/message/index.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { missing, protosCases, samples, type ProtosCase } from './corpora.ts';
import { startServer, type ServerUnderTest } from './server-under-test.ts';
import {
  ALIVE_MS,
  FRAMINGS,
  sendAs,
  textOf,
  until,
  withSentBy,
  type Framing,
  type Line,
} from './sip-prober.ts';

const SEEDS = [
  'pjsip-fuzz-seeds',
  'sipgo',
  'resiprocate',
  'libosip2',
  'kirm-sip.js',
  'belle-sip',
  'janus-fuzz',
  'jain-sip-torture',
];
const MAX_DATAGRAM = 65_000;
const MEMORY_MARGIN_KB = 50 * 1024;
const CASE_MS = 500;
/**
 * Cases on their way at once. Octet by octet one case leaves the server idle while we write, and us
 * while it reads.
 */
const AT_ONCE: Readonly<Record<Framing, number>> = {
  datagram: 1,
  stream: 1,
  octets: 6,
  segment: 1,
};

let parley: ServerUnderTest;

beforeAll(async () => {
  parley = await startServer('conformance-hostile');
});

afterAll(async () => {
  await stopAllChildren();
});

const noProtos = missing('protos-c07-sip');
describe(noProtos === undefined ? 'PROTOS c07-sip' : `PROTOS c07-sip: skipped, ${noProtos}`, () => {
  if (noProtos !== undefined) {
    it('has nothing to send', () => {
      expect(noProtos).toMatch(/beside the checkout/);
    });

    return;
  }
  const cases = protosCases();
  let before = 0;

  beforeAll(async () => {
    // Code that is compiled and buffers that are made once are no leak.
    for (const framing of FRAMINGS) await sendAll(cases.slice(0, 50), framing, 'warm');
    before = residentKb(parley.server.child.pid);
  }, 60_000);

  it.each(FRAMINGS)(
    'is answered, and a valid OPTIONS after each, as %s',
    async (framing) => {
      expect(await sendAll(cases, framing, 'run')).toEqual([]);
    },
    90_000,
  );

  it('leaves the memory within 50 MB of before', async () => {
    let after = Infinity;
    // Transactions of the last cases live for 32 s more.
    for (let round = 0; round < 150 && after > before + MEMORY_MARGIN_KB; round++) {
      await until(() => false, 400);
      after = residentKb(parley.server.child.pid);
    }
    console.log(
      `resident memory: ${before} kB before, ${after} kB after ${4 * cases.length} cases`,
    );
    expect(after - before).toBeLessThan(MEMORY_MARGIN_KB);
  }, 90_000);
});

const noSeeds = missing(...SEEDS);
describe(noSeeds === undefined ? 'fuzz seeds' : `fuzz seeds: skipped, ${noSeeds}`, () => {
  if (noSeeds !== undefined) {
    it('has nothing to send', () => {
      expect(noSeeds).toMatch(/beside the checkout/);
    });

    return;
  }
  const seeds = samples(...SEEDS).filter(({ bytes }) => bytes.length < MAX_DATAGRAM);

  it.each(FRAMINGS)(
    'are survived, and a valid OPTIONS is answered after each, as %s',
    async (framing) => {
      const dead: string[] = [];
      for (const { name, bytes } of seeds) {
        const outcome = await parley.prober.probe(bytes, framing, true);
        if (!(outcome.aliveAfterMs < ALIVE_MS)) dead.push(name);
      }
      expect(dead).toEqual([]);
      expect(parley.server.child.running).toBe(true);
    },
    60_000,
  );
});

/** The names of the cases after which a valid OPTIONS had no answer. */
async function sendAll(cases: ProtosCase[], framing: Framing, run: string): Promise<string[]> {
  const dead: string[] = [];
  const left = cases.values();
  const worker = async (): Promise<void> => {
    for (const { name, messages } of left) {
      const alive = await sendCase(messages, framing, `${run}${framing}${name}`);
      if (!(alive < ALIVE_MS)) dead.push(name);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE[framing] }, worker));

  return dead;
}

/** The INVITE, and, if it was let in, ACK and BYE: what its teardown is for. */
async function sendCase(
  messages: readonly Buffer[],
  framing: Framing,
  id: string,
): Promise<number> {
  const { prober } = parley;
  // What fits no datagram can come in a stream only.
  if (framing === 'datagram' && messages.some(({ length }) => length > MAX_DATAGRAM)) {
    return sendCase(messages, 'stream', id);
  }
  const line = framing === 'datagram' ? await prober.udp() : await prober.tcp();
  const fill = (index: number, method = ''): Buffer =>
    fillIn(messages[index] ?? Buffer.alloc(0), {
      id,
      port: line.localPort,
      to: prober.port,
      method,
    });
  try {
    const options = prober.options(line.localPort, framing === 'datagram' ? 'UDP' : 'TCP');
    await sendAs(line, framing, fill(0), options.bytes);
    const alive = await prober.alive();
    const isFinal = (message: SipMessage): boolean =>
      message.kind === 'response' && message.status >= 200 && message.method === 'INVITE';
    await finish(line, isFinal);
    const method = line.received.some((message) => isFinal(message) && isSuccess(message))
      ? 'BYE'
      : 'CANCEL';
    if (method === 'BYE') await line.send(fill(1, 'ACK'));
    await line.send(fill(1, method));

    return alive;
  } finally {
    line.close();
  }
}

/** An answer may be late, and there may be none: an INVITE that is no SIP has none. */
async function finish(line: Line, isFinal: (message: SipMessage) => boolean): Promise<void> {
  const isOver = (): boolean => line.received.some(isFinal);
  const isTrying = line.received.some(
    (message) => message.kind === 'response' && message.status < 200,
  );
  if (isTrying) await until(isOver, CASE_MS);
}

function isSuccess(message: SipMessage): boolean {
  return message.kind === 'response' && message.status < 300;
}

interface Tags {
  readonly id: string;
  readonly port: number;
  readonly to: number;
  readonly method: string;
}

function fillIn(template: Buffer, { id, port, to, method }: Tags): Buffer {
  const text = textOf(template)
    .replaceAll('<To>', `100@127.0.0.1:${to}`)
    .replaceAll('<From>', `probe@127.0.0.1:${port}`)
    .replaceAll('<From-Address>', '127.0.0.1')
    .replaceAll('<From-IP>', '127.0.0.1')
    .replaceAll('<Local-Port>', String(port))
    .replaceAll('<Branch-ID>', id)
    .replaceAll('<Call-ID>', id)
    .replaceAll('<CSeq>', '1')
    .replaceAll('<Teardown-Method>', method);
  const body = text.length - (text.indexOf('\r\n\r\n') + 4);

  return withSentBy(Buffer.from(text.replaceAll('<Content-Length>', String(body)), 'latin1'), port);
}

function residentKb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');

  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Infinity);
}
