import { describe, expect, it } from '@jest/globals';
import {
  buildRequest,
  MAX_MESSAGE_BYTES,
  parseMessage,
  ParseError,
  serializeMessage,
} from '../../../../signaling/sip/message/index.ts';
import { parsedRequest, parsedResponse, wire } from '../../../support/message-builder.ts';

const BASE = [
  'Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1',
  'From: <sip:a@example.com>;tag=1',
  'To: <sip:b@example.com>',
  'Call-ID: c1',
];

function optionsWith(...lines: string[]): Buffer {
  return wire('OPTIONS sip:b@example.com SIP/2.0', ...BASE, 'CSeq: 1 OPTIONS', ...lines);
}

function errorOf(bytes: Uint8Array, stream = false): ParseError {
  const result = parseMessage(bytes, { stream });
  if (!(result instanceof ParseError)) throw new Error('parsed, but should not');

  return result;
}

describe('header fields', () => {
  it('3261-7.3.1-a a fold is one value with one SP', () => {
    const request = parsedRequest(optionsWith('Subject: one', '\t two', '  three'));
    expect(request.headers.get('Subject')).toBe('one two three');
  });

  it('3261-7.3.1-a names are case-insensitive and compact forms equal the long ones', () => {
    const request = parsedRequest(
      wire(
        'OPTIONS sip:b@example.com SIP/2.0',
        'v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
        'f: <sip:a@example.com>;tag=1',
        't: <sip:b@example.com>',
        'i: c1',
        'cSEQ: 1 OPTIONS',
        'm: <sip:a@192.0.2.1>',
        'k: timer',
        's: hello',
        'c: text/plain',
        'e: gzip',
        'l: 0',
      ),
    );
    expect(request.callId).toBe('c1');
    expect(request.contact?.uri.text).toBe('sip:a@192.0.2.1');
    expect(request.contentType?.type).toBe('text/plain');
    expect(request.contentLength).toBe(0);
    expect(request.headers.get('supported')).toBe('timer');
    expect(request.headers.get('Subject')).toBe('hello');
    expect([request.via.host, request.fromTag, request.to.uri.text]).toEqual([
      '192.0.2.1',
      '1',
      'sip:b@example.com',
    ]);
    expect(request.headers.get('CONTENT-ENCODING')).toBe('gzip');
  });

  it('3261-7.3.1-b several fields of a list header equal one with commas, in order', () => {
    const request = parsedRequest(
      optionsWith(
        'Route: <sip:p1.example;lr>, "a, b" <sip:p2.example;x=1,2;lr>;y="3,4"',
        'Supported: timer, ,100rel',
        'Route: <sip:p3.example;lr>',
        'Supported: replaces',
      ),
    );
    expect(request.routes.map((route) => route.uri.text)).toEqual([
      'sip:p1.example;lr',
      'sip:p2.example;x=1,2;lr',
      'sip:p3.example;lr',
    ]);
    expect(request.headers.list('supported')).toEqual(['timer', '100rel', 'replaces']);
  });

  it.each(['Authorization', 'Proxy-Authorization', 'WWW-Authenticate', 'Proxy-Authenticate'])(
    '3261-7.3.1-b %s is not split at commas, and its fields stay apart',
    (name) => {
      const values = ['Digest username="a", realm="b"', 'Digest realm="c", qop="auth,auth-int"'];
      const request = parsedRequest(optionsWith(...values.map((value) => `${name}: ${value}`)));
      expect(request.headers.list(name)).toEqual(values);
      expect(request.headers.getAll(name)).toEqual(values);
    },
  );

  it('3261-7.5-a empty lines before the start line are ignored', () => {
    const bytes = Buffer.concat([Buffer.from('\r\n\r\n'), optionsWith()]);
    expect(parsedRequest(bytes).method).toBe('OPTIONS');
  });

  it('takes LF alone for CRLF', () => {
    const text = optionsWith('Subject: x').toString().replaceAll('\r\n', '\n');
    expect(parsedRequest(`${text}body`).bodyText).toBe('body');
  });

  it('a header field name may be followed by blanks before its colon', () => {
    expect(parsedRequest(optionsWith('Subject \t : x')).headers.get('subject')).toBe('x');
  });
});

describe('mandatory parts', () => {
  it('3261-8.1.1.5-a CSeq over 2**32-1, or of another method, is 400', () => {
    for (const cseq of ['4294967296 OPTIONS', '1 INVITE', '-1 OPTIONS', '1']) {
      const error = errorOf(wire('OPTIONS sip:b SIP/2.0', ...BASE, `CSeq: ${cseq}`));
      expect(error.status).toBe(400);
      expect(error.request).toBeDefined();
    }
    expect(
      parsedRequest(wire('OPTIONS sip:b SIP/2.0', ...BASE, 'CSeq: 4294967295 OPTIONS')),
    ).toBeDefined();
  });

  it.each(['Via', 'From', 'To', 'Call-ID'])('a request without %s is malformed', (name) => {
    const lines = BASE.filter((line) => !line.startsWith(name));
    const error = errorOf(wire('OPTIONS sip:b SIP/2.0', ...lines, 'CSeq: 1 OPTIONS'));
    expect(error.request === undefined).toBe(name === 'Via');
  });

  it('3261-20.22-a a request without Max-Forwards is processed', () => {
    expect(parsedRequest(optionsWith()).maxForwards).toBeUndefined();
  });

  it('an ACK is never answerable', () => {
    expect(errorOf(wire('ACK sip:b SIP/2.0', ...BASE, 'CSeq: 1 INVITE')).request).toBeUndefined();
  });

  it('a damaged Via still says where the 400 goes', () => {
    const lines = ['Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKx;;,;,,', ...BASE.slice(1)];
    const error = errorOf(wire('OPTIONS sip:b SIP/2.0', ...lines, 'CSeq: 1 OPTIONS'));
    expect(error.request?.via).toMatchObject({ host: '192.0.2.15' });
    expect(error.request?.via.params.get('branch')).toBe('z9hG4bKx');
  });

  it('a response needs no Contact that we can read', () => {
    const response = parsedResponse(
      wire('SIP/2.0 200 OK', ...BASE, 'CSeq: 1 INVITE', 'Contact: <broken'),
    );
    expect(response.contacts).toEqual([]);
  });

  it('a status beyond 699 is no response', () => {
    expect(errorOf(wire('SIP/2.0 4294967301 x', ...BASE, 'CSeq: 1 INVITE')).reason).toContain(
      'status',
    );
  });

  it('another SIP version is 505', () => {
    expect(errorOf(wire('OPTIONS sip:b SIP/3.0', ...BASE, 'CSeq: 1 OPTIONS')).status).toBe(505);
  });

  it('a Contact with a comma, question mark or semicolon needs its brackets (8217)', () => {
    expect(errorOf(optionsWith('Contact: sip:a@b?Route=x')).reason).toBe('Malformed Contact');
    const request = parsedRequest(optionsWith('Contact: sip:a@b;expires=5'));
    expect(request.contact?.params.get('expires')).toBe('5');
    expect(request.contact?.uri.text).toBe('sip:a@b');
  });

  it('"*" is a Contact of REGISTER only', () => {
    expect(errorOf(optionsWith('Contact: *')).reason).toBe('Malformed Contact');
    const register = parsedRequest(
      wire('REGISTER sip:b SIP/2.0', ...BASE, 'CSeq: 1 REGISTER', 'Contact: *', 'Expires: 0'),
    );
    expect(register.hasWildcardContact).toBe(true);
    expect(register.contacts).toEqual([]);
  });
});

describe('the body', () => {
  it('3261-18.3-a octets after Content-Length are dropped', () => {
    const bytes = Buffer.concat([optionsWith('Content-Length: 3'), Buffer.from('abcdef')]);
    expect(parsedRequest(bytes).bodyText).toBe('abc');
  });

  it('3261-18.3-a too short a request is 400, a response is dropped', () => {
    expect(errorOf(optionsWith('Content-Length: 3')).request).toBeDefined();
    const response = wire('SIP/2.0 200 OK', ...BASE, 'CSeq: 1 INVITE', 'Content-Length: 3');
    expect(errorOf(response).request).toBeUndefined();
  });

  it('3261-20.14-a Content-Length is required on streams, and never twice', () => {
    expect(errorOf(optionsWith(), true).reason).toBe('No Content-Length on a stream');
    expect(errorOf(optionsWith('Content-Length: 0', 'l: 1')).reason).toBe(
      'Malformed Content-Length',
    );
    expect(errorOf(optionsWith('Content-Length: -1')).status).toBe(400);
  });
});

describe('bounds', () => {
  it('a message over 64 kB is refused', () => {
    expect(errorOf(Buffer.alloc(MAX_MESSAGE_BYTES + 1, 0x41)).status).toBe(513);
  });

  it('too many or too long header fields are refused', () => {
    const many = Array.from({ length: 300 }, (_, i) => `X-${String(i)}: y`);
    expect(errorOf(optionsWith(...many)).reason).toBe('Too many header fields');
    expect(errorOf(optionsWith(`X: ${'y'.repeat(9000)}`)).reason).toBe('Header field too long');
    const folds = Array.from({ length: 1000 }, () => ` ${'y'.repeat(20)}`);
    expect(errorOf(optionsWith('X: y', ...folds)).reason).toBe('Header field too long');
  });

  it('hostile repetitions take no long time', () => {
    // CPU time: other processes may have the machine.
    const started = process.cpuUsage();
    for (const filler of [' ', ';', ',', '"', '<', '\\"', '%25', 'a=b;', '\r\n ', ':', '[']) {
      const text = filler.repeat(Math.floor(60_000 / filler.length));
      parseMessage(optionsWith(`Contact: ${text}`));
      parseMessage(wire(`OPTIONS sip:${text} SIP/2.0`));
      parseMessage(wire(`SIP/2.0 ${text}`));
    }
    expect(process.cpuUsage(started).user).toBeLessThan(2_000_000);
  });
});

describe('the serialiser', () => {
  it('writes Content-Length as the body has it', () => {
    const request = parsedRequest(Buffer.concat([optionsWith('l: 2'), Buffer.from('xy')]));
    request.body = Buffer.from('grüße');
    const text = Buffer.from(serializeMessage(request)).toString();
    expect(text).toContain('\r\nContent-Length: 7\r\n\r\ngrüße');
    expect(text.match(/Content-Length/g)).toHaveLength(1);
  });

  it('refuses a value that would start a header field of its own', () => {
    const request = buildRequest({
      method: 'INVITE',
      uri: 'sip:b@example.com',
      from: '<sip:a@example.com>',
      to: '<sip:b@example.com>',
      callId: 'c',
      cseq: 1,
      headers: [['Subject', 'x\r\nRoute: <sip:evil.example>']],
    });
    expect(() => serializeMessage(request)).toThrow(TypeError);
  });
});
