import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { RtpSocket, type RtpSocketOptions, writeRtcp } from '../../../media/rtp/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { rtpBytes } from './packets.ts';

const LOOPBACK = '127.0.0.1';
const ANY_PORT = { rtp: 0, rtcp: 0 };

/** Resolves a promise for each thing that was waited for, in order. */
class Inbox<T> {
  readonly all: T[] = [];
  #waiting: { count: number; resolve: () => void }[] = [];

  put(item: T): void {
    this.all.push(item);
    for (const { count, resolve } of this.#waiting) if (this.all.length >= count) resolve();
  }

  async until(count: number): Promise<T[]> {
    if (this.all.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
    }

    return this.all;
  }
}

const open: { close: () => unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

async function makePhone(): Promise<{
  socket: Socket;
  port: number;
  inbox: Inbox<[Buffer, RemoteInfo]>;
}> {
  const socket = createSocket('udp4');
  const inbox = new Inbox<[Buffer, RemoteInfo]>();
  socket.on('message', (data, from) => {
    inbox.put([data, from]);
  });
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  open.push({ close: () => socket.close() });

  return { socket, port: socket.address().port, inbox };
}

async function makeServer(options: Partial<RtpSocketOptions> = {}) {
  const clock = new FakeClock();
  const rtp = new Inbox<number>();
  const rtcp = new Inbox<Uint8Array>();
  const socket = await RtpSocket.bind({
    ports: ANY_PORT,
    clock,
    address: LOOPBACK,
    handlers: {
      onRtp: (packet) => {
        rtp.put(packet.sequenceNumber);
      },
      onRtcp: (data) => {
        rtcp.put(data);
      },
    },
    ...options,
  });
  open.push(socket);

  return { clock, rtp, rtcp, socket };
}

function remote(rtpPort: number, rtcpPort = rtpPort + 1, rtcpMux = false) {
  return { address: LOOPBACK, rtpPort, rtcpPort, rtcpMux };
}

function send(phone: { socket: Socket }, port: number, sequenceNumber: number, ssrc = 1): void {
  phone.socket.send(rtpBytes({ sequenceNumber, ssrc }), port, LOOPBACK);
}

function receiverReport(): Uint8Array {
  const out = new Uint8Array(100);

  return out.slice(0, writeRtcp(out, [{ type: 'RR', ssrc: 1, reports: [] }]));
}

describe('RTP socket', () => {
  it('sends to the SDP address first, then to where the packets come from', async () => {
    const { socket, rtp } = await makeServer();
    const [advertised, actual] = [await makePhone(), await makePhone()];
    socket.setRemote(remote(advertised.port));
    const bytes = rtpBytes({ sequenceNumber: 50 });
    socket.sendRtp(bytes, bytes.length);
    const [first] = await advertised.inbox.until(1);
    expect(first![1].port).toBe(socket.rtpPort);
    expect(Uint8Array.from(first![0])).toEqual(bytes);

    for (const sequence of [1, 2, 3]) send(actual, socket.rtpPort, sequence);
    expect(await rtp.until(2)).toEqual([2, 3]);
    socket.sendRtp(bytes, bytes.length);
    await actual.inbox.until(1);
    expect(socket.counters).toMatchObject({ rtpIn: 2, rtpOut: 2, foreign: 1 });
  });

  it('keeps to its source under a flood of garbage and of foreign RTP', async () => {
    const { socket, rtp } = await makeServer();
    const [phone, sprayer] = [await makePhone(), await makePhone()];
    socket.setRemote(remote(phone.port));
    send(phone, socket.rtpPort, 1);
    await rtp.until(1);
    for (let i = 0; i < 50; i++) {
      sprayer.socket.send(Buffer.alloc(i, i), socket.rtpPort, LOOPBACK);
      sprayer.socket.send(Buffer.alloc(i, i), socket.rtcpPort, LOOPBACK);
      send(sprayer, socket.rtpPort, i, 77);
    }
    // UDP on loopback keeps the order, so these come last.
    send(phone, socket.rtpPort, 2);
    expect(await rtp.until(2)).toEqual([1, 2]);
    expect(socket.counters).toMatchObject({ rtpIn: 2, foreign: 50, moves: 0, errors: 0 });
    expect(socket.counters.invalid).toBeGreaterThanOrEqual(49);
  });

  it('follows a phone that moved, once the old address is silent', async () => {
    const { socket, rtp, clock } = await makeServer();
    const [before, after] = [await makePhone(), await makePhone()];
    socket.setRemote(remote(before.port));
    send(before, socket.rtpPort, 1);
    await rtp.until(1);
    clock.advance(300);
    send(after, socket.rtpPort, 2);
    expect(await rtp.until(2)).toEqual([1, 2]);
    expect(socket.counters.moves).toBe(1);
  });

  it('sends RTCP to another host where a=rtcp names one, and hears it (RFC 3605 2.1)', async () => {
    const { socket, rtp, rtcp } = await makeServer();
    const phone = await makePhone();
    const reports = createSocket('udp4');
    const inbox = new Inbox<Buffer>();
    reports.on('message', (data) => {
      inbox.put(data);
    });
    reports.bind(0, '127.0.0.2');
    await once(reports, 'listening');
    open.push({ close: () => reports.close() });
    const { port } = reports.address();
    socket.setRemote({ ...remote(phone.port, port), rtcpAddress: '127.0.0.2' });
    send(phone, socket.rtpPort, 1);
    await rtp.until(1);
    const report = receiverReport();
    socket.sendRtcp(report, report.length);
    expect(Uint8Array.from((await inbox.until(1))[0]!)).toEqual(report);
    reports.send(report, socket.rtcpPort, LOOPBACK);
    await rtcp.until(1);
    expect(phone.inbox.all).toHaveLength(0);
  });

  it('takes RTCP from a new port after RTP has moved, as NATs bind anew for both', async () => {
    const { socket, rtp, rtcp, clock } = await makeServer();
    const [before, beforeRtcp] = [await makePhone(), await makePhone()];
    const [after, afterRtcp] = [await makePhone(), await makePhone()];
    socket.setRemote(remote(before.port, 1));
    send(before, socket.rtpPort, 1);
    await rtp.until(1);
    beforeRtcp.socket.send(receiverReport(), socket.rtcpPort, LOOPBACK);
    await rtcp.until(1);
    clock.advance(300);
    send(after, socket.rtpPort, 2);
    await rtp.until(2);
    const report = receiverReport();
    afterRtcp.socket.send(report, socket.rtcpPort, LOOPBACK);
    await rtcp.until(2);
    socket.sendRtcp(report, report.length);
    await afterRtcp.inbox.until(1);
    expect(beforeRtcp.inbox.all).toHaveLength(0);
    expect(socket.counters).toMatchObject({ rtcpIn: 2, rtcpOut: 1, foreign: 0 });
  });

  it('carries RTCP on the port beside, from where the phone sends it', async () => {
    const { socket, rtp, rtcp } = await makeServer();
    const [phone, phoneRtcp] = [await makePhone(), await makePhone()];
    socket.setRemote(remote(phone.port, 1));
    send(phone, socket.rtpPort, 1);
    await rtp.until(1);
    phoneRtcp.socket.send(receiverReport(), socket.rtcpPort, LOOPBACK);
    expect((await rtcp.until(1))[0]).toHaveLength(8);
    const report = receiverReport();
    socket.sendRtcp(report, report.length);
    const [[, from]] = (await phoneRtcp.inbox.until(1)) as [[Buffer, RemoteInfo]];
    expect(from.port).toBe(socket.rtcpPort);
  });

  it('carries RTCP on the RTP port with rtcp-mux (RFC 5761)', async () => {
    const { socket, rtp, rtcp } = await makeServer();
    const phone = await makePhone();
    socket.setRemote(remote(phone.port, phone.port, true));
    send(phone, socket.rtpPort, 1);
    await rtp.until(1);
    phone.socket.send(receiverReport(), socket.rtpPort, LOOPBACK);
    await rtcp.until(1);
    const report = receiverReport();
    socket.sendRtcp(report, report.length);
    const [[, from]] = (await phone.inbox.until(1)) as [[Buffer, RemoteInfo]];
    expect(from.port).toBe(socket.rtpPort);
    expect(socket.counters).toMatchObject({ rtcpIn: 1, rtcpOut: 1 });
  });

  it('drops what it cannot send: no address yet, a name, hold by 0.0.0.0', async () => {
    const { socket } = await makeServer();
    const bytes = rtpBytes();
    socket.sendRtp(bytes, bytes.length);
    for (const address of ['phone.example', '0.0.0.0', '::1', '']) {
      socket.setRemote({ ...remote(4000), address });
      socket.sendRtp(bytes, bytes.length);
    }
    expect(socket.counters).toMatchObject({ rtpOut: 0, sendDropped: 5, errors: 0 });
  });

  it('hands the buffer back at once', async () => {
    const { socket } = await makeServer();
    const phone = await makePhone();
    socket.setRemote(remote(phone.port));
    const bytes = rtpBytes();
    for (let i = 0; i < 20; i++) {
      bytes[3] = i;
      socket.sendRtp(bytes, bytes.length);
    }
    const got = await phone.inbox.until(20);
    expect(got.map(([data]) => data[3])).toEqual(Array.from({ length: 20 }, (_unused, i) => i));
  });

  it('rejects a port that is taken and lets the other one go', async () => {
    const { socket } = await makeServer();
    const { socket: free } = await makeServer();
    const ports = { rtp: free.rtpPort, rtcp: socket.rtcpPort };
    await free.close();
    await expect(makeServer({ ports })).rejects.toThrow('EADDRINUSE');
    const { socket: again } = await makeServer({ ports: { rtp: ports.rtp, rtcp: 0 } });
    expect(again.rtpPort).toBe(ports.rtp);
  });

  it('closes once and then drops what is sent', async () => {
    const { socket } = await makeServer();
    socket.setRemote(remote(4000));
    await Promise.all([socket.close(), socket.close()]);
    const bytes = rtpBytes();
    socket.sendRtp(bytes, bytes.length);
    expect(socket.counters.sendDropped).toBe(1);
  });
});
