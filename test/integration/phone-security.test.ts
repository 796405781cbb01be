import { createSocket } from 'node:dgram';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createEncoder } from '../../media/codec/index.ts';
import { audioCodec } from '../../media/codecs.ts';
import type { CallQuality } from '../../media/index.ts';
import { writeRtp } from '../../media/rtp/index.ts';
import type { Cdr } from '../../server/cdrs/index.ts';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { LinphonePhone } from '../support/linphone-phone.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { readWav, slice, toneAboveFloor, toneLevel } from '../support/tone-meter.ts';
import { ToneSource } from '../support/tone-source.ts';
import { letRun, waitUntil } from '../support/wait-until.ts';

const ATTACKER = '127.0.0.9';
const ATTACK_TONE = 1500;

describe('phones whose audio is encrypted or attacked', () => {
  const folder = scratchFolder('phone-security');
  let server: ParleyServer;

  beforeAll(async () => {
    server = await ParleyServer.start({ folder });
    const account = { username: 'lin', password: 'a word', srtp: 'required' };
    await server.api('POST', '/accounts', account);
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  function baresip(
    name: string,
    port: number,
    tone: number,
    more: Partial<ConstructorParameters<typeof BaresipPhone>[0]> = {},
  ): Promise<BaresipPhone> {
    return BaresipPhone.start({ folder: path.join(folder, name), name, port, tone, ...more });
  }

  it('baresip and linphone with SRTP and a phone without it hear one another', async () => {
    const phones = [
      await baresip('mand', 5070, 440, { srtp: 'srtp-mand' }),
      await baresip('free', 5072, 660, { srtp: 'srtp', codec: 'opus' }),
      await baresip('plain', 5074, 880),
    ];
    const linphone = await LinphonePhone.start({
      folder: path.join(folder, 'lin'),
      username: 'lin',
      password: 'a word',
      server: `127.0.0.1:${server.sipPort}`,
      port: 5080,
      tone: 1100,
      srtp: true,
    });
    for (const phone of phones) await phone.call(server.sipUri('secret'));
    await linphone.call(server.sipUri('secret'));
    await letRun(5000);
    const live = await server.api<{ quality?: CallQuality }[]>('GET', '/calls');
    expect(live).toHaveLength(4);
    for (const { quality } of live) expect(quality?.mos).toBeGreaterThan(3.5);
    const files = [...phones.map((phone) => phone.recording()), linphone.recording];
    for (const phone of phones) await phone.hangUp();
    await linphone.hangUp();
    for (const phone of [...phones, linphone]) await phone.stop();
    await expectRecords();

    const tones = [440, 660, 880, 1100];
    for (const [own, file] of files.entries()) {
      const wav = readWav(file);
      const end = wav.samples.length / wav.sampleRate;
      const heard = slice(wav, end - 4, end - 1);
      for (const [at, tone] of tones.entries()) {
        if (at === own) expect(toneLevel(heard, tone)).toBeLessThan(-40);
        else expect(toneLevel(heard, tone)).toBeGreaterThan(-24);
      }
    }
    // It was encrypted, as the phones themselves see it, and no key is in our log.
    expect(phones[0]!.log).toMatch(/RTP\/SAVP/);
    const keys = phones.flatMap((phone) => phone.log.match(/inline:[A-Za-z0-9+/]{16}/g) ?? []);
    expect(keys.length).toBeGreaterThan(1);
    for (const key of keys) expect(server.log).not.toContain(key.slice('inline:'.length));
    expect(server.log).toContain('keys of a call came without TLS');
  });

  /** All four calls, in Redis, with their figures. */
  async function expectRecords(): Promise<void> {
    let records: Cdr[] = [];
    await waitUntil('the records are written', async () => {
      records = await server.api<Cdr[]>('GET', '/cdrs?room=secret');

      return records.length === 4 ? undefined : `${records.length}`;
    });
    expect(records.map(({ codec }) => codec).sort()).toEqual(['PCMU', 'PCMU', 'PCMU', 'opus']);
    for (const { reason, duration, loss, jitter, mos } of records) {
      expect(reason).toBe('left');
      expect(duration).toBeGreaterThan(4);
      expect(loss).toBeLessThan(0.05);
      expect(jitter).toBeLessThan(100);
      expect(mos).toBeGreaterThan(3.5);
    }
    const future = new Date(Date.now() + 3_600_000).toISOString();
    expect(await server.api<Cdr[]>('GET', `/cdrs?from=${future}`)).toEqual([]);
    expect((await server.metrics()).get('parley_call_mos_count')).toBe(4);
  }

  it('refuses a phone without SRTP where its account requires it', async () => {
    await server.api('POST', '/accounts', { username: 'strict', password: 'x', srtp: 'required' });
    const phone = await baresip('strict', 5076, 440, {
      account: { server: `127.0.0.1:${server.sipPort}`, password: 'x' },
    });
    expect(await phone.callRefused(server.sipUri('secret'))).toContain('488');
    await phone.stop();
  });

  it('hears nothing of whoever sprays a phone’s port at ten times its rate', async () => {
    const talker = await baresip('talker', 5078, 440);
    const listener = await baresip('listener', 5084, 660);
    await talker.call(server.sipUri('attacked'));
    await listener.call(server.sipUri('attacked'));
    const target = Number(/m=audio (4\d{4}) /.exec(talker.log)?.[1]);
    const stop = spray(target);
    await letRun(5000);
    const sent = stop();
    const heardByListener = readWav(listener.recording());
    const heardByTalker = readWav(talker.recording());
    for (const phone of [talker, listener]) {
      await phone.hangUp();
      await phone.stop();
    }

    // Ten times 50 packets a second, as far as a busy machine lets it.
    expect(sent).toBeGreaterThan(1500);
    const end = heardByListener.samples.length / heardByListener.sampleRate;
    for (let from = Math.max(0, end - 4); from + 1 <= end; from++) {
      const second = slice(heardByListener, from, from + 1);
      expect(toneLevel(second, 440)).toBeGreaterThan(-20);
      expect(toneAboveFloor(second, ATTACK_TONE)).toBeLessThan(10);
    }
    const last = heardByTalker.samples.length / heardByTalker.sampleRate;
    expect(toneLevel(slice(heardByTalker, last - 2, last - 1), 660)).toBeGreaterThan(-20);
  });
});

/** Valid RTP of a loud tone from another host; answers how many packets it sent. */
function spray(port: number): () => number {
  const codec = audioCodec('PCMU');
  const encoder = createEncoder(codec, codec.sampleRate, 20);
  const tone = new ToneSource(ATTACK_TONE, codec.sampleRate, -3);
  const socket = createSocket('udp4');
  socket.bind(0, ATTACKER);
  const payload = new Uint8Array(1500);
  const packet = new Uint8Array(1500);
  const startedAt = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    // A packet each 2 ms, also when this process gets its turn late.
    while (sent < (performance.now() - startedAt) / 2) {
      const length = encoder.encode(tone.next(160), payload);
      const size = writeRtp(packet, {
        marker: false,
        payloadType: 0,
        sequenceNumber: sent & 0xffff,
        timestamp: (sent * 160) >>> 0,
        ssrc: 0xbad,
        payload: payload.subarray(0, length),
      });
      socket.send(packet.slice(0, size), port, '127.0.0.1');
      sent++;
    }
  }, 10);

  return () => {
    clearInterval(timer);
    encoder.close();
    socket.close();

    return sent;
  };
}
