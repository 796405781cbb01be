import { randomInt } from 'node:crypto';
import { RTP_HEADER_LENGTH, writeRtpHeader } from '../rtp/index.ts';
import type { AvFrame, AvLibrary } from './av-library.ts';
import type { GridStream } from './grid-protocol.ts';
import { KeyFramePace } from './key-frame-pace.ts';
import { packetize } from './packetizer.ts';
import { PictureEncoder, type EncoderSettings } from './picture-encoder.ts';

/** Viewers who ask more often share the next one. */
const KEY_FRAME_INTERVAL = 1000;

/** The picture in one codec, as packets: one SSRC, one run of sequence numbers. */
export class OutputStream {
  readonly stream: GridStream;
  readonly #av: AvLibrary;
  #settings: EncoderSettings;
  #encoder: PictureEncoder;
  readonly #keyFrames = new KeyFramePace(KEY_FRAME_INTERVAL);
  readonly #timestampBase = randomInt(2 ** 32);
  #sequenceNumber = randomInt(2 ** 16);
  #pictureId = 0;

  private constructor(
    av: AvLibrary,
    stream: GridStream,
    settings: EncoderSettings,
    encoder: PictureEncoder,
  ) {
    this.#av = av;
    this.stream = stream;
    this.#settings = settings;
    this.#encoder = encoder;
  }

  static async open(
    av: AvLibrary,
    stream: GridStream,
    settings: EncoderSettings,
  ): Promise<OutputStream> {
    const encoder = await PictureEncoder.open(av, stream.codec, settings);

    return new OutputStream(av, stream, settings, encoder);
  }

  /** The stream goes on, with a key frame: not every encoder can change its rate. */
  async setBitrate(bitrate: number): Promise<void> {
    if (bitrate === this.#settings.bitrate) return;
    const settings = { ...this.#settings, bitrate };
    const encoder = await PictureEncoder.open(this.#av, this.stream.codec, settings);
    this.#encoder.close();
    this.#encoder = encoder;
    this.#settings = settings;
  }

  askForKey(): void {
    this.#keyFrames.ask();
  }

  /** Encodes and sends a picture of `time` in units of 1/90000 s; false when nothing came of it. */
  send(frame: AvFrame, time: number, now: number, emit: (packet: Uint8Array) => void): boolean {
    const encoded = this.#encoder.encode(frame, this.#keyFrames.take(now));
    if (encoded === undefined) return false;
    const { codec, ssrc, payloadType } = this.stream;
    const payloads = packetize(codec, encoded.data, this.#pictureId);
    this.#pictureId = (this.#pictureId + 1) & 0x7fff;
    payloads.forEach((payload, index) => {
      const packet = Buffer.allocUnsafe(RTP_HEADER_LENGTH + payload.length);
      writeRtpHeader(packet, {
        marker: index === payloads.length - 1,
        payloadType,
        sequenceNumber: this.#sequenceNumber,
        timestamp: (this.#timestampBase + time) >>> 0,
        ssrc,
      });
      payload.copy(packet, RTP_HEADER_LENGTH);
      this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
      emit(packet);
    });

    return true;
  }

  close(): void {
    this.#encoder.close();
  }
}
