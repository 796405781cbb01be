import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CallEnd } from '../../../../signaling/sip/ua/index.ts';
import type { SipRequest } from '../../../../signaling/sip/message/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { sdp, sdpText, SipStack, SipWire } from '../../../support/sip-wire.ts';

const SERVER = { address: '10.0.0.1', port: 5060 };
const PHONE = { address: '10.0.0.2', port: 5070 };
/** More than any transaction lives. */
const LONG = 100_000;

let clock: FakeClock;
let wire: SipWire;
let server: SipStack;
let phone: ScriptedPeer;
let ends: CallEnd[];

beforeEach(() => {
  clock = new FakeClock();
  wire = new SipWire(clock);
  ends = [];
  server = new SipStack(wire, SERVER, {
    handler: { incomingCall: (call) => void call.events.on('ended', (end) => ends.push(end)) },
  });
  phone = new ScriptedPeer(wire, PHONE, SERVER);
});

/** The phone calls, the server answers, the phone acknowledges. */
function establish(): { invite: SipRequest; toTag: string } {
  const invite = phone.request('INVITE', { body: sdpText() });
  clock.advance(10);
  server.call.accept(sdp({ port: 6000 }));
  clock.advance(10);
  const answer = phone.response('INVITE');
  phone.ack(answer);
  clock.advance(10);

  return { invite, toTag: answer.toTag! };
}

function count(text: string): number {
  return phone.labels().filter((label) => label === text).length;
}

describe('a call that comes in', () => {
  it('shows who calls whom and with what offer', () => {
    phone.request('INVITE', { body: sdpText({ port: 4242 }) });
    clock.advance(10);
    const { call } = server;
    expect(call.remoteUri.text).toBe('sip:peer@example.com');
    expect(call.remoteDisplayName).toBe('Peer');
    expect(call.requestUri.text).toBe('sip:1234@10.0.0.1:5060');
    expect(call.offer?.media[0]?.port).toBe(4242);
  });

  it('3261-12.1.1-a copies Record-Route and puts Contact and To tag into 180 and 200', () => {
    const headers: [string, string][] = [
      ['Record-Route', '<sip:p2.example.com;lr>, <sip:p1.example.com;lr>'],
    ];
    phone.request('INVITE', { body: sdpText(), headers });
    clock.advance(10);
    server.call.progress(180);
    clock.advance(10);
    const ringing = phone.response('INVITE');
    server.call.accept(sdp());
    clock.advance(10);
    const ok = phone.response('INVITE');
    expect([ringing.status, ok.status]).toEqual([180, 200]);
    for (const response of [ringing, ok]) {
      expect(response.recordRoutes.map(({ uri }) => uri.text)).toEqual([
        'sip:p2.example.com;lr',
        'sip:p1.example.com;lr',
      ]);
      expect(response.contact?.uri.text).toBe('sip:1234@10.0.0.1:5060');
    }
    // 3261-8.2.6.2-a: the same tag on every response to a request.
    expect(ringing.toTag).toBe(ok.toTag);
    expect(ok.headers.get('Server')).toBe('Parley/test');
  });

  it('3261-13.3.1.1-a repeats a provisional answer every minute', () => {
    phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    server.call.progress(180);
    clock.advance(150_000);
    expect(count('180 INVITE')).toBe(3);
  });

  it('3261-15.1.2-a ends on BYE with 200 and tells who it was', async () => {
    const { toTag } = establish();
    phone.request('BYE', { toTag });
    clock.advance(10);
    expect(phone.response('BYE').status).toBe(200);
    expect(ends).toMatchObject([{ by: 'remote', cause: 'bye' }]);
    expect(server.userAgent.callCount).toBe(0);
    clock.advance(LONG);
    await server.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('hangs up with BYE to the Contact, Reason included', () => {
    const { toTag } = establish();
    server.call.hangUp([['Reason', 'SIP;cause=200;text="kicked"']]);
    clock.advance(10);
    const bye = phone.requestOf('BYE');
    expect(bye.uri.text).toBe('sip:peer@10.0.0.2:5070');
    // 3261-12.2.1.1-a: tags swapped by role.
    expect([bye.fromTag, bye.toTag]).toEqual([toTag, phone.tag]);
    expect(bye.headers.get('Reason')).toContain('kicked');
    expect(ends).toMatchObject([{ by: 'local', cause: 'bye' }]);
    expect(server.userAgent.callCount).toBe(1);
    phone.respond(bye, 200);
    clock.advance(10);
    expect(server.userAgent.callCount).toBe(0);
  });

  it('refuses with status, reason and Warning', () => {
    phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    server.call.reject(488, { warning: { code: 305, text: 'Incompatible media format' } });
    clock.advance(10);
    const answer = phone.response('INVITE');
    expect(answer.status).toBe(488);
    expect(answer.headers.get('Warning')).toBe('305 parley "Incompatible media format"');
    expect(ends).toMatchObject([{ by: 'local', cause: 'rejected' }]);
    expect(server.userAgent.callCount).toBe(0);
  });

  it('answers a malformed description with 400 and shows nobody a call', () => {
    phone.request('INVITE', { body: 'v=0\r\nnonsense\r\n' });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(400);
    expect(server.calls).toHaveLength(0);
  });

  it('refuses calls above its limit with 503 and Retry-After', () => {
    server = new SipStack(wire, SERVER, { maxCalls: 1 });
    phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    phone.request('INVITE', { body: sdpText(), callId: 'another' });
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(503);
    expect(phone.response('INVITE').headers.get('Retry-After')).toBe('10');
  });
});

describe('CANCEL', () => {
  it('3261-9.2-a gets 200, and the INVITE 487', () => {
    const invite = phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    server.call.progress(180);
    phone.companion('CANCEL', invite);
    clock.advance(10);
    expect(phone.response('CANCEL').status).toBe(200);
    expect(phone.response('INVITE').status).toBe(487);
    // "the To tag of the response to the CANCEL and [that] in the response to the original request
    // SHOULD be the same" (9.2).
    expect(phone.response('CANCEL').toTag).toBe(phone.response('INVITE').toTag);
    expect(ends).toMatchObject([{ by: 'remote', cause: 'cancel' }]);
    expect(server.call.accept(sdp())).toBe(false);
  });

  it('5407-3.1.2 after the 200 gets 200 and the call stands', () => {
    const invite = phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    server.call.accept(sdp());
    phone.companion('CANCEL', invite);
    clock.advance(10);
    expect(phone.response('CANCEL').status).toBe(200);
    expect(phone.response('INVITE').status).toBe(200);
    phone.ack(phone.response('INVITE'));
    clock.advance(10);
    expect(ends).toEqual([]);
  });

  it('3261-9.2-a for nothing gets 481', () => {
    phone.request('CANCEL');
    clock.advance(10);
    expect(phone.response('CANCEL').status).toBe(481);
  });
});

describe('the 2xx and its ACK', () => {
  it('3261-13.3.1.4-a repeats the 200 at T1, 2*T1 … T2 and says BYE after 64*T1', async () => {
    phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    const start = clock.now();
    server.call.accept(sdp());
    clock.advance(32_100);
    const sent = wire.log.filter(
      ({ message }) => message.kind === 'response' && message.status === 200,
    );
    expect(sent.map(({ at }) => at - start)).toEqual([
      0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ]);
    expect(ends).toMatchObject([{ by: 'remote', cause: 'no-ack' }]);
    phone.respond(phone.requestOf('BYE'), 200);
    clock.advance(LONG);
    expect(server.userAgent.callCount).toBe(0);
    await server.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('stops repeating when the ACK comes', () => {
    establish();
    clock.advance(LONG);
    expect(count('200 INVITE')).toBe(1);
  });

  it('6026-7.1-a absorbs the INVITE that comes again', () => {
    const { invite } = establish();
    phone.send(invite.clone());
    clock.advance(10);
    expect(server.calls).toHaveLength(1);
    expect(count('200 INVITE')).toBe(1);
  });

  it('3261-15.1.1-a sends no BYE before the ACK, but then at once', () => {
    phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    server.call.accept(sdp());
    clock.advance(10);
    server.call.hangUp();
    clock.advance(10);
    expect(phone.labels()).not.toContain('BYE');
    expect(ends).toMatchObject([{ by: 'local', cause: 'bye' }]);
    phone.ack(phone.response('INVITE'));
    clock.advance(10);
    expect(phone.labels()).toContain('BYE');
  });

  it('3261-15.1.1-a without the ACK the BYE goes when the 2xx has timed out', () => {
    phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    server.call.accept(sdp());
    server.call.hangUp();
    clock.advance(31_990);
    expect(phone.labels()).not.toContain('BYE');
    clock.advance(100);
    expect(count('BYE')).toBe(1);
    phone.respond(phone.requestOf('BYE'), 200);
    clock.advance(10);
    expect(server.userAgent.callCount).toBe(0);
  });

  it('5407-3.1.3 takes a BYE that comes before the ACK', () => {
    phone.request('INVITE', { body: sdpText() });
    clock.advance(10);
    server.call.accept(sdp());
    clock.advance(10);
    phone.request('BYE', { toTag: phone.response('INVITE').toTag });
    clock.advance(10);
    expect(phone.response('BYE').status).toBe(200);
    expect(ends).toMatchObject([{ by: 'remote', cause: 'bye' }]);
    clock.advance(LONG);
    expect(count('200 INVITE')).toBe(1);
  });
});

describe('a delayed offer', () => {
  it('3261-13.2.1-a is made in the 200 and answered in the ACK', () => {
    const answers: unknown[] = [];
    phone.request('INVITE');
    clock.advance(10);
    expect(server.call.offer).toBeUndefined();
    server.call.events.on('established', (answer) => answers.push(answer?.media[0]?.port));
    server.call.accept(sdp({ port: 6000 }));
    clock.advance(10);
    expect(phone.response('INVITE').bodyText).toContain('m=audio 6000');
    phone.ack(phone.response('INVITE'), sdpText({ port: 4300 }));
    clock.advance(10);
    expect(answers).toEqual([4300]);
  });

  it.each([
    ['none', undefined],
    ['a malformed one', 'v=1\r\n'],
  ])('3261-13.2.1-a ends the call with BYE when the answer is %s', (_name, body) => {
    phone.request('INVITE');
    clock.advance(10);
    server.call.accept(sdp());
    clock.advance(10);
    phone.ack(phone.response('INVITE'), body);
    clock.advance(10);
    expect(phone.labels()).toContain('BYE');
    expect(ends).toMatchObject([{ by: 'local', cause: 'bad-answer' }]);
  });
});
