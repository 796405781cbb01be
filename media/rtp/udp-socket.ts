/**
 * UDP sockets bound to an address, their packets marked for the network's queues (RFC 2474). Node has
 * no call for the mark, so where koffi and libc are there the socket is made by them and handed to
 * node:dgram, which takes a descriptor that is bound already; elsewhere packets go unmarked.
 */
import { createSocket, type Socket } from 'node:dgram';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import type * as koffiModule from 'koffi';
import type { PacketSocket } from './batched-udp.ts';

export interface UdpSocketOptions {
  /** An address literal. */
  address: string;
  /** 0: any. */
  port: number;
  /** Octets that the kernel holds for us. */
  receiveBufferSize: number;
  /** 0–63; 46 is expedited forwarding (RFC 3246). 0: no mark. */
  dscp: number;
}

/** Rejects with EADDRINUSE when the port is taken. */
export async function bindUdpSocket(options: UdpSocketOptions): Promise<Socket> {
  const { address, port, receiveBufferSize, dscp } = options;
  const family = isIP(address);
  const descriptor = dscp === 0 ? undefined : openMarked(address, port, dscp);
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    // Only addresses are sent to, so nothing has to be looked up.
    lookup: (host, _options, callback) => {
      callback(null, host, family);
    },
  });

  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    const where = descriptor === undefined ? { address, port } : { fd: descriptor };
    socket.bind({ ...where, exclusive: true }, () => {
      try {
        socket.setRecvBufferSize(receiveBufferSize);
      } catch {
        // The system's limit is lower: its default has to do.
      }
      resolve(socket);
    });
  });
}

export async function closeUdpSocket(socket: Pick<PacketSocket, 'close'>): Promise<void> {
  return new Promise((resolve) => {
    socket.close(() => {
      resolve();
    });
  });
}

interface Libc {
  socket: (domain: number, type: number, protocol: number) => number;
  bind: (fd: number, address: Uint8Array, length: number) => number;
  setsockopt: (fd: number, level: number, name: number, value: Int32Array, size: number) => number;
  close: (fd: number) => number;
  errno: () => number;
}

/** Linux' numbers, the same on every architecture that Node runs on. */
const AF_INET = 2;
const AF_INET6 = 10;
const DATAGRAM = 2 | 0o4000 | 0o2000000;
const IP_TOS = [0, 1] as const;
const IPV6_TCLASS = [41, 67] as const;
const IPV6_V6ONLY = [41, 26] as const;
const EADDRINUSE = 98;
const EACCES = 13;

/** Undefined: not possible here; throws as node:dgram does when the port is taken. */
function openMarked(address: string, port: number, dscp: number): number | undefined {
  const libc = loadLibc();
  if (libc === undefined) return undefined;
  const isV6 = isIP(address) === 6;
  const name = isV6 ? socketAddress6(address, port) : socketAddress4(address, port);
  if (name === undefined) return undefined;
  const fd = libc.socket(isV6 ? AF_INET6 : AF_INET, DATAGRAM, 0);
  if (fd < 0) return undefined;
  // The upper six bits of the traffic class; where it is refused packets are not marked.
  const [level, option] = isV6 ? IPV6_TCLASS : IP_TOS;
  libc.setsockopt(fd, level, option, Int32Array.of(dscp << 2), 4);
  if (isV6) libc.setsockopt(fd, ...IPV6_V6ONLY, Int32Array.of(1), 4);
  if (libc.bind(fd, name, name.length) === 0) return fd;
  const errno = libc.errno();
  libc.close(fd);
  if (errno !== EADDRINUSE && errno !== EACCES) return undefined;
  const code = errno === EADDRINUSE ? 'EADDRINUSE' : 'EACCES';
  throw Object.assign(new Error(`bind ${code} ${address}:${port}`), { code, errno, address, port });
}

let loaded: { libc: Libc | undefined } | undefined;

function loadLibc(): Libc | undefined {
  loaded ??= { libc: process.platform === 'linux' ? tryLibc() : undefined };

  return loaded.libc;
}

function tryLibc(): Libc | undefined {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof koffiModule;
    const library = koffi.load('libc.so.6');

    return {
      socket: library.func('int socket(int, int, int)') as Libc['socket'],
      bind: library.func('int bind(int, const uint8_t *, uint32_t)') as Libc['bind'],
      setsockopt: library.func(
        'int setsockopt(int, int, int, const int *, uint32_t)',
      ) as Libc['setsockopt'],
      close: library.func('int close(int)') as Libc['close'],
      errno: () => koffi.errno(),
    };
  } catch {
    return undefined;
  }
}

/** `struct sockaddr_in`; the family is in the machine's order, the rest in the network's. */
function socketAddress4(address: string, port: number): Uint8Array {
  const name = Buffer.alloc(16);
  writeFamily(name, AF_INET);
  name.writeUInt16BE(port, 2);
  name.set(address.split('.').map(Number), 4);

  return name;
}

/** `struct sockaddr_in6`; undefined for an address with a zone, which needs an interface's number. */
function socketAddress6(address: string, port: number): Uint8Array | undefined {
  const octets = parseIpv6(address);
  if (octets === undefined) return undefined;
  const name = Buffer.alloc(28);
  writeFamily(name, AF_INET6);
  name.writeUInt16BE(port, 2);
  name.set(octets, 8);

  return name;
}

function writeFamily(name: Buffer, family: number): void {
  new Uint16Array(name.buffer, name.byteOffset, 1)[0] = family;
}

export function parseIpv6(address: string): number[] | undefined {
  if (isIP(address) !== 6 || address.includes('%') || address.includes('.')) return undefined;
  const [head = '', tail] = address.split('::');
  const words = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const left = words(head);
  const right = words(tail ?? '');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');

  return [...left, ...(tail === undefined ? [] : zeros), ...right].flatMap((word) => {
    const value = Number.parseInt(word, 16);

    return [value >> 8, value & 0xff];
  });
}
