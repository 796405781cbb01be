import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { sdp, sdpText, SipStack, SipWire } from '../../../support/sip-wire.ts';

const SERVER = { address: '10.0.0.1', port: 5060 };
const PHONE = { address: '10.0.0.2', port: 5070 };

let clock: FakeClock;
let server: SipStack;
let phone: ScriptedPeer;

beforeEach(() => {
  clock = new FakeClock();
  const wire = new SipWire(clock);
  server = new SipStack(wire, SERVER);
  phone = new ScriptedPeer(wire, PHONE, SERVER);
});

function establish(): void {
  phone.request('INVITE', { body: sdpText() });
  clock.advance(10);
  server.call.accept(sdp({ port: 6000 }));
  clock.advance(10);
  phone.ack(phone.response('INVITE'));
  clock.advance(10);
}

describe('the end of the process', () => {
  it('says BYE to calls, 503 to those that wait, and 503 to new ones', async () => {
    establish();
    phone.request('INVITE', { body: sdpText(), callId: 'waiting' });
    clock.advance(10);
    const closed = server.userAgent.close([['Reason', 'SIP;cause=503']]);
    clock.advance(10);
    expect(phone.response('INVITE').status).toBe(503);
    phone.respond(phone.requestOf('BYE'), 200);
    phone.request('INVITE', { body: sdpText(), callId: 'late' });
    clock.advance(10);
    await closed;
    expect(phone.response('INVITE').callId).toBe('late');
    expect(phone.response('INVITE').status).toBe(503);
    expect(server.userAgent.callCount).toBe(0);
    await server.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not wait longer than it was told for a phone that says nothing', async () => {
    establish();
    const closed = server.userAgent.close(undefined, 1000);
    clock.advance(1010);
    await closed;
    expect(server.userAgent.callCount).toBe(0);
    await server.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
