import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  fullDocument,
  partialDocument,
  writeState,
  type ConferenceState,
  type EndpointState,
  type UserState,
} from '../../../../signaling/sip/focus/conference-document.ts';
import { projectPath } from '../../../support/scratch.ts';
import { child, readXml, type XmlElement } from '../../../support/xml-tree.ts';
import { validate } from '../../../support/xmllint.ts';

const SCHEMA = 'rfc4575/01-s6-schema.xsd';
const URI = 'sip:1000@example.com';

const text = fc.string({ unit: 'binary', maxLength: 12 });

const endpoint: fc.Arbitrary<EndpointState> = fc.record(
  {
    entity: fc.uuid().map((id) => `sip:a@b;gruu=${id}`),
    displayText: text,
    status: fc.constantFrom(
      'dialing-out',
      'alerting',
      'connected',
      'on-hold',
      'muted-via-focus',
      'disconnected',
    ),
    joiningMethod: fc.constantFrom('dialed-in', 'dialed-out'),
    joinedAt: fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
      .map((date) => date.toISOString()),
    media: fc.array(
      fc.record({
        id: fc.constantFrom('1', '2'),
        type: fc.constantFrom('audio', 'video'),
        label: text,
        status: fc.constantFrom('sendrecv', 'sendonly', 'recvonly', 'inactive'),
      }),
      { maxLength: 2 },
    ),
    disconnectionMethod: fc.constantFrom('departed', 'booted', 'failed', 'busy'),
    dialog: fc.record({ callId: text, fromTag: text, toTag: text }),
  },
  { requiredKeys: ['entity', 'displayText', 'status', 'joiningMethod', 'media'] },
);

const user: fc.Arbitrary<UserState> = fc.record({
  displayText: text,
  roles: fc.constantFrom(['host'], ['guest'], ['host', 'guest']),
  endpoints: fc.array(endpoint, { minLength: 1, maxLength: 2 }),
});

const conference: fc.Arbitrary<ConferenceState> = fc
  .record({
    displayText: text,
    maximumUserCount: fc.nat(),
    active: fc.boolean(),
    users: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), user), { maxLength: 6 }),
  })
  .map(({ users, ...rest }) => ({
    ...rest,
    users: new Map(users.map(([name, state]) => [`sip:${name}@example.com`, state])),
  }));

/** RFC 4575 4.6, as a subscriber does it: the document that it has, and one that comes. */
function apply(local: XmlElement, incoming: XmlElement): XmlElement {
  if (incoming.attributes['state'] === 'full') return incoming;
  const children = new Map(local.children.map((each) => [each.name, each]));
  for (const each of incoming.children) {
    const isPartial = each.name === 'users' && each.attributes['state'] === 'partial';
    children.set(each.name, isPartial ? applyUsers(children.get('users')!, each) : each);
  }

  return { ...local, children: [...children.values()] };
}

function applyUsers(local: XmlElement, incoming: XmlElement): XmlElement {
  const users = new Map(local.children.map((each) => [each.attributes['entity'], each]));
  for (const each of incoming.children) {
    const key = each.attributes['entity'];
    if (each.attributes['state'] === 'deleted') users.delete(key);
    else users.set(key, each);
  }

  return { ...local, children: [...users.values()] };
}

/** What a document says, whatever the order of users and its version. */
function content(document: XmlElement): unknown {
  const users = [...child(document, 'users')!.children].sort((a, b) =>
    (a.attributes['entity'] ?? '').localeCompare(b.attributes['entity'] ?? ''),
  );

  return { rest: document.children.filter((each) => each.name !== 'users'), users };
}

describe('conference documents', () => {
  it('4575-4.6-a partials applied to the first full one give a fresh full one', () => {
    fc.assert(
      fc.property(fc.array(conference, { minLength: 1, maxLength: 6 }), (states) => {
        const written = states.map(writeState);
        const first = written[0]!;
        let local = readXml(fullDocument(URI, 1, first));
        written.slice(1).forEach((now, i) => {
          const partial = partialDocument(URI, i + 2, written[i]!, now);
          if (partial !== undefined) local = apply(local, readXml(partial));
          expect(content(local)).toEqual(content(readXml(fullDocument(URI, 1, now))));
        });
      }),
      { numRuns: 200 },
    );
  });

  it('4575-4.1-a are valid against the schema of the RFC, full and partial', () => {
    const pairs = fc.sample(fc.tuple(conference, conference), 100);
    const documents = pairs.flatMap(([before, now], i) => {
      const [a, b] = [writeState(before), writeState(now)];
      const partial = partialDocument(URI, i + 1, a, b);

      return partial === undefined ? [fullDocument(URI, i, a)] : [fullDocument(URI, i, a), partial];
    });

    expect(validate(SCHEMA, documents)).toBe('');
  });

  it('the check itself passes what the RFC shows, and not what it forbids', () => {
    const example = readFileSync(
      projectPath('test/fixtures/rfc4575/02-s7_1-conference-info.xml'),
      'utf8',
    );

    expect(validate(SCHEMA, [example])).toBe('');
    expect(validate(SCHEMA, [example.replace('<users>', '<users><x/>')])).not.toBe('');
  });

  it('says nothing when nothing changed', () => {
    fc.assert(
      fc.property(conference, (state) => {
        expect(partialDocument(URI, 2, writeState(state), writeState(state))).toBeUndefined();
      }),
    );
  });

  it('4575-4.4-a a user who left is deleted, without children', () => {
    const before = writeState(withUsers('a', 'b'));
    const partial = readXml(partialDocument(URI, 2, before, writeState(withUsers('b')))!);
    const users = child(partial, 'users')!;

    expect(partial.attributes).toMatchObject({ state: 'partial', version: '2', entity: URI });
    expect(users.attributes['state']).toBe('partial');
    expect(users.children).toMatchObject([
      { attributes: { entity: 'sip:a@example.com', state: 'deleted' }, children: [] },
    ]);
  });
});

function withUsers(...names: string[]): ConferenceState {
  const state: UserState = {
    displayText: 'x',
    roles: ['guest'],
    endpoints: [
      {
        entity: 'e',
        displayText: 'Phone',
        status: 'connected',
        joiningMethod: 'dialed-in',
        joinedAt: '2026-01-01T00:00:00.000Z',
        media: [],
      },
    ],
  };

  return {
    displayText: 'Room',
    maximumUserCount: 5,
    active: true,
    users: new Map(names.map((name) => [`sip:${name}@example.com`, state])),
  };
}
