import { randomInt } from 'node:crypto';
import type { types as mediasoup } from 'mediasoup';
import type { ProducerId } from '../../base/index.ts';
import { StreamRewriter } from '../leg/index.ts';
import {
  writeRtpHeader,
  type RtcpPacket,
  type RtpHeader,
  type RtpPacketView,
} from '../rtp/index.ts';
import type { ProducerInfo } from '../stream-info.ts';
import type { VideoCodecName } from '../video-api.ts';
import type { PhoneVideoSession } from './phone-video.ts';
import { VIDEO_CLOCK } from './timestamp-line.ts';
import type { VideoLink } from './video-link.ts';

export interface VideoPublicationContext {
  producerAdded(info: ProducerInfo, producer: mediasoup.Producer): void;
  producerRemoved(info: ProducerInfo): void;
  producerPaused(info: ProducerInfo): void;
}

interface Published {
  readonly codec: VideoCodecName;
  readonly nack: boolean;
  readonly producer: mediasoup.Producer;
  readonly rewriter: StreamRewriter;
  readonly header: RtpHeader;
}

/** A phone's video as the room sees it: its own packets under one SSRC. Another codec is another producer. */
export class VideoPublication {
  readonly #session: PhoneVideoSession;
  readonly #context: VideoPublicationContext;
  #published: Published | undefined;

  constructor(session: PhoneVideoSession, context: VideoPublicationContext) {
    this.#session = session;
    this.#context = context;
  }

  get info(): ProducerInfo | undefined {
    return this.#published && this.#infoOf(this.#published.producer);
  }

  /** Makes it as the phone has agreed on. */
  async reconcile(link: VideoLink): Promise<void> {
    const { video } = this.#session;
    const current = this.#published;
    const nack = video?.feedback.nack === true;
    const fits = current?.codec === video?.codec && current?.nack === nack;
    const { isSeen } = this.#session;
    if (current !== undefined && (!fits || !isSeen || current.producer.closed)) this.withdraw();
    // A phone that is only shown something has nothing to publish.
    if (video === undefined || !isSeen) return;
    const paused = !this.#session.sends;
    if (this.#published === undefined) {
      // Nor has one without a camera.
      if (!paused) await this.#publish(link, video.codec, nack);
    } else if (this.#published.producer.paused !== paused) {
      const { producer } = this.#published;
      await (paused ? producer.pause() : producer.resume());
      if (!producer.closed) this.#context.producerPaused(this.#infoOf(producer));
    }
  }

  withdraw(): void {
    const published = this.#published;
    if (published === undefined) return;
    this.#published = undefined;
    this.#context.producerRemoved(this.#infoOf(published.producer));
    published.producer.close();
  }

  forward(packet: RtpPacketView, link: VideoLink, now: number): void {
    const published = this.#published;
    if (published === undefined || link.closed) return;
    const { rewriter, header } = published;
    const buffer = link.buffer();
    const { payloadOffset, payloadLength } = packet;
    if (!rewriter.rewrite(packet, now)) return;
    header.marker = packet.marker;
    header.sequenceNumber = rewriter.sequenceNumber;
    header.timestamp = rewriter.timestamp;
    const length = writeRtpHeader(buffer, header);
    if (length + payloadLength > buffer.length) return;
    buffer.set(packet.data.subarray(payloadOffset, payloadOffset + payloadLength), length);
    link.send(length + payloadLength);
  }

  /** The phone's stream is a new one. */
  restarted(): void {
    this.#published?.rewriter.restart();
  }

  /** What the SFU wants of the phone. */
  onFeedback(packet: RtcpPacket): void {
    const published = this.#published;
    if (published === undefined) return;
    const { ssrc } = published.header;
    if (packet.type === 'PLI' && packet.mediaSsrc === ssrc) this.#session.wantKeyFrame();
    if (packet.type === 'FIR' && packet.requests.some((request) => request.ssrc === ssrc)) {
      this.#session.wantKeyFrame();
    }
    if (packet.type !== 'NACK' || packet.mediaSsrc !== ssrc) return;
    const lost = packet.lost.flatMap(
      (sequence) => published.rewriter.sourceSequence(sequence) ?? [],
    );
    if (lost.length > 0) this.#session.wantPackets(lost);
  }

  async #publish(link: VideoLink, codec: VideoCodecName, nack: boolean): Promise<void> {
    const ssrc = randomInt(1, 0xffff_ffff);
    const producer = await link.produce(codec, { ssrc, nack, paused: false });
    const first = randomInt(0x7fff);
    this.#published = {
      codec,
      nack,
      producer,
      rewriter: new StreamRewriter(VIDEO_CLOCK, first, randomInt(0x7fff_ffff)),
      header: {
        marker: false,
        payloadType: link.payloadType(codec),
        sequenceNumber: 0,
        timestamp: 0,
        ssrc,
      },
    };
    this.#context.producerAdded(this.#infoOf(producer), producer);
    // What came before was nobody's; from here on it can be decoded only from a key frame.
    this.#session.wantKeyFrame();
  }

  #infoOf(producer: mediasoup.Producer): ProducerInfo {
    return {
      id: producer.id as ProducerId,
      legId: this.#session.legId,
      kind: 'video',
      source: this.#session.content === 'slides' ? 'screen' : 'camera',
      paused: producer.paused,
      codec: producer.rtpParameters.codecs[0]!.mimeType.slice('video/'.length),
    };
  }
}
