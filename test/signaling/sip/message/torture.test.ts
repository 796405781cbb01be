import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  buildResponse,
  isSipUri,
  parseMessage,
  serializeMessage,
  StreamFramer,
  type SipRequest,
} from '../../../../signaling/sip/message/index.ts';

const FIXTURES = join(__dirname, '../../../fixtures/rfc4475');

interface Expected {
  file: string;
  section: string;
  kind: 'request' | 'response';
  wellFormed: boolean;
  preferred: string;
}

const { messages } = JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')) as {
  messages: Expected[];
};

function load(file: string): Buffer {
  return readFileSync(join(FIXTURES, 'messages', file));
}

function request(file: string): SipRequest {
  const message = parseMessage(load(file));
  if (message.kind !== 'request') throw new Error(`${file} is no request`);

  return message;
}

describe.each(messages)('RFC 4475 $section $file', ({ file, kind, wellFormed, preferred }) => {
  const message = parseMessage(load(file));

  it(`is ${wellFormed ? 'well formed' : `to be answered with ${preferred}`}`, () => {
    // baddate: "an element should not do so unless the Date contents were important to it".
    if (wellFormed || preferred === 'accept') expect(message.kind).toBe(kind);
    else {
      if (message.kind !== 'parse-error') throw new Error('was accepted');
      expect(message.status).toBe(Number(preferred));
      if (kind === 'request') {
        const response = buildResponse(message.request!, message.status);
        expect(parseMessage(serializeMessage(response)).kind).not.toBe('request');
        expect(response.via.transport).toMatch(/UDP|TCP/);
      }
    }
  });

  it('comes out of a stream octet by octet as it went in', () => {
    const framer = new StreamFramer();
    const bytes = load(file);
    const frames = [...bytes].flatMap((byte) => framer.push(Uint8Array.of(byte)));
    const first = frames[0];
    if (file === 'clerr.dat') expect(frames).toEqual([]);
    else if (first?.kind !== 'message') throw new Error('no message came out');
    else expect(parseMessage(first.bytes, { stream: true }).kind).toBe(message.kind);
  });
});

describe('RFC 4475 field checks', () => {
  it('3.1.1.1 wsinv', () => {
    const invite = request('wsinv.dat');
    if (!isSipUri(invite.uri)) throw new Error('not a SIP URI');
    expect(invite.uri.host).toBe('chair-dnrc.example.com');
    expect([invite.uri.params.has('unknownparam'), invite.uri.params.get('unknownparam')]).toEqual([
      true,
      undefined,
    ]);
    expect(invite.toTag).toBe('1918181833n');
    expect(invite.from.displayName).toBe('J Rosenberg \\"');
    expect(invite.fromTag).toBe('98asjd8');
    expect(invite.maxForwards).toBe(68);
    expect(invite.cseq).toEqual({ sequence: 9, method: 'INVITE' });
    expect(invite.callId).toBe('wsinv.ndaksdj@192.0.2.1');
    expect(invite.vias.map((via) => [via.transport, via.host, via.params.get('branch')])).toEqual([
      ['UDP', '192.0.2.2', '390skdjuw'],
      ['TCP', 'spindle.example.com', 'z9hG4bK9ikj8'],
      ['UDP', '192.168.255.111', 'z9hG4bK30239'],
    ]);
    expect(invite.headers.get('subject')).toBe('');
    expect(invite.headers.get('newfangledheader')).toBe(
      'newfangled value continued newfangled value',
    );
    expect(invite.headers.list('unknownheaderwithunusualvalue')).toEqual([';;,,;;,;']);
    expect(invite.routes).toHaveLength(1);
    expect(invite.contact).toMatchObject({ displayName: 'Quoted string ""' });
    expect(invite.contact?.params.get('q')).toBe('0.33');
    expect(invite.body).toHaveLength(150);
  });

  it('3.1.1.3 esc01', () => {
    const invite = request('esc01.dat');
    expect(invite.uri).toMatchObject({ user: 'sips:user@example.com', host: 'example.net' });
    expect(invite.to.uri).toMatchObject({ user: 'user' });
    expect(invite.from.uri).toMatchObject({ user: 'I have spaces' });
    const contact = invite.contact?.uri;
    if (contact === undefined || !isSipUri(contact)) throw new Error('no Contact');
    expect([...contact.params]).toEqual([
      ['lr', undefined],
      ['name', 'value%41'],
    ]);
  });

  it('3.1.1.5 esc02', () => {
    const register = request('esc02.dat');
    expect(register.method).toBe('RE%47IST%45R');
    expect(register.to.displayName).toBe('%Z%45');
    expect(register.contacts).toHaveLength(2);
    expect(register.headers.has('C%6Fntact')).toBe(true);
  });

  it('3.1.1.6 lwsdisp', () => {
    const options = request('lwsdisp.dat');
    expect(options.from).toMatchObject({
      displayName: 'caller',
      uri: { text: 'sip:caller@example.com' },
    });
    expect(options.fromTag).toBe('323');
  });

  it('3.1.1.8 dblreq: one message in a datagram, two in a stream', () => {
    expect(request('dblreq.dat')).toMatchObject({ method: 'REGISTER', body: { length: 0 } });
    const frames = new StreamFramer().push(load('dblreq.dat'));
    expect(frames.filter((frame) => frame.kind === 'message')).toHaveLength(2);
  });

  it('3.1.1.9 semiuri', () => {
    const options = request('semiuri.dat');
    expect(options.uri).toMatchObject({ user: 'user;par=u@example.net', host: 'example.com' });
    expect(options.headers.list('accept')).toHaveLength(6);
  });

  it('3.1.1.13 noreason', () => {
    const message = parseMessage(load('noreason.dat'));
    expect(message).toMatchObject({ kind: 'response', status: 100, reason: '' });
  });

  it("3.3.12 cparam01: the parameter is the header field's, not the URI's", () => {
    const { contact } = request('cparam01.dat');
    expect(contact?.params.has('unknownparam')).toBe(true);
    expect(contact?.uri.text).not.toContain('unknownparam');
  });
});
