import { beforeEach, describe, expect, it } from '@jest/globals';
import { DigestClient } from '../../../../signaling/sip/auth/index.ts';
import { serializeMessage, buildResponse } from '../../../../signaling/sip/message/index.ts';
import type { OutgoingCall } from '../../../../signaling/sip/ua/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { nameAddr, sdp, sdpText, SipStack, SipWire } from '../../../support/sip-wire.ts';

const US = { address: '10.0.0.1', port: 5060 };
const PROVIDER = { address: '10.0.0.2', port: 5060 };
const CHALLENGE = 'Digest realm="p", nonce="n1", algorithm=SHA-256, qop="auth"';

let clock: FakeClock;
let wire: SipWire;
let us: SipStack;
let provider: ScriptedPeer;
let call: OutgoingCall;
let ends: string[];

beforeEach(() => {
  clock = new FakeClock();
  wire = new SipWire(clock);
  us = new SipStack(wire, US);
  provider = new ScriptedPeer(wire, PROVIDER, US);
  ends = [];
  call = us.userAgent.call({
    to: nameAddr('<sip:123@10.0.0.2>'),
    from: nameAddr('<sip:office@10.0.0.2>'),
    offer: sdp({ port: 5000 }),
    credentials: new DigestClient({ username: 'office', password: 'secret' }),
  });
  call.events.on('ended', ({ cause }) => ends.push(cause));
  clock.advance(10);
});

/** 401 or 407 to the last request of this method. */
function challenge(method: string, value = CHALLENGE, status = 407): void {
  const name = status === 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate';
  const request = provider.requestOf(method);
  const headers = [[name, value]] as const;
  wire.send(serializeMessage(buildResponse(request, status, { headers })), PROVIDER, US);
  clock.advance(10);
}

function answer(): void {
  provider.respond(provider.requestOf('INVITE'), 200, sdpText());
  clock.advance(10);
}

describe('a call that is challenged', () => {
  it('3261-22.1-a is made again with the same Call-ID and From tag and a higher CSeq', () => {
    const first = provider.requestOf('INVITE');
    challenge('INVITE');
    const second = provider.requestOf('INVITE');
    expect(second.callId).toBe(first.callId);
    expect(second.fromTag).toBe(first.fromTag);
    expect(second.toTag).toBeUndefined();
    expect(second.cseq.sequence).toBe(first.cseq.sequence + 1);
    expect(second.headers.get('Proxy-Authorization')).toContain('algorithm=SHA-256');
    answer();
    const ack = provider.requestOf('ACK');
    expect(ack.cseq.sequence).toBe(second.cseq.sequence);
    expect(ack.headers.get('Proxy-Authorization')).toBe(second.headers.get('Proxy-Authorization'));
  });

  it('a second refusal of the same password ends it', () => {
    challenge('INVITE');
    challenge('INVITE');
    expect(ends).toEqual(['rejected']);
    expect(provider.labels().filter((label) => label === 'INVITE')).toHaveLength(2);
  });

  it('a stale nonce is answered, but not for ever', () => {
    for (let i = 0; i < 5; i++) challenge('INVITE', `${CHALLENGE}, stale=true`);
    expect(provider.labels().filter((label) => label === 'INVITE')).toHaveLength(4);
    expect(ends).toEqual(['rejected']);
  });

  it('the BYE has credentials at once, and answers a new nonce', () => {
    challenge('INVITE');
    answer();
    call.hangUp();
    clock.advance(10);
    const first = provider.requestOf('BYE');
    expect(first.headers.get('Proxy-Authorization')).toContain('nc=00000002');
    challenge('BYE', CHALLENGE.replace('n1', 'n2').concat(', stale=true'));
    const second = provider.requestOf('BYE');
    expect(second.cseq.sequence).toBe(first.cseq.sequence + 1);
    expect(second.headers.get('Proxy-Authorization')).toContain('nonce="n2"');
    provider.respond(second, 200);
    clock.advance(64 * 500);
    expect(us.userAgent.callCount).toBe(0);
  });

  it('cancelled meanwhile, it is not made again', () => {
    call.hangUp();
    challenge('INVITE');
    expect(provider.labels().filter((label) => label === 'INVITE')).toHaveLength(1);
    expect(us.userAgent.callCount).toBe(0);
  });

  it('3261-22.3-a its re-INVITE and UPDATE answer a new challenge, and the ACK says so too', async () => {
    challenge('INVITE');
    answer();
    for (const method of ['INVITE', 'UPDATE'] as const) {
      const nonce = `n-${method}`;
      const change = call.reoffer(() => sdp({ port: 6000 }), method);
      clock.advance(10);
      const first = provider.requestOf(method);
      challenge(method, CHALLENGE.replace('n1', nonce).concat(', stale=true'));
      const second = provider.requestOf(method);
      expect(second.cseq.sequence).toBe(first.cseq.sequence + 1);
      expect(second.headers.get('Proxy-Authorization')).toContain(`nonce="${nonce}"`);
      provider.respond(second, 200, sdpText({ port: 7000, version: 2 }));
      clock.advance(10);
      expect(await change).toHaveProperty('answer');
      if (method === 'UPDATE') continue;
      const ack = provider.requestOf('ACK');
      expect(ack.cseq.sequence).toBe(second.cseq.sequence);
      expect(ack.headers.get('Proxy-Authorization')).toBe(
        second.headers.get('Proxy-Authorization'),
      );
    }
  });

  it('6086-5.2-a every ACK carries Recv-Info', async () => {
    answer();
    expect(provider.requestOf('ACK').headers.get('Recv-Info')).toBe('');
    const change = call.reoffer(() => sdp({ port: 6000 }));
    clock.advance(10);
    provider.respond(provider.requestOf('INVITE'), 200, sdpText({ version: 2 }));
    clock.advance(10);
    await change;
    expect(provider.requestOf('ACK').cseq.sequence).toBe(2);
    expect(provider.requestOf('ACK').headers.get('Recv-Info')).toBe('');
  });
});
