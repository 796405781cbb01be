import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { PhoneLeg } from '../../../media/media-api.ts';
import { createRoomMedia, type SfuRoomMedia } from '../../../media/room-media.ts';
import type { PhoneVideo, PhoneVideoLeg } from '../../../media/video-api.ts';
import { WorkerPool } from '../../../media/worker-pool.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { FakeMixerPool } from '../fake-mixer-pool.ts';
import { testDeps, testSettings, testVideoDeps } from '../media-fixture.ts';
import { VideoPeer } from './video-peer.ts';

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
      ...(await pool.createRouter()),
      mixers: new FakeMixerPool(),
      loopbackPorts: { min: 30_000, max: 39_999 },
      video: testVideoDeps(),
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
    const steps = received
      .slice(1)
      .map((packet, i) => (packet.sequenceNumber - received[i]!.sequenceNumber) & 0xffff);
    expect(new Set(steps)).toEqual(new Set([1]));
    const forward = received
      .slice(1)
      .map((packet, i) => (packet.timestamp - received[i]!.timestamp) | 0);
    expect(Math.min(...forward)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...forward)).toBeLessThan(90_000 * 2);
  });
});
