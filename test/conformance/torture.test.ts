import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stopAllChildren } from '../support/child-process.ts';
import { projectPath } from '../support/scratch.ts';
import { startServer, type ServerUnderTest } from './server-under-test.ts';
import { ALIVE_MS, FRAMINGS, type Framing, type Outcome } from './sip-prober.ts';

interface Expected {
  readonly file: string;
  readonly section: string;
  readonly kind: string;
  readonly preferred: string;
  readonly alsoAcceptable: readonly string[];
}

/** A request that is well formed is never told that it is not. */
const ILL_FORMED = [400, 500, 505, 513];

/** What must be said beside the status. */
const HEADERS: Readonly<Record<string, readonly [name: string, value: RegExp]>> = {
  'bext01.dat': ['Unsupported', /nothingSupportsThis, ?nothingSupportsThisEither/],
  'esc02.dat': ['Allow', /INVITE/],
  'invut.dat': ['Accept', /application\/sdp/],
};

/** RFC 4475 3.1.2.2: on a stream the message is not complete, and nothing is answered. */
const INCOMPLETE_ON_STREAMS = new Set(['clerr.dat']);

/** 3.1.1.8: the INVITE behind the REGISTER has octets beyond its Content-Length. */
const SWALLOWS_NEXT = new Set(['dblreq.dat']);

let parley: ServerUnderTest;

beforeAll(async () => {
  parley = await startServer('conformance-torture');
});

afterAll(async () => {
  await stopAllChildren();
});

describe.each(['rfc4475', 'rfc5118'])('%s over sockets', (set) => {
  const folder = projectPath('test/fixtures', set);
  const { messages } = JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) as {
    messages: Expected[];
  };
  const cases = messages.flatMap((expected) =>
    FRAMINGS.map((framing) => ({ ...expected, framing })),
  );

  it.each(cases)('$section $file as $framing: $preferred', async (expected) => {
    const { file, framing } = expected;
    const bytes = readFileSync(`${folder}/messages/${file}`);
    const outcome = await parley.prober.probe(bytes, framing, isIncomplete(file, framing));
    expect(outcome.aliveAfterMs).toBeLessThan(ALIVE_MS);
    expectVerdict(expected, framing, outcome);
  });
});

function isIncomplete(file: string, framing: Framing): boolean {
  return framing !== 'datagram' && INCOMPLETE_ON_STREAMS.has(file);
}

function expectVerdict(expected: Expected, framing: Framing, outcome: Outcome): void {
  const { file, kind, preferred, alsoAcceptable } = expected;
  const incomplete = isIncomplete(file, framing);
  if (framing === 'segment' && !SWALLOWS_NEXT.has(file)) {
    expect(outcome.nextAnswered).toBe(!incomplete);
  }
  if (kind === 'response' || incomplete) {
    expect(outcome.responses).toEqual([]);

    return;
  }
  expect(outcome.status).toBeDefined();
  const status = outcome.status ?? 0;
  const accepted = [preferred, ...alsoAcceptable];
  if (!accepted.includes(String(status))) {
    expect(accepted).toContain('accept');
    expect(ILL_FORMED).not.toContain(status);
  }
  const header = HEADERS[file];
  if (header !== undefined) expect(outcome.response?.headers.get(header[0])).toMatch(header[1]);
}
