import { randomInt } from 'node:crypto';
import type { types as mediasoup } from 'mediasoup';
import type { LegId, Logger, ProducerId } from '../../base/index.ts';
import type { AudioCodec } from '../codecs.ts';
import type { PhoneAudio, ProducerInfo } from '../media-api.ts';
import type { MixerRoom } from '../mixer/index.ts';
import { openLoopback, type PortRange } from './loopback.ts';
import { Reconciler } from './reconciler.ts';
import { AUDIO_LEVEL_URI, audioLevelId, mimeType } from './router-codecs.ts';

export interface PhonePublicationContext {
  router: mediasoup.Router;
  mixer: Pick<MixerRoom, 'publishLeg' | 'unpublishLeg'>;
  ports: PortRange;
  logger: Logger;
  producerAdded(info: ProducerInfo): void;
  producerRemoved(info: ProducerInfo): void;
}

interface Published {
  codec: AudioCodec;
  transport: mediasoup.PlainTransport;
  producer: mediasoup.Producer;
}

/**
 * A phone as browsers receive it: its own packets, not transcoded, on a producer of the codec that
 * it sends. Published only while somebody can hear it; another codec is another producer, as a
 * consumer's payload type cannot change.
 */
export class PhonePublication {
  readonly #legId: LegId;
  readonly #context: PhonePublicationContext;
  readonly #reconciler = new Reconciler(() => this.#step());
  #audio: PhoneAudio | undefined;
  #muted = false;
  #audience: boolean;
  #closed = false;
  #published: Published | undefined;

  constructor(legId: LegId, audience: boolean, context: PhonePublicationContext) {
    this.#legId = legId;
    this.#audience = audience;
    this.#context = context;
  }

  setAudio(audio: PhoneAudio): Promise<void> {
    this.#audio = audio;

    return this.#run();
  }

  setMuted(muted: boolean): Promise<void> {
    this.#muted = muted;

    return this.#run();
  }

  /** Whether any browser is there to hear it. */
  setAudience(audience: boolean): Promise<void> {
    this.#audience = audience;

    return this.#run();
  }

  close(): Promise<void> {
    this.#closed = true;

    return this.#run();
  }

  get info(): ProducerInfo | undefined {
    return this.#published && this.#infoOf(this.#published.producer);
  }

  /** A phone that browsers cannot hear is still in the mix: a failure is logged, not thrown. */
  async #run(): Promise<void> {
    try {
      await this.#reconciler.run();
    } catch (error) {
      if (this.#context.router.closed) return;
      this.#context.logger.warn(
        { leg: this.#legId, err: error },
        'phone not published to browsers',
      );
    }
  }

  get #wantedCodec(): AudioCodec | undefined {
    return this.#closed || !this.#audience ? undefined : this.#audio?.codec;
  }

  /** On hold the phone sends nothing that anyone should hear. */
  get #wantedPaused(): boolean {
    const direction = this.#audio?.direction;

    return this.#muted || (direction !== 'sendrecv' && direction !== 'recvonly');
  }

  async #step(): Promise<void> {
    const codec = this.#wantedCodec;
    const current = this.#published;
    if (current !== undefined && (current.codec.name !== codec?.name || current.producer.closed)) {
      await this.#withdraw(current);
    }
    if (codec === undefined) return;
    if (this.#published === undefined) {
      await this.#publish(codec);
    } else if (this.#published.producer.paused !== this.#wantedPaused) {
      const { producer } = this.#published;
      await (this.#wantedPaused ? producer.pause() : producer.resume());
    }
  }

  async #publish(codec: AudioCodec): Promise<void> {
    const { router, mixer, ports } = this.#context;
    const transport = await openLoopback(router, ports, true);
    try {
      const ssrc = randomInt(1, 0xffff_ffff);
      const levelId = audioLevelId(router.rtpCapabilities);
      const producer = await transport.produce({
        kind: 'audio',
        rtpParameters: phoneRtpParameters(codec, ssrc, levelId),
        paused: this.#wantedPaused,
      });
      await mixer.publishLeg(this.#legId, {
        address: transport.tuple.localAddress,
        port: transport.tuple.localPort,
        ssrc,
        payloadType: codec.payloadType,
        codec,
        audioLevelExtensionId: levelId,
      });
      if (transport.closed) return;
      this.#published = { codec, transport, producer };
      this.#context.producerAdded(this.#infoOf(producer));
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  async #withdraw(published: Published): Promise<void> {
    this.#published = undefined;
    this.#context.producerRemoved(this.#infoOf(published.producer));
    try {
      await this.#context.mixer.unpublishLeg(this.#legId);
    } finally {
      published.transport.close();
    }
  }

  #infoOf(producer: mediasoup.Producer): ProducerInfo {
    return {
      id: producer.id as ProducerId,
      legId: this.#legId,
      kind: 'audio',
      source: 'microphone',
      paused: this.#wantedPaused,
    };
  }
}

/** Without feedback: the mixer repairs nothing, the browsers' own consumers do. */
function phoneRtpParameters(
  codec: AudioCodec,
  ssrc: number,
  levelId: number,
): mediasoup.RtpParameters {
  return {
    codecs: [
      {
        mimeType: mimeType(codec),
        payloadType: codec.payloadType,
        clockRate: codec.clockRate,
        channels: codec.channels,
      },
    ],
    headerExtensions: [{ uri: AUDIO_LEVEL_URI, id: levelId }],
    encodings: [{ ssrc }],
  };
}
