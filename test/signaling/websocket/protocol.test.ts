import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Compile } from 'typebox/compile';
import { CLOSE_REASONS } from '../../../server/index.ts';
import { endedReason } from '../../../signaling/websocket/member.ts';
import { parseRequest } from '../../../signaling/websocket/parse-request.ts';
import {
  NOTIFICATIONS,
  PROTOCOL_VERSION,
  REQUESTS,
} from '../../../signaling/websocket/protocol.ts';
import { PROTOCOL_VERSION as VERSION_OF_THE_WEB_APP } from '../../../web/protocol-version.ts';

const requestId = '0123456789abcdef';

describe('the protocol', () => {
  it('has one version for the server and the web app', () => {
    expect(VERSION_OF_THE_WEB_APP).toBe(PROTOCOL_VERSION);
  });

  it('is described with every request and every notification', () => {
    const page = readFileSync(join(process.cwd(), 'docs', 'protocol.md'), 'utf8');
    const described = [...page.matchAll(/^\| `([a-z-]+)`/gm)].map((match) => match[1]);

    expect(described.sort()).toEqual(
      [...Object.keys(REQUESTS), ...Object.keys(NOTIFICATIONS)].sort(),
    );
    expect(page).toContain(`Version ${PROTOCOL_VERSION}`);
  });

  it('has a word for every close reason', () => {
    const valid = Compile(NOTIFICATIONS.ended);

    for (const reason of CLOSE_REASONS) {
      expect(valid.Check({ reason: endedReason(reason), message: '', retryable: true })).toBe(true);
    }
  });

  it('asks every request for an id that cannot be guessed', () => {
    for (const [name, schema] of Object.entries(REQUESTS)) {
      expect([name, schema.required]).toEqual([name, expect.arrayContaining(['requestId'])]);
    }
    expect(parseRequest('leave', { requestId: '1' })).toMatchObject({ ok: false });
  });
});

describe('parseRequest', () => {
  const join = { requestId, version: PROTOCOL_VERSION, room: '1000', name: 'Ann' };

  it('takes what the schema allows', () => {
    expect(parseRequest('join', join)).toEqual({ ok: true, name: 'join', message: join });
  });

  it.each([
    ['a missing field', { ...join, name: undefined }],
    ['a field too many', { ...join, admin: true }],
    ['an empty name', { ...join, name: '' }],
    ['a name that is too long', { ...join, name: 'x'.repeat(65) }],
    ['a room that nobody can dial', { ...join, room: '../etc' }],
    ['a type that is wrong', { ...join, name: { toString: 'Ann' } }],
  ])('refuses %s', (_what, message) => {
    expect(parseRequest('join', message)).toMatchObject({
      ok: false,
      error: { code: 'BAD_REQUEST' },
    });
  });

  it.each([[null], [undefined], ['text'], [[]], [{}]])(
    'tells an old page to reload: %j',
    (message) => {
      expect(parseRequest('join', message)).toMatchObject({ error: { code: 'PROTOCOL_VERSION' } });
    },
  );

  it('never throws, whatever the name is', () => {
    for (const name of ['__proto__', 'toString', '', 7, null, undefined, {}, 'x'.repeat(1e5)]) {
      expect(parseRequest(name, {})).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST' } });
    }
  });
});
