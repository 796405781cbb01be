/** The checks of an ICE agent (RFC 8445 7.2, RFC 8489): what a server that is ICE-lite waits for. */
import { createHmac, randomBytes, randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { crc32 } from 'node:zlib';
import type { types as mediasoup } from 'mediasoup';

const COOKIE = 0x2112_a442;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const USERNAME = 0x0006;
const MESSAGE_INTEGRITY = 0x0008;
const PRIORITY = 0x0024;
const USE_CANDIDATE = 0x0025;
const FINGERPRINT = 0x8028;
const ICE_CONTROLLING = 0x802a;
const FINGERPRINT_MASK = 0x5354_554e;

export class IceChecker {
  /** Checks that were answered with success. */
  answered = 0;
  readonly #socket: Socket;
  readonly #tieBreaker = randomBytes(8);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      if (data.readUInt16BE(0) === BINDING_SUCCESS) this.answered += 1;
    });
  }

  static async open(): Promise<IceChecker> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => {
      socket.bind(0, '127.0.0.1', resolve);
    });

    return new IceChecker(socket);
  }

  check(ice: mediasoup.IceParameters, { address, port }: mediasoup.IceCandidate): void {
    const username = Buffer.from(`${ice.usernameFragment}:peer`);
    const priority = Buffer.alloc(4);
    priority.writeUInt32BE(randomInt(1, 0x7fff_ffff));
    const body = Buffer.concat([
      attribute(USERNAME, username),
      attribute(PRIORITY, priority),
      attribute(ICE_CONTROLLING, this.#tieBreaker),
      attribute(USE_CANDIDATE, Buffer.alloc(0)),
    ]);
    const id = randomBytes(12);
    // The length counts the attribute that follows, as if it were there (RFC 8489 14.5, 14.7).
    const unsigned = Buffer.concat([header(id, body.length + 24), body]);
    const mac = createHmac('sha1', ice.password).update(unsigned).digest();
    const signed = Buffer.concat([body, attribute(MESSAGE_INTEGRITY, mac)]);
    const start = Buffer.concat([header(id, signed.length + 8), signed]);
    const print = Buffer.alloc(4);
    print.writeUInt32BE((crc32(start) ^ FINGERPRINT_MASK) >>> 0);
    this.#socket.send(Buffer.concat([start, attribute(FINGERPRINT, print)]), port, address);
  }

  close(): void {
    this.#socket.close();
  }
}

function header(id: Buffer, length: number): Buffer {
  const octets = Buffer.alloc(8);
  octets.writeUInt16BE(BINDING_REQUEST, 0);
  octets.writeUInt16BE(length, 2);
  octets.writeUInt32BE(COOKIE, 4);

  return Buffer.concat([octets, id]);
}

function attribute(type: number, value: Buffer): Buffer {
  const start = Buffer.alloc(4);
  start.writeUInt16BE(type, 0);
  start.writeUInt16BE(value.length, 2);

  return Buffer.concat([start, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}
