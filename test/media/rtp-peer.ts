import { createSocket, type Socket } from 'node:dgram';
import { createDecoder, createEncoder, type AudioEncoder } from '../../media/codec/index.ts';
import type { AudioCodec } from '../../media/codecs.ts';
import {
  isRtcp,
  RtpPacketView,
  writeRtpHeader,
  writeRtpHeaderWithLevel,
} from '../../media/rtp/index.ts';
import type { Signal } from '../support/tone-meter.ts';
import { joinFrames, ToneSource } from '../support/tone-source.ts';

const PTIME = 20;

export interface RtpTarget {
  port: number;
  ssrc: number;
  payloadType: number;
  /** With the level in every packet, as a browser sends it. */
  levelId?: number;
}

/** A real peer on a UDP socket of loopback: plays a tone in real time and keeps what it hears. */
export class RtpPeer {
  readonly #socket: Socket;
  readonly #codec: AudioCodec;
  readonly #encoder: AudioEncoder;
  readonly #heard: Int16Array[] = [];
  readonly #packet = new RtpPacketView();
  readonly #pcm: Int16Array;
  #timer: NodeJS.Timeout | undefined;
  packetsReceived = 0;
  /** Where each packet came from. */
  readonly from: number[] = [];

  private constructor(socket: Socket, codec: AudioCodec) {
    this.#socket = socket;
    this.#codec = codec;
    this.#encoder = createEncoder(codec, codec.sampleRate, PTIME);
    const decoder = createDecoder(codec, codec.sampleRate);
    this.#pcm = new Int16Array((codec.sampleRate * 120) / 1000);
    socket.on('message', (data, { port }) => {
      if (isRtcp(data) || !this.#packet.parse(data)) return;
      this.packetsReceived++;
      this.from.push(port);
      const length = decoder.decode(this.#packet.payload(), this.#pcm);
      this.#heard.push(this.#pcm.slice(0, length));
    });
  }

  static async open(codec: AudioCodec): Promise<RtpPeer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));

    return new RtpPeer(socket, codec);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** What it heard, the newest `seconds`. */
  heard(seconds: number): Signal {
    const { sampleRate } = this.#codec;

    return { samples: joinFrames(this.#heard).slice(-seconds * sampleRate), sampleRate };
  }

  play(frequency: number, target: RtpTarget): void {
    const tone = new ToneSource(frequency, this.#codec.sampleRate);
    const out = new Uint8Array(1500);
    const header = {
      marker: false,
      payloadType: target.payloadType,
      sequenceNumber: 0,
      timestamp: 0,
      ssrc: target.ssrc,
    };
    let due = performance.now();
    this.#timer = setInterval(() => {
      for (; due <= performance.now(); due += PTIME) {
        const start =
          target.levelId === undefined
            ? writeRtpHeader(out, header)
            : writeRtpHeaderWithLevel(out, header, target.levelId, -15, true);
        const pcm = tone.next(this.#encoder.frameSamples);
        const length = start + this.#encoder.encode(pcm, out.subarray(start));
        this.#socket.send(out.slice(0, length), target.port, '127.0.0.1');
        header.sequenceNumber = (header.sequenceNumber + 1) & 0xffff;
        header.timestamp += (this.#codec.clockRate * PTIME) / 1000;
      }
    }, PTIME / 2);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#encoder.close();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}
