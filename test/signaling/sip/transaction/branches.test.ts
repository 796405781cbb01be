import { expect, it } from '@jest/globals';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ScriptedPeer } from '../../../support/scripted-peer.ts';
import { nameAddr, sdp, SipStack, SipWire } from '../../../support/sip-wire.ts';

const US = { address: '10.0.0.1', port: 5060 };
const PEER = { address: '10.0.0.2', port: 5060 };

it('3261-8.1.1.7-a branches are marked and unique; CANCEL and the ACK of a refusal reuse the INVITE’s', () => {
  const clock = new FakeClock();
  const wire = new SipWire(clock);
  const us = new SipStack(wire, US);
  const peer = new ScriptedPeer(wire, PEER, US);
  const branchOf = (method: string): string | undefined =>
    peer.requestOf(method).via.params.get('branch');
  const branches = new Set<string | undefined>();
  for (let i = 0; i < 20; i++) {
    const call = us.userAgent.call({
      to: nameAddr('<sip:123@10.0.0.2>'),
      from: nameAddr('<sip:office@10.0.0.1>'),
      offer: sdp(),
    });
    clock.advance(10);
    const invite = peer.requestOf('INVITE');
    expect(branchOf('INVITE')).toMatch(/^z9hG4bK.{8,}/);
    branches.add(branchOf('INVITE'));
    peer.respond(invite, 180);
    clock.advance(10);
    call.hangUp();
    clock.advance(10);
    expect(branchOf('CANCEL')).toBe(branchOf('INVITE'));
    peer.respond(peer.requestOf('CANCEL'), 200);
    peer.respond(invite, 487);
    clock.advance(10);
    expect(branchOf('ACK')).toBe(branchOf('INVITE'));
  }
  expect(branches.size).toBe(20);
});
