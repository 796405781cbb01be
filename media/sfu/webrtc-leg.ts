/** Size: one short method for each request of a browser. */
import type { types as mediasoup } from 'mediasoup';
import {
  AppError,
  newLegId,
  TypedEmitter,
  type ConsumerId,
  type LegId,
  type Logger,
  type ProducerId,
} from '../../base/index.ts';
import type {
  ConsumerParameters,
  ProducerInfo,
  WebRtcLeg,
  WebRtcLegEvents,
  WebRtcTransportParameters,
} from '../media-api.ts';
import { BrowserProducer } from './browser-producer.ts';
import {
  initialSpatialLayer,
  isPhoneMedia,
  refuseConsume,
  refuseProduce,
  type Publication,
} from './forwarding-policy.ts';
import { hasKeys, withKeyLabels } from './key-codecs.ts';
import { LegTransports, type TransportDirection } from './leg-transports.ts';
import { toAppError, toRequestError } from './mediasoup-error.ts';
import { checkRtpCapabilities, checkRtpParameters, MAX_CONSUMERS } from './request-limits.ts';

/** What the room gives to a leg, and what the leg tells the room. */
export interface WebRtcLegHost {
  openTransport(direction: TransportDirection): Promise<mediasoup.WebRtcTransport>;
  /** The voice of a microphone that also sends keys. */
  splitKeys(
    producer: mediasoup.Producer,
    paused: boolean,
    onDigit: (digit: string, durationMs: number) => void,
  ): Promise<mediasoup.Producer>;
  findProducer(id: ProducerId): ProducerInfo | undefined;
  canConsume(id: ProducerId, capabilities: mediasoup.RtpCapabilities): boolean;
  producerAdded(stream: BrowserProducer): void;
  /** Also for one that closed before it was added. */
  producerRemoved(stream: BrowserProducer): void;
  closed(leg: SfuWebRtcLeg): void;
}

/**
 * One browser's media: its transports on the worker's WebRTC port, what it publishes and what it
 * receives. Every request may meet the leg, its transport or the sender closing meanwhile: whatever
 * was made for nothing is closed at once.
 */
export class SfuWebRtcLeg implements WebRtcLeg {
  readonly id: LegId = newLegId();
  readonly events = new TypedEmitter<WebRtcLegEvents>();
  readonly #host: WebRtcLegHost;
  readonly #transports: LegTransports;
  readonly #producers = new Map<ProducerId, BrowserProducer>();
  readonly #producing = new Set<Publication>();
  readonly #consumers = new Map<ConsumerId, mediasoup.Consumer>();
  /** Streams received or about to be. */
  readonly #consumed = new Set<ProducerId>();
  #muted = false;
  #closed = false;

  constructor(host: WebRtcLegHost, logger: Logger) {
    this.#host = host;
    this.#transports = new LegTransports(
      (direction) => host.openTransport(direction),
      {
        connected: () => {
          this.events.emit('connected');
        },
        interrupted: () => {
          if (!this.#closed) this.events.emit('interrupted');
        },
        disconnected: () => {
          if (!this.#closed) this.events.emit('disconnected');
        },
      },
      logger.child({ leg: this.id }),
    );
  }

  async createTransport(direction: TransportDirection): Promise<WebRtcTransportParameters> {
    this.#assertOpen();

    return this.#transports.create(direction);
  }

  async connectTransport(
    transportId: string,
    dtlsParameters: mediasoup.DtlsParameters,
  ): Promise<void> {
    this.#assertOpen();
    await this.#transports.connect(transportId, dtlsParameters);
  }

  async restartIce(transportId: string): Promise<mediasoup.IceParameters> {
    this.#assertOpen();

    return this.#transports.restartIce(transportId);
  }

  async produce(options: Parameters<WebRtcLeg['produce']>[0]): Promise<ProducerInfo> {
    this.#assertOpen();
    const transport = this.#transports.sending(options.transportId);
    const { kind, source, paused, alternative = false } = options;
    const published = [...this.#producers.values()].map((each) => each.info);
    const refusal = refuseProduce(options, [...published, ...this.#producing]);
    if (refusal !== undefined) throw new AppError(refusal.code, refusal.message);
    checkRtpParameters(kind, options.rtpParameters);
    const rtpParameters = withKeyLabels(options.rtpParameters);

    const slot = { kind, source, alternative };
    this.#producing.add(slot);
    try {
      const muted = this.#muted && isPhoneMedia(slot);
      const producer = await this.#produce(transport, {
        ...{ kind, rtpParameters, paused: paused || muted },
        keys: hasKeys(options.rtpParameters),
      });
      this.#assertStillOpen(producer, transport);

      return await this.#addProducer(
        new BrowserProducer(producer, { legId: this.id, source, paused, muted, alternative }),
      );
    } catch (error) {
      throw toRequestError(error, 'publishing a stream');
    } finally {
      this.#producing.delete(slot);
    }
  }

  async setProducerPaused(producerId: ProducerId, paused: boolean): Promise<void> {
    await this.#producer(producerId).setPaused(paused);
  }

  async closeProducer(producerId: ProducerId): Promise<void> {
    this.#producer(producerId).producer.close();
  }

  async consume(
    producerId: ProducerId,
    rtpCapabilities: mediasoup.RtpCapabilities,
  ): Promise<ConsumerParameters> {
    this.#assertOpen();
    const transport = this.#transports.receiving();
    checkRtpCapabilities(rtpCapabilities);
    // Who asks again has nothing of it: the answer got lost, or the connection could not be made.
    const earlier = [...this.#consumers.values()].find((each) => each.producerId === producerId);
    earlier?.close();
    if (this.#consumed.size >= MAX_CONSUMERS) {
      throw new AppError('INVALID_STATE', `at most ${MAX_CONSUMERS} streams are received`);
    }
    const info = this.#host.findProducer(producerId);
    const refusal = refuseConsume({
      legId: this.id,
      producer: info,
      alreadyConsumed: this.#consumed.has(producerId),
      codecSupported: info !== undefined && this.#host.canConsume(producerId, rtpCapabilities),
    });
    if (refusal !== undefined) throw new AppError(refusal.code, refusal.message);

    this.#consumed.add(producerId);
    try {
      const consumer = await transport.consume({
        producerId,
        rtpCapabilities,
        paused: true,
        preferredLayers: { spatialLayer: initialSpatialLayer(this.#videosReceived()) },
      });
      this.#assertStillOpen(consumer, transport);
      this.#addConsumer(consumer);

      return {
        id: consumer.id as ConsumerId,
        producerId,
        kind: consumer.kind,
        rtpParameters: consumer.rtpParameters,
        producerPaused: consumer.producerPaused,
      };
    } catch (error) {
      this.#consumed.delete(producerId);
      throw toRequestError(error, 'receiving a stream');
    }
  }

  async setConsumerPaused(consumerId: ConsumerId, paused: boolean): Promise<void> {
    const consumer = this.#fedConsumer(consumerId);
    try {
      await (paused ? consumer.pause() : consumer.resume());
    } catch (error) {
      throw toAppError(error, 'pausing a received stream');
    }
  }

  async setPreferredLayers(
    consumerId: ConsumerId,
    layers: { spatial: number; temporal?: number },
  ): Promise<void> {
    const consumer = this.#fedConsumer(consumerId);
    if (consumer.kind !== 'video') throw new AppError('BAD_REQUEST', 'only video has layers');
    for (const layer of [layers.spatial, layers.temporal ?? 0]) {
      if (!Number.isInteger(layer) || layer < 0 || layer > 255) {
        throw new AppError('BAD_REQUEST', 'a layer is an integer from 0');
      }
    }
    try {
      await consumer.setPreferredLayers({
        spatialLayer: layers.spatial,
        ...(layers.temporal !== undefined && { temporalLayer: layers.temporal }),
      });
    } catch (error) {
      throw toAppError(error, 'choosing layers');
    }
  }

  async closeConsumer(consumerId: ConsumerId): Promise<void> {
    const consumer = this.#consumer(consumerId);
    if (this.#isFed(consumer)) consumer.close();
  }

  async setMuted(muted: boolean): Promise<void> {
    this.#muted = muted;
    const microphones = [...this.#producers.values()].filter((each) => isPhoneMedia(each.info));
    await Promise.all(microphones.map((each) => each.setMuted(muted)));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // What it receives closes with its transport, as whoever sends it may have closed in the same moment.
    for (const { producer } of [...this.#producers.values()]) producer.close();
    this.#transports.close();
    this.#host.closed(this);
    this.events.emit('closed');
  }

  async #produce(
    transport: mediasoup.WebRtcTransport,
    { keys, ...options }: mediasoup.ProducerOptions & { paused: boolean; keys: boolean },
  ): Promise<mediasoup.Producer> {
    if (!keys) return transport.produce(options);
    const producer = await transport.produce({ ...options, paused: false });

    return this.#host.splitKeys(producer, options.paused, (digit, durationMs) => {
      if (!this.#closed) this.events.emit('dtmf', digit, durationMs);
    });
  }

  async #addProducer(entry: BrowserProducer): Promise<ProducerInfo> {
    this.#producers.set(entry.id, entry);
    entry.producer.observer.once('close', () => {
      this.#producers.delete(entry.id);
      this.#host.producerRemoved(entry);
    });
    if (isPhoneMedia(entry.info)) await entry.setMuted(this.#muted);
    this.#assertStillOpen(entry.producer);
    this.#host.producerAdded(entry);

    return entry.info;
  }

  #addConsumer(consumer: mediasoup.Consumer): void {
    const id = consumer.id as ConsumerId;
    this.#consumers.set(id, consumer);
    consumer.observer.once('close', () => {
      this.#consumers.delete(id);
      this.#consumed.delete(consumer.producerId as ProducerId);
    });
    consumer.on('producerclose', () => {
      this.events.emit('consumerClosed', id);
    });
    consumer.on('producerpause', () => {
      this.events.emit('consumerPaused', id, true);
    });
    consumer.on('producerresume', () => {
      this.events.emit('consumerPaused', id, false);
    });
    consumer.on('layerschange', (layers) => {
      const now = layers && { spatial: layers.spatialLayer, temporal: layers.temporalLayer ?? 0 };
      this.events.emit('consumerLayers', id, now);
    });
  }

  #videosReceived(): number {
    return [...this.#consumers.values()].filter(({ kind }) => kind === 'video').length;
  }

  #producer(id: ProducerId): BrowserProducer {
    this.#assertOpen();
    const entry = this.#producers.get(id);
    if (entry === undefined) throw new AppError('NOT_FOUND', 'no such stream of yours');

    return entry;
  }

  #consumer(id: ConsumerId): mediasoup.Consumer {
    this.#assertOpen();
    const consumer = this.#consumers.get(id);
    if (consumer === undefined) throw new AppError('NOT_FOUND', 'no such received stream');

    return consumer;
  }

  #fedConsumer(id: ConsumerId): mediasoup.Consumer {
    const consumer = this.#consumer(id);
    if (!this.#isFed(consumer)) throw new AppError('INVALID_STATE', 'its sender is gone');

    return consumer;
  }

  /**
   * The worker closes a Consumer together with its Producer, and we are told a moment later: till then it is
   * left alone, as the worker would not know what is meant.
   */
  #isFed({ producerId }: mediasoup.Consumer): boolean {
    return this.#host.findProducer(producerId as ProducerId) !== undefined;
  }

  #assertOpen(): void {
    if (this.#closed) throw new AppError('INVALID_STATE', 'the leg is closed');
  }

  /** After waiting for the worker: what it made for a leg or a transport gone by now is closed. */
  #assertStillOpen(made: { closed: boolean; close(): void }, parent?: { closed: boolean }): void {
    if (!this.#closed && !made.closed && parent?.closed !== true) return;
    made.close();
    throw new AppError('INVALID_STATE', 'closed meanwhile');
  }
}
