import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  openBatchedSocket,
  pollBatchedSockets,
  type PacketSocket,
  type PacketSource,
} from '../../../media/rtp/batched-udp.ts';
import { waitUntil } from '../../support/wait-until.ts';

const LOOPBACK = '127.0.0.1';
const SIZE = 65_536;

const open: { close: (callback: () => void) => unknown }[] = [];
afterEach(async () => {
  for (const socket of open.splice(0)) {
    await new Promise<void>((resolve) => {
      socket.close(resolve);
    });
  }
});

interface Received {
  text: string;
  from: PacketSource;
  data: Buffer;
}

function openSocket(port = 0): { socket: PacketSocket; received: Received[] } {
  const socket = openBatchedSocket({ address: LOOPBACK, port, receiveBufferSize: SIZE });
  if (socket === undefined) throw new Error('not possible on this machine');
  open.push(socket);
  const received: Received[] = [];
  socket.on('message', (data, from) => {
    received.push({ text: data.toString('latin1'), from, data });
  });

  return { socket, received };
}

async function openPeer(): Promise<Socket> {
  const peer = createSocket('udp4');
  peer.bind(0, LOOPBACK);
  await once(peer, 'listening');
  open.push(peer);

  return peer;
}

async function untilReceived(received: readonly unknown[], count: number): Promise<void> {
  await waitUntil('packets', () =>
    received.length >= count ? undefined : `${received.length} of ${count}`,
  );
}

function sendText(socket: PacketSocket, text: string, port: number): void {
  const data = Buffer.from(text);
  socket.send(data, 0, data.length, port, LOOPBACK);
}

describe('a batched socket', () => {
  it('sends to and hears node:dgram, and tells from where', async () => {
    const { socket, received } = openSocket();
    const peer = await openPeer();
    const heard = once(peer, 'message') as Promise<[Buffer, { port: number }]>;
    sendText(socket, 'there', peer.address().port);
    const [data, { port }] = await heard;
    expect([data.toString(), port]).toEqual(['there', socket.address().port]);
    peer.send('back', port, LOOPBACK);
    await untilReceived(received, 1);

    expect(received[0]).toMatchObject({
      text: 'back',
      from: { address: LOOPBACK, port: peer.address().port },
    });
  });

  it('keeps the order, and the octets of each packet stay as they were', async () => {
    const { socket, received } = openSocket();
    const sender = openSocket();
    const texts = Array.from({ length: 30 }, (_unused, i) => `packet ${i}`.padEnd(1 + i * 10, '.'));
    for (const text of texts) sendText(sender.socket, text, socket.address().port);
    await untilReceived(received, texts.length);

    expect(received.map(({ text }) => text)).toEqual(texts);
    expect(received.map(({ data }) => data.toString('latin1'))).toEqual(texts);
  });

  it('follows a source that changes', async () => {
    const { socket, received } = openSocket();
    const senders = [openSocket(), openSocket()];
    for (const round of [1, 2]) {
      for (const { socket: sender } of senders) {
        sendText(sender, String(round), socket.address().port);
        await untilReceived(received, received.length + 1);
      }
    }

    const ports = senders.map(({ socket: sender }) => sender.address().port);
    expect(received.map(({ from }) => from.port)).toEqual([...ports, ...ports]);
  });

  it('says of a taken port what node:dgram says, and gives its own back', async () => {
    const peer = await openPeer();
    const { port } = peer.address();
    expect(() => openSocket(port)).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }));
    const { socket } = openSocket();
    const mine = socket.address().port;
    open.splice(open.indexOf(socket), 1);
    await new Promise<void>((resolve) => {
      socket.close(resolve);
    });

    expect(openSocket(mine).socket.address().port).toBe(mine);
  });

  it('lets a sprayed port wait rather than the others: so many packets in one go, no more', () => {
    const { socket, received } = openSocket();
    const sender = openSocket();
    for (let i = 0; i < 60; i++) sendText(sender.socket, 'x', socket.address().port);
    pollBatchedSockets();

    expect(received).toHaveLength(16);
  });

  it('is silent once it is closed, also in the middle of a delivery', async () => {
    const { socket, received } = openSocket();
    const sender = openSocket();
    let delivered = 0;
    socket.on('message', () => {
      delivered++;
      socket.close(() => undefined);
    });
    for (let i = 0; i < 3; i++) sendText(sender.socket, 'x', socket.address().port);
    pollBatchedSockets();
    pollBatchedSockets();

    expect([delivered, received.length]).toEqual([1, 0]);
    expect(() => {
      sendText(socket, 'x', sender.socket.address().port);
    }).toThrow('closed');
  });

  it('is not there for IPv6, which node:dgram serves', () => {
    expect(openBatchedSocket({ address: '::1', port: 0, receiveBufferSize: SIZE })).toBeUndefined();
  });
});
