/**
 * IPv4 sockets by the kernel's own calls. node:dgram costs several times what the kernel itself takes
 * for a packet, most of it in receiving: an event, an allocation and an address text each. Here one
 * poller a thread asks for all that came at once, every few milliseconds and right before each frame of
 * the mix, and what a packet needs is one view of a block that many share.
 *
 * Size: a socket and the poller that all sockets of a thread share know each other's insides.
 */
import { isIPv4 } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { loadKernel, type Kernel } from './kernel-calls.ts';
import { ADDRESS_LENGTH, AF_INET, sameString, writeAddress } from './socket-name.ts';

/** What is used of node:dgram's socket, so that it may stand in for this one. */
export interface PacketSocket {
  /** As `message`, without a view for each packet: it is `length` octets of `block` from `start` on. */
  onPacket?: (listener: PacketListener) => void;
  /** `send` does not return before the octets are taken. */
  readonly sendsAtOnce?: boolean;
  on(event: 'message', listener: (data: Buffer, from: PacketSource) => void): unknown;
  on(event: 'error', listener: () => void): unknown;
  removeAllListeners(event: 'error'): unknown;
  address(): { address: string; port: number };
  /** Throws when it cannot be sent. */
  send(data: Uint8Array, offset: number, length: number, port: number, address: string): unknown;
  getSendQueueCount(): number;
  readonly burst?: number;
  /** Of the process; undefined where it cannot be handed to another thread. */
  readonly descriptor?: number;
  /** Lets go of the descriptor, which stays open: another thread goes on with it. */
  release?: () => void;
  close(callback: () => void): unknown;
}

export type PacketListener = (
  block: Buffer,
  start: number,
  length: number,
  from: PacketSource,
) => void;

export interface PacketSource {
  address: string;
  port: number;
}

export interface BatchedSocketOptions {
  /** An address literal. */
  address: string;
  /** 0: any. */
  port: number;
  receiveBufferSize: number;
  /** Mark of the packets (RFC 2474), 0 for none. */
  dscp?: number;
  /** Packets that are taken at a time: more of a port where nobody but this machine sends to. */
  burst?: number;
}

/** An open socket on its way from one thread to another. */
export interface FrozenSocket {
  readonly descriptor: number;
  readonly address: string;
  readonly burst: number;
}

/** Linux' numbers, the same on every architecture that Node runs on. */
const DATAGRAM = 2 | 0o4000 | 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const IP_TOS = [0, 1] as const;
const EPOLL_ADD = 1;
const EPOLL_DELETE = 2;
const EPOLLIN = 1;
const EAGAIN = 11;
/** Behind the name of the sender lies the length of that. */
const NAME_LENGTH = ADDRESS_LENGTH + 4;

/** `struct epoll_event` is packed on x86-64 alone. */
const EVENT_LENGTH = process.arch === 'x64' ? 12 : 16;
const EVENT_DATA = EVENT_LENGTH - 8;
const EVENTS_AT_ONCE = 256;
/** Packets of one socket in one go: a sprayed port must not keep the others and the mix waiting. */
const MAX_ROUNDS = 16;
/** Milliseconds: a fraction of a frame, so that arrival times still tell jitter. */
const POLL_MS = 4;
const BLOCK = 65_536;
const LONGEST = 2048;

/** Undefined: not possible here. Throws as node:dgram does when the port is taken. */
export function openBatchedSocket(options: BatchedSocketOptions): PacketSocket | undefined {
  const { address, port, receiveBufferSize, dscp = 0 } = options;
  const kernel = loadKernel();
  if (kernel === undefined || !isIPv4(address)) return undefined;
  const fd = kernel.socket(AF_INET, DATAGRAM, 0);
  if (fd < 0) return undefined;
  kernel.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, Int32Array.of(receiveBufferSize), 4);
  if (dscp > 0) kernel.setsockopt(fd, ...IP_TOS, Int32Array.of(dscp << 2), 4);
  if (
    kernel.bind(fd, writeAddress(new Uint8Array(ADDRESS_LENGTH), address, port), ADDRESS_LENGTH) < 0
  ) {
    const code = getSystemErrorName(-kernel.errno());
    kernel.close(fd);
    throw Object.assign(new Error(`bind ${code} ${address}:${port}`), { code, address, port });
  }

  return new BatchedSocket(kernel, fd, address, options.burst);
}

/** Goes on with what another thread released. */
export function adoptSocket({ descriptor, address, burst }: FrozenSocket): PacketSocket {
  const kernel = loadKernel();
  if (kernel === undefined) throw new Error('no socket calls here');

  return new BatchedSocket(kernel, descriptor, address, burst);
}

/** Throws where it cannot be handed to another thread. */
export function freezeSocket(socket: PacketSocket): FrozenSocket {
  const { descriptor, burst = 1 } = socket;
  if (descriptor === undefined) throw new Error('a socket that belongs to this thread');

  return { descriptor, address: socket.address().address, burst };
}

/** Of sockets that a thread released and nobody has. */
export function closeReleased(sockets: readonly FrozenSocket[]): void {
  const kernel = loadKernel();
  for (const { descriptor } of sockets) kernel?.close(descriptor);
}

/** Hands out what has come for the sockets of this thread. */
export function pollBatchedSockets(): void {
  poller?.poll();
}

class BatchedSocket implements PacketSocket {
  readonly sendsAtOnce = true;
  readonly burst: number;
  readonly #kernel: Kernel;
  readonly #fd: number;
  readonly #address: string;
  readonly #port: number;
  readonly #to = new Uint8Array(ADDRESS_LENGTH);
  #toAddress = '';
  #toPort = 0;
  #from: PacketSource = { address: '', port: 0 };
  #fromKey = -1;
  #listener: PacketListener | undefined;
  #onError: (() => void) | undefined;
  #closed = false;

  constructor(kernel: Kernel, fd: number, address: string, burst = 1) {
    this.#kernel = kernel;
    this.#fd = fd;
    this.burst = burst;
    this.#address = address;
    const name = new Uint8Array(ADDRESS_LENGTH);
    kernel.getsockname(fd, name, Uint32Array.of(ADDRESS_LENGTH));
    this.#port = (name[2]! << 8) | name[3]!;
    poller ??= new Poller(kernel);
    poller.add(fd, this);
  }

  on(
    event: 'message' | 'error',
    listener: ((data: Buffer, from: PacketSource) => void) | (() => void),
  ): void {
    if (event === 'error') {
      this.#onError = listener as () => void;

      return;
    }
    const take = listener;
    this.onPacket((block, start, length, from) => {
      take(block.subarray(start, start + length), from);
    });
  }

  onPacket(listener: PacketListener): void {
    this.#listener = listener;
  }

  removeAllListeners(_event: 'error'): void {
    this.#onError = undefined;
  }

  address(): { address: string; port: number } {
    return { address: this.#address, port: this.#port };
  }

  send(data: Uint8Array, offset: number, length: number, port: number, address: string): void {
    if (this.#closed) throw new Error('the socket is closed');
    if (address !== this.#toAddress || port !== this.#toPort) {
      writeAddress(this.#to, address, port);
      this.#toAddress = address;
      this.#toPort = port;
    }
    const from = offset === 0 ? data : data.subarray(offset);
    const sent = this.#kernel.sendto(this.#fd, from, length, 0, this.#to, ADDRESS_LENGTH);
    if (sent < 0) throw new Error(getSystemErrorName(-this.#kernel.errno()));
  }

  /** The kernel has taken, or refused, each one at once. */
  getSendQueueCount(): number {
    return 0;
  }

  get descriptor(): number {
    return this.#fd;
  }

  release(): void {
    if (this.#closed) return;
    this.#closed = true;
    poller?.remove(this.#fd);
  }

  close(callback: () => void): void {
    if (!this.#closed) {
      this.#closed = true;
      poller?.remove(this.#fd);
      this.#kernel.close(this.#fd);
    }
    queueMicrotask(callback);
  }

  /** A packet for this socket; `name` is where it came from. */
  deliver(block: Buffer, start: number, length: number, name: Uint8Array): void {
    // 48 bits: exact in a number.
    const key =
      ((name[4]! << 16) | (name[5]! << 8) | name[6]!) * 2 ** 24 +
      ((name[7]! << 16) | (name[2]! << 8) | name[3]!);
    if (key !== this.#fromKey) {
      this.#fromKey = key;
      this.#from = {
        address: sameString(`${name[4]!}.${name[5]!}.${name[6]!}.${name[7]!}`),
        port: (name[2]! << 8) | name[3]!,
      };
    }
    if (!this.#closed) this.#listener?.(block, start, length, this.#from);
  }

  failed(): void {
    this.#onError?.();
  }
}

let poller: Poller | undefined;

class Poller {
  readonly #kernel: Kernel;
  readonly #epoll: number;
  /** By descriptor: those are small numbers. */
  readonly #sockets: (BatchedSocket | undefined)[] = [];
  #count = 0;
  readonly #events = new Uint8Array(EVENT_LENGTH * EVENTS_AT_ONCE);
  readonly #eventView = new DataView(this.#events.buffer);
  readonly #event = new Uint8Array(EVENT_LENGTH);
  readonly #name = Buffer.allocUnsafeSlow(NAME_LENGTH);
  readonly #nameAt: number;
  #block = Buffer.allocUnsafeSlow(BLOCK);
  #blockAt: number;
  #used = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#epoll = kernel.epoll_create1(0o2000000);
    if (this.#epoll < 0) throw new Error(`epoll: ${getSystemErrorName(-kernel.errno())}`);
    this.#name.writeUInt32LE(ADDRESS_LENGTH, ADDRESS_LENGTH);
    this.#nameAt = kernel.addressOf(this.#name);
    this.#blockAt = kernel.addressOf(this.#block);
    // A thread that dies must give the ports back; Node closes only what it opened itself.
    process.once('exit', () => {
      this.#sockets.forEach((socket, fd) => socket && kernel.close(fd));
      kernel.close(this.#epoll);
    });
  }

  add(fd: number, socket: BatchedSocket): void {
    this.#sockets[fd] = socket;
    this.#count++;
    const event = new DataView(this.#event.buffer);
    event.setUint32(0, EPOLLIN, true);
    event.setUint32(EVENT_DATA, fd, true);
    this.#kernel.epoll_ctl(this.#epoll, EPOLL_ADD, fd, this.#event);
    // Not a time that anything is measured by: how often the kernel is asked.
    this.#timer ??= setInterval(() => {
      this.poll();
    }, POLL_MS);
  }

  remove(fd: number): void {
    this.#sockets[fd] = undefined;
    this.#count--;
    this.#kernel.epoll_ctl(this.#epoll, EPOLL_DELETE, fd, this.#event);
    if (this.#count > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** One packet of each socket that has any, and again while some still have: asking costs less than a look in vain. */
  poll(): void {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const count = this.#kernel.epoll_wait(this.#epoll, this.#events, EVENTS_AT_ONCE, 0);
      if (count <= 0) return;
      for (let i = 0; i < count; i++) {
        const fd = this.#eventView.getUint32(i * EVENT_LENGTH + EVENT_DATA, true);
        let left = this.#sockets[fd]?.burst ?? 0;
        while (left > 0 && this.#receive(fd)) left--;
      }
    }
  }

  /** False: there was none. */
  #receive(fd: number): boolean {
    const socket = this.#sockets[fd];
    if (socket === undefined) return false;
    if (this.#used + LONGEST > BLOCK) this.#newBlock();
    const start = this.#used;
    const nameAt = this.#nameAt;
    const lengthAt = nameAt + ADDRESS_LENGTH;
    const length = this.#kernel.recvfrom(fd, this.#blockAt + start, LONGEST, 0, nameAt, lengthAt);
    if (length < 0) {
      if (this.#kernel.errno() !== EAGAIN) socket.failed();

      return false;
    }
    this.#used += (length + 7) & ~7;
    socket.deliver(this.#block, start, length, this.#name);

    return true;
  }

  /** Packets that wait in jitter buffers keep the old one alive for as long as they do. */
  #newBlock(): void {
    this.#block = Buffer.allocUnsafeSlow(BLOCK);
    this.#blockAt = this.#kernel.addressOf(this.#block);
    this.#used = 0;
  }
}
