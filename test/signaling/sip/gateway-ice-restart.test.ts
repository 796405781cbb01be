import { beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger, type RoomNumber } from '../../../base/index.ts';
import { RoomManager } from '../../../server/index.ts';
import { MAX_RESTARTS, RESTART_TIMEOUT } from '../../../signaling/sip/negotiation/index.ts';
import type { SipRequest } from '../../../signaling/sip/message/index.ts';
import { MemoryStore } from '../../server/room-harness.ts';
import type { FakeWebRtcLeg } from '../../support/fake-media-engine.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeVoice } from '../../support/fake-voice.ts';
import type { ScriptedPeer } from '../../support/scripted-peer.ts';
import { WebRtcPeerSdp } from '../../support/webrtc-peer-sdp.ts';
import { GatewayHarness, OUT } from './gateway-harness.ts';
import { SimulatedMediaEngine } from './simulation/simulated-media.ts';

/** What ScriptedPeer calls. */
const ROOM = '1234' as RoomNumber;

let clock: FakeClock;
let rooms: RoomManager;
let harness: GatewayHarness;
let phone: ScriptedPeer;
let sdp: WebRtcPeerSdp;

beforeEach(async () => {
  clock = new FakeClock();
  const voice = new FakeVoice();
  rooms = new RoomManager({
    settings: { autoCreate: true, maxParticipants: 500 },
    media: new SimulatedMediaEngine(clock),
    ...{ voice, store: new MemoryStore(), clock, logger: silentLogger },
  });
  harness = new GatewayHarness({ clock, rooms, voice });
  ({ phone } = harness);
  sdp = new WebRtcPeerSdp(true);
  await harness.call(sdp.offer());
  await settle(1000);
});

function settle(ms?: number): Promise<void> {
  return harness.settle(ms);
}

/** The description that holds, as the server gave it. */
function answered(): string {
  return phone.response('INVITE').bodyText;
}

function accept(offer: SipRequest): void {
  phone.respond(offer, 200, sdp.answer(offer.bodyText));
}

function isIn(): boolean {
  return rooms.get(ROOM)?.roster().length === 1;
}

describe('a phone of which nothing comes any more (RFC 7675)', () => {
  const leg = (): FakeWebRtcLeg => {
    const member = rooms
      .get(ROOM)!
      .joined()
      .find(({ kind }) => kind === 'phone');

    return member!.webRtcLeg as FakeWebRtcLeg;
  };
  const credentials = (text: string): string | undefined => /a=ice-ufrag:(\S+)/.exec(text)?.[1];

  it('8839-4.4.1.1.1-a gets one re-INVITE with new credentials, and goes on when it is back', async () => {
    leg().events.emit('interrupted');
    await settle(OUT);
    expect(harness.offers()).toHaveLength(1);
    const [offer] = harness.offers();
    expect(credentials(offer!.bodyText)).not.toBe(credentials(answered()));
    accept(offer!);
    await settle();
    leg().events.emit('connected');
    await clock.advanceAsync(10 * RESTART_TIMEOUT);
    expect(harness.offers()).toHaveLength(1);
    expect(harness.reinvites).toEqual(['ice accepted']);
    expect(isIn()).toBe(true);
  });

  it('is asked nothing when it comes back by itself', async () => {
    leg().events.emit('interrupted');
    leg().events.emit('connected');
    await clock.advanceAsync(10 * RESTART_TIMEOUT);
    expect(harness.offers()).toEqual([]);
    expect(isIn()).toBe(true);
  });

  it('and does not come back: asked a bounded number of times, then the call ends as timed out', async () => {
    leg().events.emit('interrupted');
    for (let tries = 1; tries <= MAX_RESTARTS; tries++) {
      await settle(OUT);
      expect(harness.offers()).toHaveLength(tries);
      accept(harness.offers().at(-1)!);
      await clock.advanceAsync(RESTART_TIMEOUT - OUT);
    }
    await settle();
    expect(phone.requestOf('BYE').headers.get('Reason')).toMatch(/^Q\.850;cause=102;/);
    expect(isIn()).toBe(false);
    expect(harness.offers()).toHaveLength(MAX_RESTARTS);
  });

  it('and refuses our offer for now: the next one is tried after a rest', async () => {
    leg().events.emit('interrupted');
    await settle(OUT);
    phone.respond(harness.offers()[0]!, 500);
    await settle(5000);
    expect(harness.offers()).toHaveLength(2);
    expect(harness.reinvites).toEqual(['ice refused']);
  });

  it('is on hold: it is asked all the same', async () => {
    phone.request('INVITE', {
      toTag: phone.response('INVITE').toTag,
      body: sdp.reoffer(answered(), true),
    });
    await settle();
    phone.ack(phone.response('INVITE'));
    leg().events.emit('interrupted');
    await settle(OUT);
    expect(harness.offers()).toHaveLength(1);
  });

  it('and ended its DTLS connection: the call ends at once', async () => {
    leg().events.emit('disconnected');
    await settle();
    expect(isIn()).toBe(false);
  });
});
