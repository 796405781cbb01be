import { beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger, type ProducerId, type RoomNumber } from '../../../base/index.ts';
import { RoomManager, type Participant } from '../../../server/index.ts';
import type { SipRequest } from '../../../signaling/sip/message/index.ts';
import { MemoryStore, RecordingSink } from '../../server/room-harness.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeVoice } from '../../support/fake-voice.ts';
import type { ScriptedPeer } from '../../support/scripted-peer.ts';
import { WebRtcPeerSdp } from '../../support/webrtc-peer-sdp.ts';
import { GatewayHarness, OUT } from './gateway-harness.ts';
import { SimulatedMediaEngine } from './simulation/simulated-media.ts';

/** What ScriptedPeer calls. */
const ROOM = '1234' as RoomNumber;
const STREAM = { transportId: 't', rtpParameters: { codecs: [] }, paused: false };
const CONNECT_TIMEOUT = 30_000;

let clock: FakeClock;
let rooms: RoomManager;
let harness: GatewayHarness;
let phone: ScriptedPeer;
let sdp: WebRtcPeerSdp;
let page: Participant;

function settle(ms?: number): Promise<void> {
  return harness.settle(ms);
}

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
  page = await rooms.join(
    { room: ROOM, name: 'page', kind: 'browser', address: '192.0.2.1' },
    new RecordingSink(),
  );
  page.activate();
  await page.webRtcLeg.produce({ ...STREAM, kind: 'audio', source: 'microphone' });
  await harness.call(sdp.offer());
  // Nothing is wanted: the page's voice is in the answer.
  await settle(1000);
});

function toTag(): string {
  return phone.response('INVITE').toTag!;
}

/** The description that holds, as the server gave it. */
function answered(): string {
  return phone.response('INVITE').bodyText;
}

/** Another voice: the phone has no m-line for it yet. */
async function addVoice(): Promise<Participant> {
  const second = await rooms.join(
    { room: ROOM, name: 'second', kind: 'browser', address: '192.0.2.2' },
    new RecordingSink(),
  );
  second.activate();
  await second.webRtcLeg.produce({ ...STREAM, kind: 'audio', source: 'microphone' });

  return second;
}

/** The page's camera goes on: something to ask the phone for. */
async function showPicture(): Promise<ProducerId> {
  return (await page.webRtcLeg.produce({ ...STREAM, kind: 'video', source: 'camera' })).id;
}

/** A change of the page is out. */
async function offered(): Promise<SipRequest> {
  const before = harness.offers().length;
  await showPicture();
  await settle(OUT);
  expect(harness.offers()).toHaveLength(before + 1);

  return harness.offers().at(-1)!;
}

function accept(offer: SipRequest): void {
  phone.respond(offer, 200, sdp.answer(offer.bodyText));
}

function refuse(offer: SipRequest, status: number): void {
  phone.respond(offer, status);
}

function isIn(): boolean {
  return rooms
    .get(ROOM)!
    .roster()
    .some(({ kind }) => kind === 'phone');
}

describe('a change of the room that meets one of the phone', () => {
  it('6337-3.1 UPDATE, re-INVITE: each gets 491 while our offer is open, and ours stands', async () => {
    const ours = await offered();
    for (const method of ['UPDATE', 'INVITE']) {
      phone.request(method, { toTag: toTag(), body: sdp.reoffer(answered(), true) });
      await settle();
      expect(phone.response(method).status).toBe(491);
    }
    accept(ours);
    await settle();
    expect(harness.reinvites).toEqual(['streams accepted']);
    expect(phone.labels().at(-1)).toBe('ACK');
  });

  it('3261-14.1-a loses against it: ours comes again after 0 to 2 s, with what is true then', async () => {
    const ours = await offered();
    refuse(ours, 491);
    await settle(100);
    // The phone holds, as it wanted to.
    phone.request('INVITE', { toTag: toTag(), body: sdp.reoffer(answered(), true) });
    await settle();
    const held = phone.response('INVITE');
    expect([held.status, /^a=(recvonly|inactive)\r?$/m.test(held.bodyText)]).toEqual([200, true]);
    phone.ack(held);
    await settle(2500);
    expect(harness.offers()).toHaveLength(2);
    const again = harness.offers().at(-1)!;
    const version = (text: string): number => Number(/^o=- \d+ (\d+) /m.exec(text)![1]);
    expect(version(again.bodyText)).toBeGreaterThan(version(held.bodyText));
    accept(again);
    await settle();
    expect(harness.reinvites).toEqual(['remote accepted', 'streams accepted']);
  });

  it('is not asked for while the phone holds, and is when it comes back', async () => {
    phone.request('INVITE', { toTag: toTag(), body: sdp.reoffer(answered(), true) });
    await settle();
    phone.ack(phone.response('INVITE'));
    const second = await addVoice();
    await settle(5000);
    expect(harness.offers()).toEqual([]);
    phone.request('UPDATE', { toTag: toTag(), body: sdp.reoffer(answered(), false) });
    await settle(1000);
    expect(phone.response('UPDATE').status).toBe(200);
    expect(harness.offers()).toHaveLength(1);
    expect(harness.offers()[0]!.bodyText).toContain(`a=label:${second.id}.microphone`);
  });

  it('has a place in the answer to an offer of theirs: nothing more is asked', async () => {
    await showPicture();
    phone.request('UPDATE', { toTag: toTag(), body: sdp.reoffer(answered(), false) });
    await settle(5000);
    expect(phone.response('UPDATE').bodyText).toContain(`a=label:${page.id}.camera`);
    expect(harness.offers()).toEqual([]);
  });

  it('within the window: ICE restarted by the phone, and our offer has the new credentials', async () => {
    await addVoice();
    await settle(100);
    const restarted = new WebRtcPeerSdp(true);
    const ufrag = (text: string): string => /^a=ice-ufrag:(\S+)/m.exec(text)![1]!;
    const fingerprint = /^a=fingerprint:.*$/m.exec(sdp.offer())![0];
    const body = restarted
      .reoffer(answered(), false)
      .replaceAll(/^a=fingerprint:.*$/gm, fingerprint.trim());
    const before = ufrag(answered());
    phone.request('INVITE', { toTag: toTag(), body });
    await settle();
    const answer = phone.response('INVITE');
    expect(answer.status).toBe(200);
    expect(ufrag(answer.bodyText)).not.toBe(before);
    phone.ack(answer);
    await settle(1000);
    expect(ufrag(harness.offers().at(-1)!.bodyText)).toBe(ufrag(answer.bodyText));
  });

  it('3311-5.2-a comes while theirs is being answered: after it, in one', async () => {
    phone.request('UPDATE', { toTag: toTag(), body: sdp.reoffer(answered(), false) });
    const second = await addVoice();
    await settle(1000);
    expect(phone.response('UPDATE').status).toBe(200);
    expect(harness.offers()).toHaveLength(1);
    expect(harness.offers()[0]!.bodyText).toContain(`a=label:${second.id}.microphone`);
  });

  it('is over before it is sent: nothing is', async () => {
    const id = await showPicture();
    await settle(100);
    await page.webRtcLeg.closeProducer(id);
    await settle(5000);
    expect(harness.offers()).toEqual([]);
  });

  it('is taken back while its offer is open: another follows its answer', async () => {
    const id = await showPicture();
    await settle(OUT);
    const first = harness.offers().at(-1)!;
    await page.webRtcLeg.closeProducer(id);
    await settle(5000);
    expect(harness.offers()).toHaveLength(1);
    accept(first);
    await settle(1000);
    expect(harness.offers()).toHaveLength(2);
    expect(harness.offers()[1]!.bodyText).not.toContain(`${page.id}.camera`);
  });
});

describe('a phone that ends, refuses or cuts down', () => {
  it('5407-3.2.3 its BYE crosses our re-INVITE: both are answered, and it is out', async () => {
    const ours = await offered();
    phone.request('BYE', { toTag: toTag() });
    await settle();
    expect(phone.response('BYE').status).toBe(200);
    refuse(ours, 487);
    await settle();
    expect(phone.labels().at(-1)).toBe('ACK');
    expect(isIn()).toBe(false);
    expect(harness.reinvites).toEqual(['streams ended']);
  });

  it('3261-14.1-a answers 491 for ever: asked ever more rarely, then no more; the call stays', async () => {
    await offered();
    const sentAt: number[] = [];
    let answeredUpTo = 0;
    for (let time = 0; time < 400_000; time += 500) {
      for (const offer of harness.offers().slice(answeredUpTo)) {
        sentAt.push(time);
        refuse(offer, 491);
        answeredUpTo += 1;
      }
      await clock.advanceAsync(500);
    }
    // Five tries after glare, four times.
    expect(sentAt.length).toBeLessThanOrEqual(20);
    expect(sentAt.at(-1)).toBeLessThan(200_000);
    expect(harness.reinvites).toEqual(Array.from({ length: 4 }, () => 'streams glare'));
    expect(isIn()).toBe(true);
    await showPicture();
    await settle(5000);
    expect(harness.offers()).toHaveLength(sentAt.length);
  });

  it('3264-6-a answers with fewer m-lines: it keeps what it has, and no m-line is added again', async () => {
    const second = await addVoice();
    await settle(OUT);
    const offer = harness.offers().at(-1)!;
    expect(offer.bodyText.match(/^m=/gm)).toHaveLength(3);
    phone.respond(offer, 200, sdp.answer(offer.bodyText, { most: 2 }));
    await settle(1000);
    await second.webRtcLeg.produce({ ...STREAM, kind: 'video', source: 'camera' });
    await settle(5000);
    for (const { bodyText } of harness.offers().slice(1))
      expect(bodyText.match(/^m=/gm)).toHaveLength(2);
    expect(isIn()).toBe(true);
  });

  it('answers with nonsense: the call ends, and the room goes on', async () => {
    const offer = await offered();
    phone.respond(offer, 200, sdp.answer(offer.bodyText).replaceAll('m=audio', 'm=text'));
    await settle(200);
    expect(phone.labels()).toContain('BYE');
    expect(isIn()).toBe(false);
    expect(page.state).toBe('joined');
  });

  it('sends no picture of its own any more: its video is silent, the rest as before', async () => {
    const inactive = sdp
      .reoffer(answered(), false)
      .replace(/(m=video[^]*?)a=sendrecv/, '$1a=inactive');
    phone.request('INVITE', { toTag: toTag(), body: inactive });
    await settle();
    phone.ack(phone.response('INVITE'));
    await settle();
    expect(phone.response('INVITE').bodyText).toMatch(/m=video[^]*a=inactive/);
    expect(phone.response('INVITE').bodyText).toMatch(/m=audio[^]*?a=sendrecv/);
    expect(harness.reinvites).toEqual(['remote accepted']);
    await clock.advanceAsync(CONNECT_TIMEOUT);
    expect(isIn()).toBe(true);
  });
});
