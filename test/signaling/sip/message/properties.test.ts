import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  buildRequest,
  makeSipUri,
  parseMessage,
  serializeMessage,
  StreamFramer,
  type SipMessage,
} from '../../../../signaling/sip/message/index.ts';

const FOLDER = join(__dirname, '../../../fixtures/rfc4475/messages');
const seeds = readdirSync(FOLDER).map((file) => readFileSync(join(FOLDER, file)));

/** Of processor time, for 64 kB. */
const MAX_PARSE_MS = 100;

const text = fc
  .string({ unit: 'grapheme', maxLength: 30 })
  .map((value) => value.replace(/[\r\n]/g, '').trim());
const token = fc.stringMatching(/^[a-zA-Z0-9.!%*_+`'~-]{1,20}$/);

const request = fc
  .record({
    method: token,
    user: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
    display: text,
    subject: text,
    callId: token,
    cseq: fc.nat(),
    tag: token,
    names: fc.array(
      token.map((name) => `X-${name}`),
      { maxLength: 5 },
    ),
    body: fc.uint8Array({ maxLength: 200 }),
  })
  .map((parts) => {
    const uri = makeSipUri({ user: parts.user, host: 'example.com', params: { lr: undefined } });
    const message = buildRequest({
      method: parts.method,
      uri,
      from: { displayName: parts.display, uri, params: new Map([['tag', parts.tag]]) },
      to: { displayName: undefined, uri, params: new Map() },
      callId: parts.callId,
      cseq: parts.cseq,
      contact: { displayName: undefined, uri, params: new Map() },
      headers: [
        ['Subject', parts.subject],
        ...parts.names.map((name) => [name, parts.subject] as const),
      ],
      body: { type: 'application/octet-stream', content: parts.body },
    });
    message.headers.prepend('Via', `SIP/2.0/UDP h.example;branch=z9hG4bK${parts.tag}`);

    return message;
  });

function shape(message: SipMessage): unknown {
  return {
    line:
      message.kind === 'request' ? [message.method, message.uri] : [message.status, message.reason],
    // The serialiser writes Content-Length itself, at the end.
    fields: [...message.headers]
      .filter(({ key }) => key !== 'content-length')
      .map(({ key, value }) => [key, value]),
    body: Buffer.from(message.body).toString('hex'),
    from: message.from,
    to: message.to,
    vias: message.vias,
    cseq: message.cseq,
  };
}

function roundTrip(message: SipMessage): void {
  const again = parseMessage(serializeMessage(message), { stream: true });
  if (again.kind === 'parse-error') throw new Error(again.reason);
  expect(shape(again)).toEqual(shape(message));
}

describe('properties', () => {
  it('parse, serialise, parse is equal for what we build', () => {
    fc.assert(
      fc.property(request, (message) => {
        roundTrip(message);
      }),
      { numRuns: 300 },
    );
  });

  it('parse, serialise, parse is equal for every well-formed torture message', () => {
    for (const seed of seeds) {
      const message = parseMessage(seed);
      if (message.kind !== 'parse-error') roundTrip(message);
    }
  });

  const mutation = fc.record({
    seed: fc.nat(seeds.length - 1),
    edits: fc.array(
      fc.record({ at: fc.nat(), remove: fc.nat(8), insert: fc.uint8Array({ maxLength: 6 }) }),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
  });

  function mutate({
    seed,
    edits,
  }: {
    seed: number;
    edits: { at: number; remove: number; insert: Uint8Array }[];
  }): Buffer {
    let bytes: Buffer = seeds[seed]!;
    for (const { at, remove, insert } of edits) {
      const start = at % (bytes.length + 1);
      bytes = Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]);
    }

    return bytes;
  }

  it('any mutation gives a message or a ParseError, never a throw; a message can be sent on', () => {
    fc.assert(
      fc.property(mutation, (edits) => {
        const message = parseMessage(mutate(edits));
        if (message.kind !== 'parse-error') roundTrip(message);
      }),
      { numRuns: 3_000 },
    );
  });

  const fillers = [
    'a',
    ' ',
    ';',
    ',',
    '<',
    '"',
    '\\',
    '%',
    '%41',
    '\r\n ',
    'a;b=',
    '"a", ',
    'sip:a@b,',
    '1.',
    ':',
  ];
  const heads = ['Via', 'To', 'Contact', 'Call-ID', 'CSeq', 'Content-Length', 'X-Any', 'i'];
  const placed = fc.record({
    seed: fc.nat(seeds.length - 1),
    head: fc.constantFrom(...heads),
    filler: fc.constantFrom(...fillers),
    isStart: fc.boolean(),
  });

  it('is read in bounded time, however a message of the greatest size is filled', () => {
    fc.assert(
      fc.property(placed, ({ seed, head, filler, isStart }) => {
        const [first = '', ...lines] = seeds[seed]!.toString('latin1').split('\r\n');
        const fill = filler.repeat(Math.floor(60_000 / filler.length));
        const text = isStart
          ? [first.replace(' ', ` ${fill}`), ...lines]
          : [first, `${head}: ${fill}`, ...lines];
        const bytes = Buffer.from(text.join('\r\n'), 'latin1');
        const before = process.cpuUsage();
        const message = parseMessage(bytes);
        if (message.kind !== 'parse-error') serializeMessage(message);
        const { user, system } = process.cpuUsage(before);
        expect((user + system) / 1_000).toBeLessThan(MAX_PARSE_MS);
      }),
      { numRuns: 500 },
    );
  });

  it('any mutation of a stream gives frames, never a throw', () => {
    fc.assert(
      fc.property(mutation, fc.nat(600), (edits, cut) => {
        const bytes = mutate(edits);
        const framer = new StreamFramer();
        const frames = [
          ...framer.push(bytes.subarray(0, cut)),
          ...framer.push(bytes.subarray(cut)),
        ];
        for (const frame of frames)
          if (frame.kind === 'message') parseMessage(frame.bytes, { stream: true });
      }),
      { numRuns: 1_000 },
    );
  });
});
