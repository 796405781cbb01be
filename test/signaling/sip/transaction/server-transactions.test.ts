import { describe, expect, it } from '@jest/globals';
import { buildResponse, type SipRequest } from '../../../../signaling/sip/message/index.ts';
import type { TransportProtocol } from '../../../../signaling/sip/transport/index.ts';
import { anInvite, aRequest, received } from '../../../support/message-builder.ts';
import { Harness } from './harness.ts';

const BOTH: TransportProtocol[] = ['UDP', 'TCP'];
const VIA = 'SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKphone1;rport';

function withInvite(protocol: TransportProtocol): Harness {
  const harness = new Harness(protocol);
  harness.receive(received(anInvite()));

  return harness;
}

function respond(harness: Harness, status: number): void {
  const server = harness.servers[0]!;
  server.respond(buildResponse(server.request, status, { toTag: 'ours' }));
}

function ackWith(via: string): SipRequest {
  return received(aRequest('ACK', { to: '<sip:100@parley.example>;tag=ours' }), via);
}

function expectGone(harness: Harness): void {
  expect(harness.layer.counts().total).toBe(0);
  expect(harness.clock.pendingTimers).toBe(0);
}

describe('INVITE server transaction', () => {
  it.each(BOTH)('3261-17.2.1-a over %s a slow user gets a 100 sent after 200 ms', (protocol) => {
    const harness = withInvite(protocol);
    harness.clock.advance(199);
    expect(harness.responses).toEqual([]);
    harness.clock.advance(1);
    expect(harness.responses).toEqual(['100@200']);
    expect(harness.sender.responses[0]?.message.toTag).toBeUndefined();
  });

  it('3261-17.2.1-a a quick user makes the 100 needless', () => {
    const harness = withInvite('UDP');
    respond(harness, 180);
    harness.clock.advance(1_000);
    expect(harness.responses).toEqual(['180@0']);
  });

  it('3261-17.2.1-a a retransmitted INVITE gets the last provisional response; the user is not told', () => {
    const harness = withInvite('UDP');
    harness.receive(received(anInvite()));
    respond(harness, 180);
    harness.receive(received(anInvite()));
    expect(harness.responses).toEqual(['180@0', '180@0']);
    expect(harness.told).toEqual(['INVITE']);
  });

  it('3261-17.2.1-a over UDP 300-699 is retransmitted with G up to T2; H without ACK informs the user', () => {
    const harness = withInvite('UDP');
    respond(harness, 486);
    harness.clock.advance(31_999);
    expect(harness.responses).toEqual(
      [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500].map(
        (at) => `486@${String(at)}`,
      ),
    );
    harness.clock.advance(1);
    expect(harness.told).toEqual(['INVITE', 'ack timeout', 'terminated']);
    expectGone(harness);
  });

  it('3261-17.2.1-a over TCP 300-699 is sent once; H still counts', () => {
    const harness = withInvite('TCP');
    respond(harness, 486);
    harness.clock.advance(32_000);
    expect(harness.responses).toEqual(['486@0']);
    expect(harness.told).toEqual(['INVITE', 'ack timeout', 'terminated']);
    expectGone(harness);
  });

  it('3261-17.2.1-a over UDP the ACK ends retransmission, and more ACKs are absorbed for T4', () => {
    const harness = withInvite('UDP');
    respond(harness, 404);
    harness.clock.advance(600);
    harness.receive(ackWith(VIA));
    harness.receive(ackWith(VIA));
    harness.receive(received(anInvite()));
    harness.clock.advance(4_999);
    expect(harness.responses).toEqual(['404@0', '404@500']);
    expect(harness.layer.counts().inviteServer).toBe(1);
    harness.clock.advance(1);
    expect(harness.told).toEqual(['INVITE', 'terminated']);
    expectGone(harness);
  });

  it('3261-17.2.1-a over TCP Timer I is zero', () => {
    const harness = withInvite('TCP');
    respond(harness, 404);
    harness.receive(ackWith(VIA));
    harness.clock.advance(0);
    expectGone(harness);
  });

  it('3261-17.2.1-a a retransmitted INVITE in Completed gets the final response', () => {
    const harness = withInvite('UDP');
    respond(harness, 486);
    harness.receive(received(anInvite()));
    expect(harness.responses).toEqual(['486@0', '486@0']);
  });

  it.each(BOTH)(
    '6026-7.1-a over %s a 2xx goes to Accepted: a retransmitted INVITE is absorbed for 64*T1',
    (protocol) => {
      const harness = withInvite(protocol);
      respond(harness, 200);
      harness.clock.advance(31_999);
      harness.receive(received(anInvite()));
      expect(harness.responses).toEqual(['200@0']);
      expect(harness.told).toEqual(['INVITE']);
      harness.clock.advance(1);
      expect(harness.told).toEqual(['INVITE', 'terminated']);
      expectGone(harness);
    },
  );

  it('6026-7.1-b 2xx are sent when the user does so, and ACK goes to the user', () => {
    const harness = withInvite('UDP');
    respond(harness, 200);
    harness.clock.advance(500);
    respond(harness, 200);
    harness.receive(ackWith('SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKnew'));
    harness.receive(ackWith(VIA));
    expect(harness.responses).toEqual(['200@0', '200@500']);
    expect(harness.told).toEqual(['INVITE', 'ACK', 'ACK']);
  });

  it.each([180, 200, 486])(
    '6026-7.1-c a transport error on sending a %d leaves the transaction',
    (status) => {
      const harness = withInvite('TCP');
      harness.sender.failure = new Error('reset');
      respond(harness, status);
      harness.clock.advance(0);
      expect(harness.told).toEqual(['INVITE', 'transport error']);
      expect(harness.layer.counts().inviteServer).toBe(1);
    },
  );

  it('a second final response is refused as a mistake of the user, and not sent', () => {
    const illegal: string[] = [];
    const harness = new Harness('UDP', { onIllegal: (what) => illegal.push(what) });
    harness.receive(received(anInvite()));
    respond(harness, 486);
    respond(harness, 200);
    respond(harness, 180);
    harness.receive(received(anInvite()));
    expect(harness.responses).toEqual(['486@0', '486@0']);
    expect(illegal).toEqual([
      'INVITE server: 2xx from TU in state Completed',
      'INVITE server: 1xx from TU in state Completed',
    ]);
    expect(() => respond(withFinal(), 500)).toThrow(/illegal transition/);
  });

  function withFinal(): Harness {
    const harness = withInvite('UDP');
    respond(harness, 486);

    return harness;
  }
});

describe('non-INVITE server transaction', () => {
  function withBye(protocol: TransportProtocol): Harness {
    const harness = new Harness(protocol);
    harness.receive(received(aRequest('BYE')));

    return harness;
  }

  it('3261-17.2.2-a over UDP a retransmitted request gets the last response, for Timer J', () => {
    const harness = withBye('UDP');
    harness.receive(received(aRequest('BYE')));
    expect(harness.responses).toEqual([]);
    respond(harness, 200);
    harness.clock.advance(31_999);
    harness.receive(received(aRequest('BYE')));
    expect(harness.responses).toEqual(['200@0', '200@31999']);
    expect(harness.told).toEqual(['BYE']);
    harness.clock.advance(1);
    expectGone(harness);
  });

  it('3261-17.2.2-a over TCP Timer J is zero', () => {
    const harness = withBye('TCP');
    respond(harness, 200);
    harness.clock.advance(0);
    expect(harness.told).toEqual(['BYE', 'terminated']);
    expectGone(harness);
  });

  it('3261-17.2.2-a another final response is discarded', () => {
    const harness = withBye('UDP');
    respond(harness, 200);
    respond(harness, 500);
    harness.receive(received(aRequest('BYE')));
    expect(harness.responses).toEqual(['200@0', '200@0']);
  });

  it.each(BOTH)(
    "4320-4.1-a over %s a 100 goes out when the client's Timer E reaches T2",
    (protocol) => {
      const harness = withBye(protocol);
      harness.clock.advance(3_499);
      expect(harness.responses).toEqual([]);
      harness.clock.advance(1);
      expect(harness.responses).toEqual(['100@3500']);
      harness.receive(received(aRequest('BYE')));
      expect(harness.responses).toEqual(['100@3500', '100@3500']);
    },
  );

  it('4320-4.1-a a 100 from the user waits over UDP, and goes at once over TCP', () => {
    const [udp, tcp] = [withBye('UDP'), withBye('TCP')];
    respond(udp, 100);
    respond(tcp, 100);
    expect([udp.responses, tcp.responses]).toEqual([[], ['100@0']]);
  });

  it.each([180, 183, 408])('4320-4.1-a 4320-4.2-a a %d is never sent', (status) => {
    const illegal: string[] = [];
    const harness = new Harness('UDP', { onIllegal: (what) => illegal.push(what) });
    harness.receive(received(aRequest('BYE')));
    respond(harness, status);
    expect(harness.responses).toEqual([]);
    expect(illegal).toHaveLength(1);
  });

  it.each(BOTH)(
    '4320-4.2-a over %s a request that nobody answers is forgotten after 64*T1',
    (protocol) => {
      const harness = withBye(protocol);
      harness.clock.advance(32_000);
      expect(harness.told).toEqual(['BYE', 'terminated']);
      respond(harness, 200);
      expect(harness.responses).toEqual(['100@3500']);
      expectGone(harness);
    },
  );

  it('a transport error is told, and the response stays for the next retransmission', () => {
    const harness = withBye('UDP');
    harness.sender.failure = new Error('unreachable');
    respond(harness, 200);
    harness.clock.advance(0);
    expect(harness.told).toEqual(['BYE', 'transport error']);
    expect(harness.layer.counts().nonInviteServer).toBe(1);
  });
});
