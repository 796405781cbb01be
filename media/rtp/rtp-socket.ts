/**
 * The UDP ports of one RTP session: symmetric RTP with a source lock, RTCP beside it or on the same
 * port, everything counted. Sockets are not connected: the phone's address may change, and a
 * connected socket answers a closed port of the peer with an error.
 *
 * Size: what is asked of each packet, in either direction, is read in one place.
 */
import { isIP } from 'node:net';
import type { Clock } from '../../base/index.ts';
import {
  adoptSocket,
  freezeSocket,
  openBatchedSocket,
  type PacketSocket,
  type PacketSource,
} from './batched-udp.ts';
import type { PortPair } from './port-allocator.ts';
import { RtcpPath, type RtcpRemote } from './rtcp-path.ts';
import { MAX_RTP_PACKET, RtpPacketView, isRtcp } from './rtp-packet.ts';
import { RtpSocketCounters } from './rtp-socket-counters.ts';
import { SourceLock } from './source-lock.ts';
import { bindUdpSocket, closeUdpSocket, type UdpSocketOptions } from './udp-socket.ts';

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
  /** The mark of what is sent, 0 for none. */
  dscp?: number;
  /** Octets of the longest packet that is sent; what is above the network's own limit goes in fragments. */
  longestSent?: number;
  /** Datagrams that may wait for the kernel. */
  maxSendQueue?: number;
}

/**
 * Encryption of what goes over the ports, in place; lengths below 0 mean that a packet is to be
 * dropped. The buffers of `sealRtp` and `sealRtcp` have room behind `length`.
 */
export interface PacketSecurity {
  openRtp(data: Uint8Array): number;
  openRtcp(data: Uint8Array): number;
  sealRtp(data: Uint8Array, length: number): number;
  sealRtcp(data: Uint8Array, length: number): number;
}

/** Where the SDP says that the peer listens. */
export interface RtpRemote extends RtcpRemote {
  rtpPort: number;
  rtcpMux: boolean;
  /** The host that its signalling comes from: behind a NAT its media does so too. */
  signallingAddress?: string | undefined;
}

/** A second of 64 kbit/s audio, with the kernel's bookkeeping: what may come while a thread is late. */
const RECEIVE_BUFFER = 128 * 1024;
/** Room for the tag and the trailer of SRTP and SRTCP. */
const SEALING = 32;
/** Datagrams that may wait for the kernel; audio that is later than this is of no use. */
const MAX_SEND_QUEUE = 4;

export class RtpSocket {
  readonly rtpPort: number;
  readonly rtcpPort: number;
  readonly #rtp: PacketSocket;
  readonly #rtcp: PacketSocket;
  readonly #clock: Clock;
  readonly #handlers: RtpSocketHandlers;
  readonly #family: number;
  readonly #lock = new SourceLock();
  readonly #rtcpPath = new RtcpPath(this.#lock);
  readonly #packet = new RtpPacketView();
  readonly #longestSent: number;
  readonly #maxSendQueue: number;
  #sendBuffer: Buffer;
  #security: PacketSecurity | undefined;
  #remote: RtpRemote | undefined;
  /** The address that was looked at last, and whether packets may go there. */
  #reachAddress = '';
  #reachable = false;
  #closed = false;
  readonly #counters = new RtpSocketCounters();

  private constructor(
    rtp: PacketSocket,
    rtcp: PacketSocket,
    options: Omit<RtpSocketOptions, 'ports'>,
  ) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.rtpPort = rtp.address().port;
    this.rtcpPort = rtcp.address().port;
    this.#clock = options.clock;
    this.#handlers = options.handlers;
    this.#family = isIP(rtp.address().address);
    this.#longestSent = options.longestSent ?? MAX_RTP_PACKET;
    this.#maxSendQueue = options.maxSendQueue ?? MAX_SEND_QUEUE;
    this.#sendBuffer = Buffer.allocUnsafeSlow(this.#longestSent + SEALING);
    if (rtp.onPacket === undefined) {
      rtp.on('message', (data, from) => {
        this.#onRtpPort(data, 0, data.length, from);
      });
    } else {
      rtp.onPacket((block, start, length, from) => {
        this.#onRtpPort(block, start, length, from);
      });
    }
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
    const common = {
      address: options.address ?? '0.0.0.0',
      receiveBufferSize: options.receiveBufferSize ?? RECEIVE_BUFFER,
      dscp: options.dscp ?? 0,
    };
    const rtp = await bindPort({ ...common, port: options.ports.rtp });
    try {
      const rtcp = await bindPort({ ...common, port: options.ports.rtcp });

      return new RtpSocket(rtp, rtcp, options);
    } catch (error) {
      await closeUdpSocket(rtp);
      throw error;
    }
  }

  /** Goes on with the sockets of one that was frozen and released. */
  static thaw(
    state: ReturnType<RtpSocket['freeze']>,
    options: Omit<RtpSocketOptions, 'ports'>,
  ): RtpSocket {
    const socket = new RtpSocket(adoptSocket(state.rtp), adoptSocket(state.rtcp), options);
    socket.#remote = state.remote;
    socket.#lock.thaw(state.lock);
    socket.#rtcpPath.thaw(state.rtcpPath);
    Object.assign(socket.#counters, state.counters);

    return socket;
  }

  /** All of it but its keys, for another thread. Throws where sockets cannot be handed over. */
  freeze() {
    return {
      rtp: freezeSocket(this.#rtp),
      rtcp: freezeSocket(this.#rtcp),
      remote: this.#remote,
      lock: this.#lock.freeze(),
      rtcpPath: this.#rtcpPath.freeze(),
      counters: { ...this.#counters },
    };
  }

  /** Another thread has the sockets from now on. */
  release(): void {
    this.#closed = true;
    this.#rtp.release?.();
    this.#rtcp.release?.();
  }

  get counters(): Readonly<RtpSocketCounters> {
    this.#counters.moves = this.#lock.moves;

    return this.#counters;
  }

  /** After offer/answer; another address or port than before releases the source lock. */
  setRemote(remote: RtpRemote): void {
    this.#remote = remote;
    this.#rtcpPath.setRemote(remote);
    this.#lock.signal(remote.address, remote.rtpPort, this.#clock.now(), remote.signallingAddress);
  }

  /** From now on all packets are encrypted, both ways; undefined: none is. */
  setSecurity(security: PacketSecurity | undefined): void {
    this.#security = security;
  }

  /** The first `length` octets of `data`, which may be used again at once. */
  sendRtp(data: Uint8Array, length: number): void {
    const { address, port } = this.#lock;
    if (this.#send(this.#rtp, data, length, address, port, false)) this.#counters.rtpOut++;
  }

  /** As `sendRtp`. With rtcp-mux it leaves from the RTP port (RFC 5761 3). */
  sendRtcp(data: Uint8Array, length: number): void {
    const remote = this.#remote;
    if (remote === undefined) return;
    const socket = remote.rtcpMux ? this.#rtp : this.#rtcp;
    const { address, port } = remote.rtcpMux ? this.#lock : this.#rtcpPath;
    if (this.#send(socket, data, length, address, port, true)) this.#counters.rtcpOut++;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([closeUdpSocket(this.#rtp), closeUdpSocket(this.#rtcp)]);
  }

  #onRtpPort(data: Uint8Array, start: number, length: number, from: PacketSource): void {
    const packet = this.#packet;
    if (isRtcp(data, start, length)) {
      const report = data.subarray(start, start + length);
      if (this.#remote?.rtcpMux === true) this.#onRtcp(report, from, this.#clock.now());
      else this.#counters.invalid++;

      return;
    }
    if (this.#security !== undefined) {
      // Before anything else: what is not the peer's own must not even move the source.
      length = this.#security.openRtp(data.subarray(start, start + length));
      if (length < 0) this.#counters.unauthentic++;
      if (length < 0) return;
    }
    if (!packet.parse(data, start, length)) {
      this.#counters.invalid++;

      return;
    }
    const now = this.#clock.now();
    const { ssrc, sequenceNumber } = packet;
    if (
      this.#remote === undefined ||
      !(this.#security === undefined
        ? this.#lock.accepts(from.address, from.port, ssrc, sequenceNumber, now)
        : this.#lock.acceptAuthentic(from.address, from.port, ssrc, sequenceNumber, now))
    ) {
      this.#counters.foreign++;

      return;
    }
    this.#counters.rtpIn++;
    this.#handlers.onRtp(packet, now);
  }

  #onRtcp(data: Uint8Array, from: PacketSource, now: number): void {
    const remote = this.#remote;
    const length = this.#security?.openRtcp(data) ?? data.length;
    if (length < 0) {
      this.#counters.unauthentic++;

      return;
    }
    const known =
      remote?.rtcpMux === true
        ? from.address === this.#lock.address && from.port === this.#lock.port
        : this.#rtcpPath.accepts(from.address, from.port);
    if (!known) {
      this.#counters.foreign++;

      return;
    }
    this.#counters.rtcpIn++;
    this.#handlers.onRtcp(data.subarray(0, length), now);
  }

  #send(
    socket: PacketSocket,
    data: Uint8Array,
    length: number,
    address: string,
    port: number,
    isReport: boolean,
  ): boolean {
    if (this.#closed || port === 0 || !this.#canReach(address) || length > this.#longestSent) {
      this.#counters.sendDropped++;

      return false;
    }
    if (socket.getSendQueueCount() >= this.#maxSendQueue) {
      this.#counters.sendDropped++;

      return false;
    }
    const inPlace = socket.sendsAtOnce === true && this.#security === undefined;
    const buffer = inPlace ? data : this.#sendBuffer;
    if (!inPlace) for (let i = 0; i < length; i++) buffer[i] = data[i]!;
    const size = this.#seal(buffer, length, isReport);
    if (size < 0) {
      this.#counters.sendDropped++;

      return false;
    }
    try {
      socket.send(buffer, 0, size, port, address);
    } catch {
      this.#counters.errors++;

      return false;
    }
    // The kernel took it, as nearly always, or it waits in the queue and the buffer belongs to it.
    if (socket.getSendQueueCount() > 0) {
      this.#sendBuffer = Buffer.allocUnsafeSlow(this.#longestSent + SEALING);
    }

    return true;
  }

  #seal(buffer: Uint8Array, length: number, isReport: boolean): number {
    const security = this.#security;
    if (security === undefined) return length;

    return isReport ? security.sealRtcp(buffer, length) : security.sealRtp(buffer, length);
  }

  /** "0.0.0.0" is how old phones say hold (RFC 3264 8.4); names are not looked up. */
  #canReach(address: string): boolean {
    if (address !== this.#reachAddress) {
      this.#reachAddress = address;
      this.#reachable = isIP(address) === this.#family && address !== '0.0.0.0' && address !== '::';
    }

    return this.#reachable;
  }
}

function bindPort(options: UdpSocketOptions): Promise<PacketSocket> | PacketSocket {
  return openBatchedSocket(options) ?? bindUdpSocket(options);
}
