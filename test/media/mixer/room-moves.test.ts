import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { newLegId, SystemClock } from '../../../base/index.ts';
import { audioCodec } from '../../../media/codecs.ts';
import type { Sound } from '../../../media/media-api.ts';
import { MIXER_THREAD, MixerWorker } from '../../../media/mixer/mixer-worker.ts';
import { PooledRoom } from '../../../media/mixer/pooled-room.ts';
import { PortAllocator } from '../../../media/rtp/index.ts';
import { RtpPeer } from '../rtp-peer.ts';
import { slice, toneLevel, type Signal } from '../../support/tone-meter.ts';
import type { HeardPacket } from '../../support/udp-phone.ts';
import { letRun, waitUntil } from '../../support/wait-until.ts';
import { Callers, expectOthersOnly, type Call } from './calls-heard.ts';

// Tones are measured in real time, on machines that may be busy.
jest.setTimeout(60_000);

const ADDRESS = '127.0.0.1';
const DATA = { bindAddress: ADDRESS, rtpTimeout: 30_000, dscp: 46, autoGain: false };
const rooms = new Map<number, PooledRoom>();
const callers = new Callers();
const ports = new PortAllocator({
  min: 36_400,
  max: 36_499,
  clock: new SystemClock(),
  quarantineMs: 0,
});
let threads: [MixerWorker, MixerWorker];
let nextRoom = 1;

function startThread(name: string, entry = MIXER_THREAD, data = DATA): MixerWorker {
  return new MixerWorker(entry, name, data, {
    onNotice: (notice) => {
      if (notice.type === 'fault') throw new Error(notice.error);
      rooms.get(notice.room)?.notice(notice);
    },
    onReport: () => undefined,
    onDeath: () => undefined,
  });
}

beforeAll(async () => {
  threads = [startThread('one'), startThread('other')];
  await Promise.all(threads.map(({ started }) => started));
});

afterEach(async () => {
  await Promise.all([...rooms.values()].map((room) => room.close()));
  rooms.clear();
  await callers.close();
  expect(ports.inUse).toBe(0);
});

afterAll(async () => {
  await Promise.all(threads.map((thread) => thread.close()));
});

function openRoom(thread = threads[0]): PooledRoom {
  const key = nextRoom++;
  const room = new PooledRoom(key, thread, ports, () => rooms.delete(key));
  rooms.set(key, room);

  return room;
}

/**
 * What is wrong with a stream; undefined: it is one. A busy machine makes a thread give frames up, and this
 * process lose packets that it is late to read: neither is a new beginning. That nothing is lost by a move is
 * shown where the time stands still, in frozen-room.test.ts.
 */
function broken(heard: readonly HeardPacket[], clockStep: number): string | undefined {
  for (let i = 1; i < heard.length; i++) {
    const [before, now] = [heard[i - 1]!, heard[i]!];
    const sequences = (now.sequenceNumber - before.sequenceNumber) & 0xffff;
    const step = (now.timestamp - before.timestamp) >>> 0;
    if (now.ssrc !== before.ssrc) return 'another SSRC';
    if (sequences === 0 || sequences > 500) return `a step of ${sequences} packets`;
    const tooMuch = step - sequences * clockStep;
    if (tooMuch < 0 || tooMuch > 500 * clockStep || step % clockStep !== 0) {
      return `a step of ${step} in ${sequences} packets`;
    }
  }

  return undefined;
}

function tone(frequency: number, seconds: number): Sound {
  const samples = new Int16Array(new SharedArrayBuffer(2 * 8000 * seconds));
  for (let i = 0; i < samples.length; i++) {
    samples[i] = 8000 * Math.sin((2 * Math.PI * frequency * i) / 8000);
  }

  return { rate: 8000, samples };
}

describe('a room that goes to another mixer thread', () => {
  it.each([
    ['PCMU', 'PCMU', 'PCMA'],
    ['opus', 'opus', 'opus'],
    ['PCMU', 'opus', 'PCMA'],
  ] as const)('is heard on in the same RTP streams: %s, %s, %s', async (...codecs) => {
    const room = openRoom();
    const calls: Call[] = [];
    for (const [i, codec] of codecs.entries()) {
      calls.push(await callers.call(room, codec, 440 + 220 * i));
    }
    await expectOthersOnly(calls);
    for (const thread of [threads[1], threads[0], threads[1]]) {
      await letRun(100);
      expect(await room.moveTo(thread)).toBe('moved');
    }

    await expectOthersOnly(calls);
    for (const { phone } of calls) {
      expect(broken(phone.heard, (phone.codec.clockRate * 20) / 1000)).toBeUndefined();
    }
    const stats = await room.legStats(calls[0]!.legId);
    expect(stats.packetsSent).toBeGreaterThan(calls[0]!.phone.heard.length - 5);
    expect(Buffer.concat(calls[0]!.phone.rtcpHeard).includes(Buffer.of(0x81, 203))).toBe(false);
  });

  it('takes along what is played, who is muted, and a key that is half pressed', async () => {
    const room = openRoom();
    const [one, muted] = [
      await callers.call(room, 'PCMU', 440),
      await callers.call(room, 'PCMU', 660),
    ];
    const told: unknown[] = [];
    room.events.on('legPlayed', (...event) => told.push(event));
    room.events.on('legDtmf', (_legId, digit) => told.push(digit));
    await room.setLegMuted(muted.legId, true);
    await room.playTo(one.legId, 3, [tone(1000, 2)]);
    const key = (end: number, duration: number): void => {
      const payload = Uint8Array.of(5, end | 10, duration >> 8, duration & 0xff);
      muted.phone.send(muted.rtpPort, 101, payload);
    };
    await letRun(500);
    const { timestamp } = muted.phone;
    muted.phone.stop();
    key(0, 160);
    await letRun(50);
    expect(await room.moveTo(threads[1])).toBe('moved');
    muted.phone.timestamp = timestamp;
    key(0x80, 800);
    key(0x80, 800);
    muted.phone.start(muted.rtpPort);
    const from = one.phone.heard.length;
    await letRun(700);
    const heard = slice(one.phone.signal(from), 0.1, 0.6);
    expect(toneLevel(heard, 1000)).toBeGreaterThan(-16);
    expect(toneLevel(heard, 660)).toBeLessThan(-60);
    await waitUntil('its end', () => (told.length > 1 ? undefined : 'not told'), 5000);

    expect(told).toEqual(['5', [one.legId, 3, true]]);
  });

  it('does there what was asked of it on the way, in that order', async () => {
    const room = openRoom();
    const [stays, goes] = [
      await callers.call(room, 'PCMU', 440),
      await callers.call(room, 'PCMU', 660),
    ];
    const moving = room.moveTo(threads[1]);
    const comes = callers.call(room, 'PCMU', 880);
    const work = [
      room.setLegMuted(stays.legId, true),
      room.setLegMuted(stays.legId, false),
      room.closeLeg(goes.legId),
    ];
    expect(await moving).toBe('moved');
    await Promise.all(work);
    await expectOthersOnly([stays, await comes]);
    const other = openRoom();
    const backAgain = room.moveTo(threads[0]);
    await Promise.all([backAgain, room.moveLeg(stays.legId, other)]);
    const there = await callers.call(other, 'opus', 550);

    await expectOthersOnly([{ ...stays, room: other }, there]);
    await expect(room.legStats(stays.legId)).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  it('keeps the ports that browsers are joined to it by', async () => {
    const opus = audioCodec('opus');
    const browser = await RtpPeer.open(opus);
    const room = openRoom();
    const call = await callers.call(room, 'opus', 440);
    const input = { legId: newLegId(), codec: opus, payloadType: 100, ssrc: 77 };
    const { port } = await room.addMicrophone(input);
    browser.play(700, { port, ssrc: 77, payloadType: 100 });
    await room.publishLeg(call.legId, {
      address: ADDRESS,
      port: browser.port,
      ssrc: 99,
      payloadType: 111,
      codec: opus,
      audioLevelExtensionId: 1,
    });
    const hears = (heard: Signal, frequency: number): string | undefined =>
      toneLevel(heard, frequency) > -19 ? undefined : `${toneLevel(heard, frequency)} dBFS`;
    const both = async (): Promise<string | undefined> => {
      const from = call.phone.heard.length;
      await letRun(700);

      return hears(slice(call.phone.signal(from), 0.1), 700) ?? hears(browser.heard(0.4), 440);
    };
    await waitUntil('both, before', both, 10_000);
    expect(await room.moveTo(threads[1])).toBe('moved');

    await waitUntil('both, afterwards', both, 10_000);
    expect(new Set(browser.from).size).toBe(1);
    await browser.close();
  });

  it('stays where it is when its sockets cannot be handed over: those of IPv6', async () => {
    const data = { ...DATA, bindAddress: '::1' };
    const thread = startThread('v6', MIXER_THREAD, data);
    await thread.started;
    const room = openRoom(thread);
    const legId = newLegId();
    await room.createLeg(legId);
    expect(await room.moveTo(threads[0])).toBe('refused');

    expect(await room.legStats(legId)).toMatchObject({ packetsReceived: 0 });
    await room.close();
    await thread.close();
  });

  it('is lost with a thread that dies then, as its calls are told, and gives the ports back', async () => {
    const dying = startThread(
      'dying',
      pathToFileURL(resolve(__dirname, '../../support/dying-mixer-thread.mjs')),
    );
    await dying.started;
    const room = openRoom();
    const { rtpPort } = await callers.call(room, 'PCMU', 440);
    const reasons: string[] = [];
    room.events.on('failed', (reason) => reasons.push(reason));
    expect(await room.moveTo(dying)).toBe('lost');

    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toContain('dies on purpose');
    expect(ports.inUse).toBe(0);
    const again = new PortAllocator({ min: rtpPort, max: rtpPort + 1, clock: new SystemClock() });
    const key = nextRoom++;
    const last = new PooledRoom(key, threads[0], again, () => rooms.delete(key));
    await expect(last.createLeg(newLegId())).resolves.toMatchObject({ rtpPort });
    await last.close();
  });
});
