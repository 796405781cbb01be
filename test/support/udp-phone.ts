import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import {
  createDecoder,
  createEncoder,
  MAX_ENCODED_OCTETS,
  type AudioDecoder,
  type AudioEncoder,
} from '../../media/codec/index.ts';
import { audioCodec, findTelephoneEvent, type AudioCodec } from '../../media/codecs.ts';
import type { MediaDirection, PhoneAudio } from '../../media/media-api.ts';
import { isRtcp, RtpPacketView, writeRtp } from '../../media/rtp/index.ts';
import { joinFrames, ToneSource } from './tone-source.ts';
import type { Signal } from './tone-meter.ts';

const ADDRESS = '127.0.0.1';

export interface UdpPhoneOptions {
  codec: 'PCMU' | 'PCMA' | 'opus';
  frequency: number;
  level?: number;
  ptime?: number;
  /** Its own at first, and the one that it sends to; 127.0.0.1 by default. */
  address?: string;
}

/** One packet that a phone got. */
export interface HeardPacket {
  /** Its own port. */
  port: number;
  ssrc: number;
  sequenceNumber: number;
  timestamp: number;
  marker: boolean;
  payloadType: number;
  payload: Uint8Array;
  at: number;
}

/** An RTP endpoint in this process: sends a tone in real time, keeps what it hears. */
export class UdpPhone {
  readonly codec: AudioCodec;
  readonly heard: HeardPacket[] = [];
  readonly rtcpHeard: Uint8Array[] = [];
  ssrc: number;
  sequenceNumber = 1000;
  timestamp = 5000;
  #socket: Socket;
  readonly #left: Socket[] = [];
  readonly #rtcpSocket: Socket;
  readonly #server: string;
  #address: string;
  readonly #ptime: number;
  readonly #encoder: AudioEncoder;
  #tone: ToneSource;
  readonly #encoded = new Uint8Array(MAX_ENCODED_OCTETS);
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;
  #startedAt = 0;

  private constructor(socket: Socket, rtcpSocket: Socket, options: UdpPhoneOptions) {
    this.#socket = socket;
    this.#server = this.#address = options.address ?? ADDRESS;
    this.#rtcpSocket = rtcpSocket;
    this.codec = audioCodec(options.codec);
    this.ssrc = Math.floor(Math.random() * 0xffff_ffff);
    this.#ptime = options.ptime ?? 20;
    this.#encoder = createEncoder(this.codec, this.codec.sampleRate, this.#ptime);
    this.#tone = new ToneSource(options.frequency, this.codec.sampleRate, options.level ?? -15);
    this.#listen(socket);
    rtcpSocket.on('message', (data) => this.rtcpHeard.push(data));
  }

  static async open(options: UdpPhoneOptions): Promise<UdpPhone> {
    return new UdpPhone(await bind(options.address), await bind(options.address), options);
  }

  /** Goes on with the same stream from another port: what is sent to the old one is lost. */
  async move(address = this.#address): Promise<void> {
    const socket = await bind(address);
    this.#address = address;
    this.#socket.removeAllListeners('message');
    this.#left.push(this.#socket);
    this.#socket = socket;
    this.#listen(socket);
  }

  get rtpPort(): number {
    return this.#socket.address().port;
  }

  /** What offer/answer would have agreed on with this phone. */
  audio(direction: MediaDirection = 'sendrecv', ptime = 20): PhoneAudio {
    const event = findTelephoneEvent(this.codec.clockRate)!;

    return {
      codec: this.codec,
      sendPayloadType: this.codec.payloadType,
      receivePayloadTypes: new Map([
        [this.codec.payloadType, this.codec],
        [event.payloadType, event],
      ]),
      telephoneEvent: { payloadType: event.payloadType, clockRate: event.clockRate },
      remoteAddress: this.#address,
      remoteRtpPort: this.rtpPort,
      remoteRtcpPort: this.#rtcpSocket.address().port,
      remoteRtcpAddress: this.#rtcpSocket.address().address,
      rtcpMux: false,
      ptime,
      direction,
    };
  }

  /** Sends its tone until `stop`. */
  start(port: number): void {
    this.stop();
    this.#startedAt = performance.now();
    this.#sent = 0;
    this.#timer = setInterval(() => {
      const due = Math.floor((performance.now() - this.#startedAt) / this.#ptime);
      while (this.#sent < due) {
        this.#sent++;
        this.sendAudio(port);
      }
    }, 5);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  sendAudio(port: number): void {
    const pcm = this.#tone.next(this.#encoder.frameSamples);
    const length = this.#encoder.encode(pcm, this.#encoded);
    this.send(port, this.codec.payloadType, this.#encoded.subarray(0, length));
    this.timestamp = (this.timestamp + (this.codec.clockRate * this.#ptime) / 1000) >>> 0;
  }

  /** From now on. */
  setTone(frequency: number, level = -15): void {
    this.#tone = new ToneSource(frequency, this.codec.sampleRate, level);
  }

  /** Any payload, at the timestamp that is due. */
  send(port: number, payloadType: number, payload: Uint8Array, marker = false): void {
    const { ssrc, sequenceNumber, timestamp } = this;
    const out = new Uint8Array(1500);
    const length = writeRtp(out, { marker, payloadType, sequenceNumber, timestamp, ssrc, payload });
    this.sequenceNumber = (sequenceNumber + 1) & 0xffff;
    this.#socket.send(out, 0, length, port, this.#server);
  }

  /** What it heard since packet number `from`, decoded in the order of arrival. */
  signal(from = 0): Signal {
    const decoder: AudioDecoder = createDecoder(this.codec, this.codec.sampleRate);
    const pcm = new Int16Array(this.codec.sampleRate);
    const frames = this.heard.slice(from).map(({ payload }) => {
      return pcm.slice(0, decoder.decode(payload, pcm));
    });
    decoder.close();

    return { samples: joinFrames(frames), sampleRate: this.codec.sampleRate };
  }

  async close(): Promise<void> {
    this.stop();
    this.#encoder.close();
    await Promise.all(
      [this.#socket, this.#rtcpSocket, ...this.#left].map((socket) => {
        return new Promise<void>((resolve) => {
          socket.close(() => {
            resolve();
          });
        });
      }),
    );
  }

  #listen(socket: Socket): void {
    const view = new RtpPacketView();
    const { port } = socket.address();
    socket.on('message', (data) => {
      if (isRtcp(data) || !view.parse(data)) return;
      const { ssrc, sequenceNumber, timestamp, marker, payloadType } = view;
      const at = performance.now();
      const payload = view.payload().slice();
      this.heard.push({ port, ssrc, sequenceNumber, timestamp, marker, payloadType, payload, at });
    });
  }
}

async function bind(address = ADDRESS): Promise<Socket> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  await new Promise<void>((resolve) => {
    socket.bind(0, address, resolve);
  });

  return socket;
}
