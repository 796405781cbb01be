import { createSocket, type Socket } from 'node:dgram';
import { MAX_RTP_PACKET } from '../rtp/index.ts';

export const LOOPBACK_ADDRESS = '127.0.0.1';

/** Sends that the kernel has not taken at once may still read their buffer. */
const SEND_BUFFERS = 64;
const RECEIVE_BUFFER = 1 << 20;

/** One UDP socket between a room and the SFU on this machine: microphones in, phones out. */
export class LoopbackSocket {
  readonly #socket: Socket;
  readonly #buffers: Uint8Array[] = [];
  #next = 0;
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    for (let i = 0; i < SEND_BUFFERS; i++) this.#buffers.push(new Uint8Array(MAX_RTP_PACKET));
  }

  static async bind(onPacket: (data: Uint8Array) => void): Promise<LoopbackSocket> {
    const socket = createSocket({
      type: 'udp4',
      recvBufferSize: RECEIVE_BUFFER,
      // Only ever literals: asking the resolver would put every send off by a turn of the loop.
      lookup: (address, _options, callback) => {
        callback(null, address, 4);
      },
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, LOOPBACK_ADDRESS, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    // A transport that is gone answers with port unreachable; the stream's owner learns it elsewhere.
    socket.on('error', () => undefined);
    const loopback = new LoopbackSocket(socket);
    socket.on('message', (data) => {
      if (!loopback.#closed) onPacket(data);
    });

    return loopback;
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
    this.#socket.send(buffer, 0, length, port, address);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>((resolve) => {
      this.#socket.close(() => {
        resolve();
      });
    });
  }
}
