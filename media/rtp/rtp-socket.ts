/**
 * The UDP ports of one RTP session: symmetric RTP with a source lock, RTCP beside it or on the same
 * port, everything counted. Sockets are not connected: the phone's address may change, and a
 * connected socket answers a closed port of the peer with an error.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import type { Clock } from '../../base/index.ts';
import type { PortPair } from './port-allocator.ts';
import { MAX_RTP_PACKET, RtpPacketView, isRtcp } from './rtp-packet.ts';
import { SourceLock } from './source-lock.ts';

export interface RtpSocketHandlers {
  /**
   * A packet of the locked source. `packet` is the socket's own view, good during the call only;
   * the octets of `packet.data` stay as they are afterwards.
   */
  onRtp(packet: RtpPacketView, now: number): void;
  /** RTCP of the same peer, not parsed yet. */
  onRtcp(data: Uint8Array, now: number): void;
}

export interface RtpSocketOptions {
  /** 0 lets the system choose (for loopback use: the two are then no even/odd pair). */
  ports: PortPair;
  clock: Clock;
  handlers: RtpSocketHandlers;
  /** Local address. */
  address?: string;
  /** Octets that the kernel holds for us. */
  receiveBufferSize?: number;
}

/** Where the SDP says that the peer listens. */
export interface RtpRemote {
  address: string;
  rtpPort: number;
  rtcpPort: number;
  rtcpMux: boolean;
}

export interface RtpSocketCounters {
  rtpIn: number;
  rtpOut: number;
  rtcpIn: number;
  rtcpOut: number;
  /** Neither RTP nor RTCP. */
  invalid: number;
  /** Valid, from somebody else than the locked source. */
  foreign: number;
  /** Not sent: no address yet, or the kernel takes no more. */
  sendDropped: number;
  errors: number;
  /** How often the source was followed to another address. */
  moves: number;
}

/** A second of 64 kbit/s audio, with the kernel's bookkeeping: what may come while a thread is late. */
const RECEIVE_BUFFER = 128 * 1024;
/** Datagrams that may wait for the kernel; audio that is later than this is of no use. */
const MAX_SEND_QUEUE = 4;

export class RtpSocket {
  readonly rtpPort: number;
  readonly rtcpPort: number;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #clock: Clock;
  readonly #handlers: RtpSocketHandlers;
  readonly #family: number;
  readonly #lock = new SourceLock();
  readonly #packet = new RtpPacketView();
  #sendBuffer = Buffer.allocUnsafeSlow(MAX_RTP_PACKET);
  #remote: RtpRemote | undefined;
  /** The port that RTCP came from, 0 before it did. */
  #rtcpSource = 0;
  #closed = false;
  readonly #counters: RtpSocketCounters = {
    rtpIn: 0,
    rtpOut: 0,
    rtcpIn: 0,
    rtcpOut: 0,
    invalid: 0,
    foreign: 0,
    sendDropped: 0,
    errors: 0,
    moves: 0,
  };

  private constructor(rtp: Socket, rtcp: Socket, options: RtpSocketOptions) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.rtpPort = rtp.address().port;
    this.rtcpPort = rtcp.address().port;
    this.#clock = options.clock;
    this.#handlers = options.handlers;
    this.#family = isIP(rtp.address().address);
    rtp.on('message', (data, from) => {
      this.#onRtpPort(data, from);
    });
    rtcp.on('message', (data, from) => {
      if (isRtcp(data)) this.#onRtcp(data, from, this.#clock.now());
      else this.#counters.invalid++;
    });
    for (const socket of [rtp, rtcp]) {
      socket.removeAllListeners('error');
      socket.on('error', () => {
        this.#counters.errors++;
      });
    }
  }

  /** Rejects when one of the ports is taken. */
  static async bind(options: RtpSocketOptions): Promise<RtpSocket> {
    const size = options.receiveBufferSize ?? RECEIVE_BUFFER;
    const address = options.address ?? '0.0.0.0';
    const rtp = await bindSocket(address, options.ports.rtp, size);
    try {
      return new RtpSocket(rtp, await bindSocket(address, options.ports.rtcp, size), options);
    } catch (error) {
      rtp.close();
      throw error;
    }
  }

  get counters(): Readonly<RtpSocketCounters> {
    this.#counters.moves = this.#lock.moves;

    return this.#counters;
  }

  /** After offer/answer; another address or port than before releases the source lock. */
  setRemote(remote: RtpRemote): void {
    const before = this.#remote;
    this.#remote = remote;
    this.#lock.signal(remote.address, remote.rtpPort);
    if (
      before?.address !== remote.address ||
      before.rtcpPort !== remote.rtcpPort ||
      before.rtcpMux !== remote.rtcpMux
    ) {
      this.#rtcpSource = 0;
    }
  }

  /** The first `length` octets of `data`, which may be used again at once. */
  sendRtp(data: Uint8Array, length: number): void {
    if (this.#send(this.#rtp, data, length, this.#lock.port)) this.#counters.rtpOut++;
  }

  /** As `sendRtp`. With rtcp-mux it leaves from the RTP port (RFC 5761 3). */
  sendRtcp(data: Uint8Array, length: number): void {
    const remote = this.#remote;
    if (remote === undefined) return;
    const sent = remote.rtcpMux
      ? this.#send(this.#rtp, data, length, this.#lock.port)
      : this.#send(this.#rtcp, data, length, this.#rtcpSource || remote.rtcpPort);
    if (sent) this.#counters.rtcpOut++;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([closeSocket(this.#rtp), closeSocket(this.#rtcp)]);
  }

  #onRtpPort(data: Uint8Array, from: RemoteInfo): void {
    const packet = this.#packet;
    if (isRtcp(data)) {
      if (this.#remote?.rtcpMux === true) this.#onRtcp(data, from, this.#clock.now());
      else this.#counters.invalid++;

      return;
    }
    if (!packet.parse(data)) {
      this.#counters.invalid++;

      return;
    }
    const now = this.#clock.now();
    if (
      this.#remote === undefined ||
      !this.#lock.accepts(from.address, from.port, packet.ssrc, packet.sequenceNumber, now)
    ) {
      this.#counters.foreign++;

      return;
    }
    this.#counters.rtpIn++;
    this.#handlers.onRtp(packet, now);
  }

  #onRtcp(data: Uint8Array, from: RemoteInfo, now: number): void {
    const remote = this.#remote;
    // RTCP names no sequence that could be trusted, so it must come from the host that RTP comes
    // from, and, once it has come from a port there, from that port or the one in the SDP.
    const known =
      remote !== undefined &&
      from.address === this.#lock.address &&
      (remote.rtcpMux
        ? from.port === this.#lock.port
        : this.#rtcpSource === 0 ||
          from.port === this.#rtcpSource ||
          from.port === remote.rtcpPort);
    if (!known) {
      this.#counters.foreign++;

      return;
    }
    if (!remote.rtcpMux) this.#rtcpSource = from.port;
    this.#counters.rtcpIn++;
    this.#handlers.onRtcp(data, now);
  }

  #send(socket: Socket, data: Uint8Array, length: number, port: number): boolean {
    const address = this.#lock.address;
    if (this.#closed || port === 0 || !this.#canReach(address) || length > MAX_RTP_PACKET) {
      this.#counters.sendDropped++;

      return false;
    }
    if (socket.getSendQueueCount() >= MAX_SEND_QUEUE) {
      this.#counters.sendDropped++;

      return false;
    }
    const buffer = this.#sendBuffer;
    for (let i = 0; i < length; i++) buffer[i] = data[i]!;
    try {
      socket.send(buffer, 0, length, port, address);
    } catch {
      this.#counters.errors++;

      return false;
    }
    // The kernel took it, as nearly always, or it waits in the queue and the buffer belongs to it.
    if (socket.getSendQueueCount() > 0) this.#sendBuffer = Buffer.allocUnsafeSlow(MAX_RTP_PACKET);

    return true;
  }

  /** "0.0.0.0" is how old phones say hold (RFC 3264 8.4); names are not looked up. */
  #canReach(address: string): boolean {
    return isIP(address) === this.#family && address !== '0.0.0.0' && address !== '::';
  }
}

async function bindSocket(address: string, port: number, bufferSize: number): Promise<Socket> {
  const family = isIP(address);
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
    socket.bind({ address, port, exclusive: true }, () => {
      try {
        socket.setRecvBufferSize(bufferSize);
      } catch {
        // The system's limit is lower: its default has to do.
      }
      resolve(socket);
    });
  });
}

async function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.close(() => {
      resolve();
    });
  });
}
