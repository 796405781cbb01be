/** Size: all rules share one worker, whose start costs more than most of them. */
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import type { PhoneLeg } from '../../../media/media-api.ts';
import { createRoomMedia, type SfuRoomMedia } from '../../../media/room-media.ts';
import { SrtpSession, type SrtpKey } from '../../../media/srtp/index.ts';
import type { PhoneVideo, PhoneVideoLeg, WantedVideoCodec } from '../../../media/video-api.ts';
import { readVp8 } from '../../../media/video/vp8.ts';
import { createWaitingLeg } from '../../../media/waiting-leg.ts';
import { WorkerPool } from '../../../media/worker-pool.ts';
import { letRun, waitUntil } from '../../support/wait-until.ts';
import { FakeMixerPool } from '../fake-mixer-pool.ts';
import { testDeps, testRoomVideo, testSettings, testVideoDeps } from '../media-fixture.ts';
import { VideoPeer, type Received } from './video-peer.ts';

jest.setTimeout(60_000);

interface Phone {
  leg: PhoneLeg;
  video: PhoneVideoLeg;
  peer: VideoPeer;
}

describe('the video of phones in a room', () => {
  let pool: WorkerPool;
  let room: SfuRoomMedia;
  let phones: Phone[];

  beforeAll(async () => {
    pool = await WorkerPool.start(await testSettings(), testDeps);
  });

  afterAll(async () => {
    await pool?.close();
  });

  beforeEach(async () => {
    phones = [];
    room = await createRoomMedia({
      consentTimeout: 30,
      ...(await pool.createRouter()),
      mixers: new FakeMixerPool(),
      loopbackPorts: { min: 30_000, max: 39_999 },
      ...testRoomVideo(),
      logger: testDeps.logger,
      closed: () => undefined,
    });
  });

  afterEach(async () => {
    await room.close();
    await Promise.all(phones.map(({ peer }) => peer.close()));
    expect(pool.open()).toEqual({ transports: 0, producers: 0, consumers: 0 });
  });

  async function phone(tag: number, changes: Partial<PhoneVideo> = {}): Promise<Phone> {
    const leg = await room.createPhoneLeg();
    const video = await leg.openVideo('main');
    const peer = await VideoPeer.open(tag);
    await video.configure(peer.agreed(changes));
    peer.play(video);
    phones.push({ leg, video, peer });

    return { leg, video, peer };
  }

  const sees = (peer: VideoPeer, ...tags: number[]): Promise<void> =>
    waitUntil(`pictures of ${String(tags)}`, () => {
      const seen = peer.seen().filter((tag) => tag < 10);

      return tags.every((tag, i) => seen.at(i - tags.length) === tag) ? undefined : String(seen);
    });

  it('follows the active speaker in one stream without a gap; the speaker sees who spoke before', async () => {
    const a = await phone(1);
    const b = await phone(2);
    const c = await phone(3);
    room.setActiveSpeaker(a.leg.id);
    await sees(c.peer, 1);
    await sees(b.peer, 1);
    room.setActiveSpeaker(b.leg.id);
    await sees(c.peer, 2);
    await sees(a.peer, 2);
    await sees(b.peer, 1);

    const { received } = c.peer;
    expect(new Set(received.map(({ ssrc }) => ssrc))).toEqual(new Set([c.video.ssrc]));
    const steps = received.slice(1).map((packet, i) => step(received[i]!, packet));
    expect(new Set(steps)).toEqual(new Set([1]));
    const forward = received
      .slice(1)
      .map((packet, i) => (packet.timestamp - received[i]!.timestamp) | 0);
    expect(Math.min(...forward)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...forward)).toBeLessThan(90_000 * 2);
  });

  const pictures = (peer: VideoPeer): number => peer.received.filter(({ marker }) => marker).length;
  const plis = (peer: VideoPeer): number =>
    peer.feedback.filter(({ type }) => type === 'PLI').length;

  it('is black while nothing of its codec is there, and says which codecs are wanted', async () => {
    const wanted: WantedVideoCodec[][] = [];
    room.events.on('videoCodecsWanted', (codecs) => wanted.push(codecs));
    const a = await phone(1);
    const b = await phone(2, { codec: 'VP8' });
    await waitUntil('black pictures', () => {
      const counts = [a, b].map(({ peer }) => pictures(peer));

      return counts.every((count) => count > 0) ? undefined : String(counts);
    });
    expect(a.peer.received.slice(0, 3).map(({ payload }) => payload[0]! & 31)).toEqual([7, 8, 5]);
    expect(readVp8(b.peer.received[0]!.payload)?.keyFrame).toBe(true);
    expect(room.wantedVideoCodecs()).toEqual([
      { codec: 'H264', legIds: [a.leg.id] },
      { codec: 'VP8', legIds: [b.leg.id] },
    ]);
    await b.video.configure(b.peer.agreed({ codec: 'VP8', direction: 'recvonly' }));
    await a.leg.close();
    expect(wanted.map((codecs) => codecs.map(({ codec }) => codec))).toEqual([
      ['H264'],
      ['H264', 'VP8'],
      ['H264'],
      [],
    ]);
  });

  it('a source that sends no key frame when asked is not switched to; the old one goes on', async () => {
    const a = await phone(1);
    const b = await phone(2);
    const c = await phone(3);
    room.setActiveSpeaker(a.leg.id);
    await sees(c.peer, 1);
    b.peer.obeys = false;
    const before = pictures(c.peer);
    room.setActiveSpeaker(b.leg.id);
    await waitUntil('a request', () => (plis(b.peer) > 0 ? undefined : 'none'));
    await waitUntil('further pictures', () => {
      const more = pictures(c.peer) - before;

      return more > 30 ? undefined : String(more);
    });
    expect(c.peer.seen().at(-1)).toBe(1);
    b.peer.obeys = true;
    await sees(c.peer, 2);
  });

  it('key frames are asked for as was agreed on, at most twice a second', async () => {
    const a = await phone(1, { feedback: { fir: true } });
    const b = await phone(2, { feedback: {} });
    const c = await phone(3);
    let signalled = 0;
    b.video.events.on('keyFrameWanted', () => signalled++);
    room.setActiveSpeaker(a.leg.id);
    await sees(c.peer, 1);
    const firRequests = (): { ssrc: number; sequence: number }[] =>
      a.peer.feedback.flatMap((packet) => (packet.type === 'FIR' ? packet.requests : []));
    const before = firRequests().length;
    const startedAt = performance.now();
    for (let i = 0; i < 20; i++) {
      c.peer.say([{ type: 'PLI', senderSsrc: c.peer.ssrc, mediaSsrc: c.video.ssrc }]);
      c.video.requestKeyFrame();
      await letRun(50);
    }
    const firs = firRequests();
    expect(firs.length).toBeGreaterThan(0);
    expect(firs.length - before).toBeLessThanOrEqual(2 + (performance.now() - startedAt) / 500);
    expect(new Set(firs.map(({ ssrc }) => ssrc))).toEqual(new Set([a.peer.ssrc]));
    expect(new Set(firs.map(({ sequence }) => sequence)).size).toBe(firs.length);
    expect(c.video.stats().keyFrameRequests).toBeGreaterThan(20);
    room.setActiveSpeaker(b.leg.id);
    await waitUntil('signalling', () => (signalled > 0 ? undefined : 'not asked'));
  });

  it('what a phone lost is sent again, as it was or by RTX; a limit is acknowledged', async () => {
    const a = await phone(1);
    const c = await phone(3);
    room.setActiveSpeaker(a.leg.id);
    await sees(c.peer, 1);
    // Asked again until it is answered: on a busy machine a request comes too late for its packet.
    const asked = new Map<number, Received>();
    const ask = (): void => {
      const lost = c.peer.received.filter(({ payloadType }) => payloadType === 97).at(-3)!;
      const { sequenceNumber } = lost;
      asked.set(sequenceNumber, lost);
      c.peer.say([
        { type: 'NACK', senderSsrc: c.peer.ssrc, mediaSsrc: c.video.ssrc, lost: [sequenceNumber] },
      ]);
    };
    await waitUntil('the same packet', () => {
      const again = c.peer.received.filter((packet) => {
        const lost = asked.get(packet.sequenceNumber);

        return lost !== undefined && packet !== lost;
      });
      expect(again.every((packet) => isSame(packet, asked.get(packet.sequenceNumber)!))).toBe(true);
      if (again.length > 0) return undefined;
      ask();

      return 'not sent again';
    });
    const rtx = { sendPayloadType: 98, receivePayloadType: 98 };
    await c.video.configure(c.peer.agreed({ rtx, feedback: { nack: true, tmmbr: true } }));
    await waitUntil('the packet by RTX', () => {
      const copy = c.peer.received.find(({ payloadType }) => payloadType === 98);
      if (copy === undefined) {
        ask();

        return 'nothing';
      }
      expect(copy.ssrc).toBe(c.video.rtxSsrc);
      const lost = asked.get((copy.payload[0]! << 8) | copy.payload[1]!)!;
      expect(isSame({ ...copy, payload: copy.payload.subarray(2) }, lost)).toBe(true);

      return undefined;
    });
    const limit = { ssrc: c.video.ssrc, bitrate: 256_000, overhead: 40 };
    await waitUntil('TMMBN', () => {
      c.peer.say([{ type: 'TMMBR', senderSsrc: c.peer.ssrc, limits: [limit] }]);
      const answer = c.peer.feedback.find(({ type }) => type === 'TMMBN');

      return answer?.type === 'TMMBN' && answer.limits[0]?.ssrc === c.peer.ssrc
        ? undefined
        : 'none';
    });
    expect(c.video.stats().maxBitrate).toBe(256_000);
  });

  it('what is lost on the way from a phone is asked for, and put in order before it is shown', async () => {
    const a = await phone(1);
    const c = await phone(3);
    room.setActiveSpeaker(a.leg.id);
    await sees(c.peer, 1);
    a.peer.dropNext = true;
    await waitUntil('a NACK', () => (a.peer.resent > 0 ? undefined : 'none'));
    const before = c.peer.received.length;
    await waitUntil('more', () => (c.peer.received.length > before + 10 ? undefined : 'nothing'));
    const steps = c.peer.received.slice(1).map((packet, i) => step(c.peer.received[i]!, packet));
    expect(new Set(steps)).toEqual(new Set([1]));
  });

  it('goes on in one stream over hold, a change of codec and an encrypted call', async () => {
    const key = (fill: number): SrtpKey => ({
      suite: 'AES_CM_128_HMAC_SHA1_80',
      keyAndSalt: new Uint8Array(30).fill(fill),
    });
    const a = await phone(1);
    const c = await phone(3);
    room.setActiveSpeaker(a.leg.id);
    await sees(c.peer, 1);
    await c.video.configure(c.peer.agreed({ direction: 'inactive' }));
    await waitUntil('no more pictures', async () => {
      const before = c.peer.received.length;
      await letRun(300);

      return c.peer.received.length === before ? undefined : 'some';
    });
    const held = c.peer.received.length;
    await c.video.configure(c.peer.agreed());
    await waitUntil('pictures again', () =>
      c.peer.received.length > held + 20 ? undefined : 'none',
    );
    expect(c.peer.seen().at(-1)).toBe(1);
    await c.video.configure(c.peer.agreed({ codec: 'VP8' }));
    const changed = c.peer.received.length;
    await waitUntil('black VP8', () => {
      const packet = c.peer.received.slice(changed).at(-1);

      return packet && readVp8(packet.payload)?.keyFrame === true ? undefined : 'none';
    });
    const srtp = { send: key(1), receive: key(2) };
    await c.video.configure(c.peer.agreed({ srtp }));
    const encrypted = c.peer.received.length;
    await waitUntil('encrypted pictures', () =>
      c.peer.received.length > encrypted + 5 ? undefined : 'none',
    );
    const session = new SrtpSession({ send: key(2), receive: key(1) });
    const opened = c.peer.octets
      .slice(encrypted + 1)
      .map((octets) => session.openRtp(octets.slice()));
    expect(Math.min(...opened)).toBeGreaterThan(12);
    expect(new Set(c.peer.received.map(({ ssrc }) => ssrc)).size).toBe(1);
    const steps = c.peer.received.slice(1).map((packet, i) => step(c.peer.received[i]!, packet));
    expect(new Set(steps)).toEqual(new Set([1]));
  });

  it('a phone that waits is shown nothing of the room, and goes on in it in the same stream', async () => {
    const a = await phone(1);
    const leg = await createWaitingLeg(new FakeMixerPool(), testVideoDeps(42_000));
    const video = await leg.openVideo('main');
    const peer = await VideoPeer.open(3);
    await video.configure(peer.agreed());
    peer.play(video);
    phones.push({ leg, video, peer });
    await waitUntil('black pictures', () => (pictures(peer) > 1 ? undefined : 'none'));
    expect(peer.seen()).not.toContain(1);
    await room.adoptPhoneLeg(leg);
    await sees(peer, 1);
    await sees(a.peer, 3);
    expect(new Set(peer.received.map(({ ssrc }) => ssrc)).size).toBe(1);
    await leg.close();
    await waitUntil('black pictures', () => (a.peer.seen().at(-1)! > 9 ? undefined : 'not black'));
  });

  it('a camera that is off is not shown, nor published', async () => {
    const a = await phone(1);
    const b = await phone(2);
    const c = await phone(3, { direction: 'sendonly' });
    const told: unknown[] = [];
    room.events.on('producerPaused', ({ legId, paused }) => told.push([legId, paused]));
    room.setActiveSpeaker(a.leg.id);
    await sees(c.peer, 1);
    a.peer.stop();
    await sees(c.peer, 2);
    const states = room.producers().map(({ legId, paused }) => [legId, paused]);
    expect(states).toEqual([
      [a.leg.id, true],
      [b.leg.id, false],
    ]);
    a.peer.play(a.video);
    await sees(c.peer, 1);
    expect(told).toEqual([
      [a.leg.id, true],
      [a.leg.id, false],
    ]);
    // Who says that it only watches has no picture in the room any more, not even a stopped one.
    await a.video.configure(a.peer.agreed({ direction: 'sendonly' }));
    await sees(c.peer, 2);
    expect(room.producers().map(({ legId }) => legId)).toEqual([b.leg.id]);
    await a.video.configure(a.peer.agreed());
    await sees(c.peer, 1);
  });

  it('slides are what is shared alone; the main stream then keeps the speaker', async () => {
    const a = await phone(1);
    const sharing = await a.leg.openVideo('slides');
    const screen = await VideoPeer.open(5);
    await sharing.configure(screen.agreed());
    const c = await phone(3);
    room.setActiveSpeaker(a.leg.id);
    await sees(c.peer, 1);
    screen.play(sharing);
    await sees(c.peer, 5);
    expect(room.producers().map(({ kind, source }) => `${kind} ${source}`)).toContain(
      'video screen',
    );

    const slides = await c.leg.openVideo('slides');
    const board = await VideoPeer.open(9);
    await slides.configure(board.agreed());
    await sees(board, 5);
    await sees(c.peer, 1);
    await sharing.close();
    await slides.close();
    await Promise.all([screen.close(), board.close()]);
    await expect(a.leg.openVideo('main')).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });
});

function isSame(a: Received, b: Received): boolean {
  return a.timestamp === b.timestamp && Buffer.compare(a.payload, b.payload) === 0;
}

function step(before: Received, after: Received): number {
  return (after.sequenceNumber - before.sequenceNumber) & 0xffff;
}
