import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';

/** A peer on a bare socket: what it gets can be awaited in order. */
export interface RawPeer {
  readonly port: number;
  send(bytes: Uint8Array | string): void;
  /** The next datagram, or what the stream has brought since. */
  next(): Promise<string>;
  close(): void;
}

class Inbox {
  readonly #waiting: ((text: string) => void)[] = [];
  readonly #texts: string[] = [];

  readonly put = (bytes: Buffer): void => {
    const text = bytes.toString('utf8');
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#texts.push(text);
    else waiter(text);
  };

  next(): Promise<string> {
    const text = this.#texts.shift();
    if (text !== undefined) return Promise.resolve(text);

    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}

export async function udpPeer(toPort: number, host = '127.0.0.1'): Promise<RawPeer> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const inbox = new Inbox();
  socket.on('message', inbox.put);
  await new Promise<void>((resolve) => {
    socket.bind(0, host, resolve);
  });

  return {
    port: socket.address().port,
    send: (bytes) => {
      socket.send(bytes, toPort, host);
    },
    next: () => inbox.next(),
    close: () => {
      socket.close();
    },
  };
}

export interface RawTcpPeer extends RawPeer {
  readonly socket: Socket;
  readonly closed: Promise<void>;
}

export async function tcpPeer(toPort: number, host = '127.0.0.1'): Promise<RawTcpPeer> {
  const socket = connect({ port: toPort, host, noDelay: true });
  const inbox = new Inbox();
  socket.on('data', inbox.put);
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });

  return {
    port: socket.localPort ?? 0,
    socket,
    closed,
    send: (bytes) => {
      socket.write(bytes);
    },
    next: () => inbox.next(),
    close: () => {
      socket.destroy();
    },
  };
}
