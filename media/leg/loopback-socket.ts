import {
  adoptSocket,
  bindUdpSocket,
  closeUdpSocket,
  freezeSocket,
  MAX_RTP_PACKET,
  openBatchedSocket,
  type FrozenSocket,
  type PacketSocket,
} from '../rtp/index.ts';

export const LOOPBACK_ADDRESS = '127.0.0.1';

/** Sends that the kernel has not taken at once may still read their buffer. */
const SEND_BUFFERS = 64;
const RECEIVE_BUFFER = 1 << 20;
/** Packets that are taken at a time: all microphones of a room come over the one socket. */
const BURST = 32;

/** One UDP socket between a room and the SFU on this machine: microphones in, phones out. */
export class LoopbackSocket {
  readonly #socket: PacketSocket;
  readonly #buffers: Uint8Array[] = [];
  #next = 0;
  #closed = false;

  private constructor(socket: PacketSocket, onPacket: (data: Uint8Array) => void) {
    this.#socket = socket;
    for (let i = 0; i < SEND_BUFFERS; i++) this.#buffers.push(new Uint8Array(MAX_RTP_PACKET));
    // A transport that is gone answers with port unreachable; the stream's owner learns it elsewhere.
    socket.removeAllListeners('error');
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      if (!this.#closed) onPacket(data);
    });
  }

  static async bind(onPacket: (data: Uint8Array) => void): Promise<LoopbackSocket> {
    const options = { address: LOOPBACK_ADDRESS, port: 0, receiveBufferSize: RECEIVE_BUFFER };
    const socket =
      openBatchedSocket({ ...options, burst: BURST }) ??
      (await bindUdpSocket({ ...options, dscp: 0 }));

    return new LoopbackSocket(socket, onPacket);
  }

  /** Goes on with the socket of one that was frozen and released. */
  static thaw(socket: FrozenSocket, onPacket: (data: Uint8Array) => void): LoopbackSocket {
    return new LoopbackSocket(adoptSocket(socket), onPacket);
  }

  /** Throws where sockets cannot be handed to another thread. */
  freeze(): FrozenSocket {
    return freezeSocket(this.#socket);
  }

  /** Another thread has the socket from now on. */
  release(): void {
    this.#closed = true;
    this.#socket.release?.();
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Where to write the next packet; `send` sends it. */
  buffer(): Uint8Array {
    return this.#buffers[this.#next]!;
  }

  send(length: number, port: number, address: string): void {
    if (this.#closed) return;
    const buffer = this.#buffers[this.#next]!;
    this.#next = (this.#next + 1) % SEND_BUFFERS;
    try {
      this.#socket.send(buffer, 0, length, port, address);
    } catch {
      // As lost on the way; the kernel's buffer is full, or the transport is gone.
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await closeUdpSocket(this.#socket);
  }
}
