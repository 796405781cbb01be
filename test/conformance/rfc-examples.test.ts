import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseMessage } from '../../signaling/sip/message/index.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { projectPath } from '../support/scratch.ts';
import { startServer, type ServerUnderTest } from './server-under-test.ts';
import { ALIVE_MS, FRAMINGS, textOf, type Framing, type Outcome } from './sip-prober.ts';

/** `fragment` and `rfc-text-error` must do no harm, and no more is asked of them. */
interface Example {
  readonly file: string;
  readonly verdict: 'valid' | 'fragment' | 'rfc-text-error';
  readonly rfc: number;
}

interface Flow {
  readonly rfc: number;
  readonly section: string;
  readonly title: string;
  readonly steps: readonly { readonly file: string }[];
}

const FOLDER = projectPath('test/fixtures/rfc-examples');
const ILL_FORMED = [400, 500, 505, 513];

/** Mistakes of the RFCs' own beyond those that the index names, and what they are answered with. */
const ERRATA: Readonly<Record<string, number>> = {
  // An INVITE with "CSeq: 521 REFER".
  'rfc5589/005-s6_1-F5-INVITE.sip': 400,
  // The body is "<sdp body here>".
  'rfc6140/002-s8_1-x-INVITE.sip': 400,
};

const examples = load<Example[]>('index.json');
const flows = load<Flow[]>('flows.json');
const rfcs = [...new Set(examples.map(({ rfc }) => rfc))];
const verdicts = new Map(examples.map(({ file, verdict }) => [file, verdict]));

let parley: ServerUnderTest;

beforeAll(async () => {
  parley = await startServer('conformance-examples');
});

afterAll(async () => {
  await stopAllChildren();
});

describe.each(FRAMINGS)('messages out of RFCs as %s', (framing) => {
  it.each(rfcs)('RFC %i', async (rfc) => {
    const problems: string[] = [];
    for (const { file, verdict } of examples.filter((example) => example.rfc === rfc)) {
      const problem = await problemWith(file, verdict, framing);
      if (problem !== undefined) problems.push(`${file}: ${problem}`);
    }
    expect(problems).toEqual([]);
  });
});

describe('flows out of RFCs, each in its order', () => {
  it.each(flows)('RFC $rfc $section $title', async ({ steps }) => {
    const problems: string[] = [];
    for (const { file } of steps) {
      const problem = await problemWith(file, verdicts.get(file) ?? 'fragment', 'datagram');
      if (problem !== undefined) problems.push(`${file}: ${problem}`);
    }
    expect(problems).toEqual([]);
  });
});

async function problemWith(
  file: string,
  verdict: Example['verdict'],
  framing: Framing,
): Promise<string | undefined> {
  const bytes = readFileSync(`${FOLDER}/${file}`);
  const isSilent = verdict !== 'valid';
  const outcome = await parley.prober.probe(bytes, framing, isSilent);
  if (!(outcome.aliveAfterMs < ALIVE_MS)) return 'no answer to the OPTIONS after it';
  if (isSilent) return undefined;
  const isResponse = bytes.subarray(0, 4).toString() === 'SIP/';

  if (isResponse) return problemWithResponse(bytes, outcome);
  const erratum = ERRATA[file] ?? (isUnframed(bytes, framing) ? 400 : undefined);
  if (erratum === undefined) return problemWithRequest(bytes, outcome);

  return outcome.status === erratum ? undefined : `${outcome.status} in place of ${erratum}`;
}

/** RFC 3261 18.3: "The Content-Length header field MUST be used with stream oriented transports." */
function isUnframed(bytes: Uint8Array, framing: Framing): boolean {
  return framing !== 'datagram' && !/^(?:content-length|l)[ \t]*:/im.test(textOf(bytes));
}

/** Nobody answers a response; that it is well formed our own parser must say. */
function problemWithResponse(bytes: Uint8Array, outcome: Outcome): string | undefined {
  if (outcome.responses.length > 0) return `answered with ${outcome.responses[0]!.status}`;
  const message = parseMessage(bytes);

  return message.kind === 'parse-error' ? message.reason : undefined;
}

function problemWithRequest(bytes: Uint8Array, outcome: Outcome): string | undefined {
  if (textOf(bytes).startsWith('ACK ')) {
    return outcome.responses.length > 0 ? 'an ACK was answered' : undefined;
  }
  const { status, response } = outcome;
  if (status === undefined) return 'no answer';

  return ILL_FORMED.includes(status) ? `${status} ${response?.reason}` : undefined;
}

function load<T>(file: string): T {
  return JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8')) as T;
}
