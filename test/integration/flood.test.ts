import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { PacketCapture, type CapturedPacket } from '../support/packet-capture.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { scratchFolder } from '../support/scratch.ts';
import { longestGapMs, readWav, slice, toneLevel } from '../support/tone-meter.ts';
import { letRun } from '../support/wait-until.ts';

const SECONDS = 5;
const ROUNDS_PER_SECOND = 50;
const DATAGRAMS_PER_ROUND = 40;
const LONGEST_GAP_MS = 60;

/** Milliseconds of all cores that other machines on the same host took from this one (proc(5), `steal`). */
function stolenMs(): number {
  return 10 * Number(readFileSync('/proc/stat', 'utf8').split('\n')[0]?.split(/\s+/)[8] ?? 0);
}

describe('garbage on the SIP and RTP ports during a call', () => {
  const folder = scratchFolder('flood');
  let server: ParleyServer;
  let phones: BaresipPhone[];

  beforeAll(async () => {
    server = await ParleyServer.start({ folder });
    phones = await Promise.all(
      [440, 660].map((tone, i) =>
        BaresipPhone.start({
          folder: path.join(folder, `phone${i}`),
          name: `phone${i}`,
          port: 5070 + 2 * i,
          tone,
        }),
      ),
    );
    for (const phone of phones) await phone.call(server.sipUri('500'));
    await letRun(2000);
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  it("leaves no gap over 60 ms in the calls' audio, and both calls stand", async () => {
    const ports = phones.map((phone) => mediaPort(phone.log));
    let gaps = await gapsUnderFlood(ports);
    for (let again = 0; again < 2 && gaps.wereStolen; again++) gaps = await gapsUnderFlood(ports);

    for (const gap of gaps.each) {
      expect(gap.packets).toBeGreaterThan((SECONDS * 1000) / 20 - 10);
      expect(gap.ms).toBeLessThanOrEqual(LONGEST_GAP_MS);
    }
    const metrics = await server.metrics();
    expect(metrics.get('parley_participants{kind="phone"}')).toBe(2);
    expect(metrics.get('parley_sip_malformed_total{transport="udp"}')).toBeGreaterThan(1000);
  });

  it('was not heard: the recording holds the other tone alone, without a hole', async () => {
    for (const phone of phones) {
      await phone.hangUp();
      await phone.stop();
    }
    const whole = readWav(phones[0]!.recording());
    const end = whole.samples.length / whole.sampleRate - 0.5;
    const signal = slice(whole, end - SECONDS, end);

    expect(toneLevel(signal, 660)).toBeGreaterThan(-18);
    expect(toneLevel(signal, 440)).toBeLessThan(-40);
    expect(longestGapMs(signal)).toBeLessThanOrEqual(60);
  });

  /** `wereStolen`: a gap is too long, and the host took the cores away for as long meanwhile, so it says nothing. */
  async function gapsUnderFlood(
    ports: readonly number[],
  ): Promise<{ each: ReturnType<typeof longestGap>[]; wereStolen: boolean }> {
    const capture = await PacketCapture.start(
      folder,
      `udp and src portrange ${ports[0]}-${ports[1]}`,
    );
    const before = stolenMs();
    await flood([server.sipPort, ...ports.flatMap((port) => [port, port + 1])]);
    const stolen = stolenMs() - before;
    const packets = await capture.stop();
    const each = ports.map((port) =>
      longestGap(packets.filter((packet) => packet.sourcePort === port)),
    );
    const beyond = Math.max(...each.map(({ ms }) => ms)) - LONGEST_GAP_MS;

    return { each, wereStolen: beyond > 0 && stolen >= beyond };
  }

  /** Random octets, half a SIP message, RTP-like headers: from a socket that belongs to no call. */
  async function flood(ports: number[]): Promise<void> {
    const socket = createSocket('udp4');
    const stream = connect(server.sipPort, '127.0.0.1');
    stream.on('error', () => undefined);
    const payloads = [
      randomBytes(200),
      Buffer.from(
        'INVITE sip:500@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP\r\nContent-Length: -5\r\n\r\n',
      ),
      Buffer.concat([Buffer.from([0x80, 0x00]), randomBytes(170)]),
      Buffer.concat([Buffer.from([0x80, 0xc8, 0x00, 0x06]), randomBytes(24)]),
      Buffer.alloc(0),
    ];
    for (let round = 0; round < SECONDS * ROUNDS_PER_SECOND; round++) {
      for (let i = 0; i < DATAGRAMS_PER_ROUND; i++) {
        for (const port of ports) socket.send(payloads[i % payloads.length]!, port, '127.0.0.1');
      }
      if (!stream.destroyed) stream.write(randomBytes(4000));
      await letRun(1000 / ROUNDS_PER_SECOND);
    }
    socket.close();
    stream.destroy();
  }
});

/** The server's RTP port, from the 200 OK that the phone logged. */
function mediaPort(log: string): number {
  const answer = log.slice(log.lastIndexOf('SIP/2.0 200'));
  const port = /m=audio (\d+) /.exec(answer)?.[1];
  if (port === undefined) throw new Error('no m=audio in the 200');

  return Number(port);
}

function longestGap(packets: CapturedPacket[]): { ms: number; packets: number } {
  let ms = 0;
  for (let i = 1; i < packets.length; i++) {
    ms = Math.max(ms, packets[i]!.time - packets[i - 1]!.time);
  }

  return { ms, packets: packets.length };
}
