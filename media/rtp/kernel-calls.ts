/** The socket calls of the system's C library, which node:dgram has no way to or makes dear. */
import { createRequire } from 'node:module';
import type * as koffiModule from 'koffi';

/** What an answer below 0 means, `errno` tells. */
export interface Kernel {
  socket: (domain: number, type: number, protocol: number) => number;
  bind: (fd: number, address: Uint8Array, length: number) => number;
  getsockname: (fd: number, address: Uint8Array, length: Uint32Array) => number;
  setsockopt: (fd: number, level: number, name: number, value: Int32Array, size: number) => number;
  close: (fd: number) => number;
  sendto: (
    fd: number,
    data: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ) => number;
  /** Data, address and its length by where they are in memory, as `addressOf` says. */
  recvfrom: (
    fd: number,
    data: number,
    length: number,
    flags: number,
    address: number,
    addressLength: number,
  ) => number;
  epoll_create1: (flags: number) => number;
  epoll_ctl: (epoll: number, operation: number, fd: number, event: Uint8Array) => number;
  epoll_wait: (epoll: number, events: Uint8Array, max: number, timeout: number) => number;
  errno: () => number;
  /** It stays there for as long as somebody holds it: of `allocUnsafeSlow`, which lies outside the heap. */
  addressOf: (memory: Buffer) => number;
}

let loaded: { kernel: Kernel | undefined } | undefined;

/** Undefined where koffi or the system's C library is not there. */
export function loadKernel(): Kernel | undefined {
  loaded ??= { kernel: process.platform === 'linux' ? tryKernel() : undefined };

  return loaded.kernel;
}

function tryKernel(): Kernel | undefined {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof koffiModule;
    const libc = koffi.load('libc.so.6');
    const named = <Name extends keyof Kernel>(name: Name, result: string, ...args: string[]) =>
      libc.func(`${result} ${name}(${args.join(', ')})`) as Kernel[Name];
    const [octets, lengths] = ['uint8_t *', 'uint32_t *'];

    return {
      socket: named('socket', 'int', 'int', 'int', 'int'),
      bind: named('bind', 'int', 'int', octets, 'uint32_t'),
      getsockname: named('getsockname', 'int', 'int', octets, lengths),
      setsockopt: named('setsockopt', 'int', 'int', 'int', 'int', 'int *', 'uint32_t'),
      close: named('close', 'int', 'int'),
      sendto: named('sendto', 'long', 'int', octets, 'ulong', 'int', octets, 'uint32_t'),
      recvfrom: named(
        'recvfrom',
        'long',
        'int',
        'uintptr_t',
        'ulong',
        'int',
        'uintptr_t',
        'uintptr_t',
      ),
      epoll_create1: named('epoll_create1', 'int', 'int'),
      epoll_ctl: named('epoll_ctl', 'int', 'int', 'int', 'int', octets),
      epoll_wait: named('epoll_wait', 'int', 'int', octets, 'int', 'int'),
      errno: () => koffi.errno(),
      addressOf: (memory) => Number(koffi.address(memory)),
    };
  } catch {
    return undefined;
  }
}
