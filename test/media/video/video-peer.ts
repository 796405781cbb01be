import { createSocket, type Socket } from 'node:dgram';
import {
  isRtcp,
  parseRtcp,
  RtpPacketView,
  writeRtcp,
  writeRtp,
  type RtcpPacket,
} from '../../../media/rtp/index.ts';
import type { PhoneVideo, PhoneVideoLeg } from '../../../media/video-api.ts';
import { idr, PPS, slice, SPS } from './h264-packets.ts';

const FRAME_MS = 40;

export interface Received {
  ssrc: number;
  sequenceNumber: number;
  timestamp: number;
  marker: boolean;
  payloadType: number;
  payload: Uint8Array;
}

/** A phone with video on a UDP socket of loopback: its pictures are H.264 by name only, and bear its tag. */
export class VideoPeer {
  readonly #socket: Socket;
  readonly tag: number;
  readonly ssrc: number;
  readonly received: Received[] = [];
  readonly feedback: RtcpPacket[] = [];
  /** All that came, as it came. */
  readonly octets: Buffer[] = [];
  readonly #sent = new Map<number, Uint8Array>();
  /** Sends a key frame when it is asked for one. */
  obeys = true;
  /** The next picture is lost on its way. */
  dropNext = false;
  /** Packets that it sent again. */
  resent = 0;
  #timer: NodeJS.Timeout | undefined;
  #sequence = 65_500;
  #timestamp = 0xffff_f000;
  #wantsKey = true;
  #target: { port: number } | undefined;

  private constructor(socket: Socket, tag: number) {
    this.#socket = socket;
    this.tag = tag;
    this.ssrc = 0x1000 + tag;
    const view = new RtpPacketView();
    socket.on('message', (data) => {
      if (isRtcp(data)) this.#onRtcp(parseRtcp(data) ?? []);
      else if (view.parse(data)) {
        const { ssrc, sequenceNumber, timestamp, marker, payloadType } = view;
        const payload = view.payload().slice();
        this.octets.push(data);
        this.received.push({ ssrc, sequenceNumber, timestamp, marker, payloadType, payload });
      }
    });
  }

  static async open(tag: number): Promise<VideoPeer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));

    return new VideoPeer(socket, tag);
  }

  /** What offer/answer agrees on with it. */
  agreed(changes: Partial<PhoneVideo> = {}): PhoneVideo {
    return {
      codec: 'H264',
      sendPayloadType: 97,
      receivePayloadType: 99,
      packetizationMode: 1,
      feedback: { pli: true, nack: true },
      remoteAddress: '127.0.0.1',
      remoteRtpPort: this.#socket.address().port,
      remoteRtcpPort: this.#socket.address().port,
      rtcpMux: true,
      direction: 'sendrecv',
      ...changes,
    };
  }

  /** 25 pictures a second from now on. */
  play(leg: Pick<PhoneVideoLeg, 'rtpPort'>): void {
    this.#target = { port: leg.rtpPort };
    this.#timer = setInterval(() => {
      this.#picture();
    }, FRAME_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The tags of the pictures that it was sent, one after the other, each once. */
  seen(): number[] {
    const tags = this.received.flatMap(({ payload }) =>
      (payload[0]! & 31) === 5 || (payload[0]! & 31) === 1 ? [payload.at(-1)!] : [],
    );

    return tags.filter((tag, i) => tag !== tags[i - 1]);
  }

  say(packets: readonly RtcpPacket[]): void {
    const out = new Uint8Array(1500);
    const length = writeRtcp(out, [{ type: 'RR', ssrc: this.ssrc, reports: [] }, ...packets]);
    if (this.#target !== undefined)
      this.#socket.send(out.subarray(0, length), this.#target.port, '127.0.0.1');
  }

  async close(): Promise<void> {
    this.stop();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #onRtcp(packets: readonly RtcpPacket[]): void {
    this.feedback.push(...packets);
    for (const packet of packets) {
      if ((packet.type === 'PLI' || packet.type === 'FIR') && this.obeys) this.#wantsKey = true;
      if (packet.type !== 'NACK') continue;
      for (const sequence of packet.lost) {
        const data = this.#sent.get(sequence);
        if (data === undefined) continue;
        this.resent++;
        this.#socket.send(data, this.#target!.port, '127.0.0.1');
      }
    }
  }

  #picture(): void {
    const units = this.#wantsKey ? [SPS, PPS, idr(this.tag)] : [slice(this.tag)];
    this.#wantsKey = false;
    this.#timestamp = (this.#timestamp + FRAME_MS * 90) >>> 0;
    units.forEach((payload, i) => {
      this.#send(payload, i === units.length - 1);
    });
  }

  #send(payload: Uint8Array, marker: boolean): void {
    const out = new Uint8Array(1500);
    const length = writeRtp(out, {
      marker,
      payloadType: 99,
      sequenceNumber: this.#sequence,
      timestamp: this.#timestamp,
      ssrc: this.ssrc,
      payload,
    });
    this.#sent.set(this.#sequence, out.subarray(0, length));
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const { port } = this.#target!;
    if (!this.dropNext) this.#socket.send(out.subarray(0, length), port, '127.0.0.1');
    this.dropNext &&= !marker;
  }
}
