import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { nameAddr, sdp, sdpText, SipStack, SipWire } from '../../../support/sip-wire.ts';

const SERVER = { address: '10.0.0.1', port: 5060 };
const PHONE = { address: '10.0.0.2', port: 5070 };
const ALLOW =
  'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO, SUBSCRIBE, NOTIFY, REFER, MESSAGE, REGISTER';

let clock: FakeClock;
let wire: SipWire;
let server: SipStack;
let phone: ScriptedPeer;

beforeEach(() => {
  clock = new FakeClock();
  wire = new SipWire(clock);
  server = new SipStack(wire, SERVER);
  phone = new ScriptedPeer(wire, PHONE, SERVER);
});

describe('requests outside a dialog, in the order of RFC 3261 8.2', () => {
  it('3261-8.2.1-a answers a method that nobody knows with 501 and Allow', () => {
    phone.request('NEWMETHOD');
    clock.advance(10);
    expect(phone.response('NEWMETHOD').status).toBe(501);
    expect(phone.response('NEWMETHOD').headers.get('Allow')).toBe(ALLOW);
  });

  it('3261-8.2.1-a answers a known method that is not allowed with 405 and Allow', () => {
    phone.request('REGISTER');
    clock.advance(10);
    expect(phone.response('REGISTER').status).toBe(405);
    expect(phone.response('REGISTER').headers.get('Allow')).toBe(ALLOW);
  });

  it('3261-8.2.2.1-a answers an unknown Request-URI scheme with 416', () => {
    phone.request('INVITE', { uri: 'nobodyknows:1234', body: sdpText() });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(416);
  });

  it('3261-8.2.2.3-a answers Require of unknown options with 420 and lists exactly them', () => {
    const headers: [string, string][] = [
      ['Require', 'one, 100rel'],
      ['Require', 'two'],
    ];
    phone.request('INVITE', { body: sdpText(), headers });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(420);
    expect(phone.response('INVITE').headers.get('Unsupported')).toBe('one, two');
  });

  it('3261-8.2.2.3-a ignores Require in CANCEL', () => {
    const invite = phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    phone.request('CANCEL', {
      cseq: invite.cseq.sequence,
      branch: invite.via.params.get('branch')!,
      headers: [['Require', 'one']],
    });
    clock.advance(10);
    expect(phone.response('CANCEL').status).toBe(200);
  });

  it('3261-8.2.2.3-a ignores Require in the ACK of a refusal', () => {
    const invite = phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    server.call.reject(486);
    clock.advance(600);
    const before = phone.labels().length;
    phone.request('ACK', {
      cseq: invite.cseq.sequence,
      branch: invite.via.params.get('branch')!,
      toTag: phone.response('INVITE').toTag,
      headers: [['Require', 'one']],
    });
    clock.advance(10_000);
    expect(phone.labels().slice(before)).toEqual([]);
  });

  it('3261-8.2.3-a answers a body of unknown type with 415 and Accept', () => {
    phone.request('INVITE', { body: 'hello', type: 'text/plain' });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(415);
    expect(phone.response('INVITE').headers.get('Accept')).toBe('application/sdp');
  });

  it('3261-8.2.3-a answers a coded body with 415 and Accept-Encoding', () => {
    phone.request('INVITE', { body: sdpText(), headers: [['Content-Encoding', 'gzip']] });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(415);
    expect(phone.response('INVITE').headers.get('Accept-Encoding')).toBe('identity');
  });

  it('3261-8.2.3-a finds the description among other parts', () => {
    const body = [
      ...['--part', 'Content-Type: application/pidf+xml', '', '<presence/>'],
      ...['--part', 'Content-Type: application/sdp', '', sdpText({ port: 4242 })],
      '--part--',
    ].join('\r\n');
    phone.request('INVITE', { body, type: 'multipart/mixed;boundary=part' });
    clock.advance(10);
    expect(server.call.offer?.media[0]?.port).toBe(4242);
  });

  it('3261-8.2.3-a passes over an optional body of unknown type', () => {
    const headers: [string, string][] = [['Content-Disposition', 'session;handling=optional']];
    phone.request('INVITE', { body: 'hello', type: 'text/plain', headers });
    clock.advance(10);
    expect(server.call.offer).toBeUndefined();
  });

  it('3261-8.2.2.2-a answers the second copy of a forked INVITE with 482', () => {
    const first = phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    phone.request('INVITE', { body: sdpText(), cseq: first.cseq.sequence });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(482);
    expect(server.calls).toHaveLength(1);
  });

  it('3261-15.1.2-a answers BYE without a dialog with 481', () => {
    phone.request('BYE');
    clock.advance(10);
    expect(phone.response('BYE').status).toBe(481);
  });

  it('3261-8.2.6.2-a adds a To tag to every final answer', () => {
    phone.request('OPTIONS');
    clock.advance(10);
    expect(phone.response('OPTIONS').toTag).toEqual(expect.any(String));
  });

  it('drops a stray ACK without a word', () => {
    phone.request('ACK', { toTag: 'nobody' });
    clock.advance(10);
    expect(phone.received).toEqual([]);
  });
});

describe('OPTIONS', () => {
  it('3261-11.2-a says what works, and nothing else', () => {
    phone.request('OPTIONS');
    clock.advance(10);
    const { status, headers } = phone.response('OPTIONS');
    expect(status).toBe(200);
    expect(headers.get('Allow')).toBe(ALLOW);
    expect(headers.get('Accept')).toBe('application/sdp');
    expect(headers.get('Accept-Encoding')).toBe('identity');
    expect(headers.get('Accept-Language')).toBe('en');
    expect(headers.get('Supported')).toBe('100rel, timer, replaces, norefersub, tdialog');
    expect(headers.get('Allow-Events')).toBe('conference');
  });

  it('3261-11.2-a gets the status that an INVITE would get', async () => {
    const optionsRefusal = () => Promise.resolve({ status: 404 });
    server = new SipStack(wire, SERVER, { handler: { optionsRefusal } });
    phone.request('OPTIONS');
    await clock.advanceAsync(10);
    await clock.advanceAsync(10);
    expect(phone.response('OPTIONS').status).toBe(404);
  });

  it('3261-11.2-a inside a dialog leaves the call as it is', () => {
    phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    server.call.accept(sdp());
    clock.advance(10);
    const { toTag } = phone.response('INVITE');
    phone.ack(phone.response('INVITE'));
    phone.request('OPTIONS', { toTag });
    clock.advance(10);
    expect(phone.response('OPTIONS').status).toBe(200);
    expect(server.call.isEnded).toBe(false);
  });
});

describe('requests inside a dialog', () => {
  function establish(): string {
    phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    server.call.accept(sdp());
    clock.advance(10);
    phone.ack(phone.response('INVITE'));
    clock.advance(10);

    return phone.response('INVITE').toTag!;
  }

  it.each(['INVITE', 'BYE', 'UPDATE', 'PRACK', 'INFO', 'OPTIONS', 'NOTIFY', 'REFER', 'MESSAGE'])(
    '3261-12.2.2-a with an unknown tag get 481: %s',
    (method) => {
      establish();
      phone.request(method, { toTag: 'wrong' });
      clock.advance(10);
      expect(phone.response(method).status).toBe(481);
      expect(server.call.isEnded).toBe(false);
    },
  );

  it('3261-12.2.2-a with a lower CSeq get 500, with a gap upwards they pass', () => {
    const toTag = establish();
    phone.request('OPTIONS', { toTag, cseq: 100 });
    clock.advance(10);
    expect(phone.response('OPTIONS').status).toBe(200);
    phone.request('OPTIONS', { toTag, cseq: 50 });
    clock.advance(10);
    expect(phone.response('OPTIONS').status).toBe(500);
  });

  it('5407-3.2.1 crossing BYEs get their 200 each', () => {
    const toTag = establish();
    server.call.hangUp();
    phone.request('BYE', { toTag });
    clock.advance(10);
    expect(phone.response('BYE').status).toBe(200);
    phone.respond(phone.requestOf('BYE'), 200);
    clock.advance(10);
    expect(server.userAgent.callCount).toBe(0);
  });

  it('5407-3.2.2 a re-INVITE after our BYE gets 481', () => {
    const toTag = establish();
    server.call.hangUp();
    phone.request('INVITE', { toTag, body: sdpText() });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(481);
  });

  it('a BYE with a body of any type ends the call', () => {
    const toTag = establish();
    phone.request('BYE', { toTag, body: 'VQSessionReport', type: 'application/vq-rtcpxr' });
    clock.advance(10);
    expect(phone.response('BYE').status).toBe(200);
  });
});

describe('a request to a SIPS URI, or by a SIPS way', () => {
  it.each([
    ['sips:peer@example.com', undefined, 'sips:'],
    ['sip:peer@example.com', '<sips:edge.example.com;lr>', 'sips:'],
    ['sips:peer@example.com', '<sip:edge.example.com;lr>', 'sips:'],
    ['sip:peer@example.com', undefined, 'sip:'],
    ['sip:peer@example.com', '<sip:edge.example.com;lr>', 'sip:'],
  ])('3261-26.2.2-a our INVITE to %s by %s has a Contact of %s', (to, route, scheme) => {
    server.userAgent.call({
      to: nameAddr(`<${to}>`),
      from: nameAddr('<sip:room@10.0.0.1>'),
      target: { ...PHONE, protocol: 'UDP' },
      offer: sdp(),
      ...(route !== undefined && { routes: [nameAddr(route)] }),
    });
    clock.advance(10);
    expect(phone.requestOf('INVITE').contact?.uri.text).toMatch(new RegExp(`^${scheme}`));
  });
});
