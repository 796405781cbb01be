/** Size: all that a page asks of mediasoup-client is in one place; what it sends twice is in a file of its own. */
import { Device, type types } from 'mediasoup-client';
import { AlternativeStreams } from './alternative-streams.ts';
import type {
  ConsumeAnswer,
  JoinAnswer,
  MediaSource,
  RequestAnswers,
  RequestName,
  RequestPayload,
  TransportAnswer,
} from '../signaling/websocket/protocol.ts';
import { Retries } from './retries.ts';
import { RequestError } from './session.ts';

export interface SfuClientOptions {
  request: <N extends RequestName>(
    name: N,
    payload: RequestPayload<N>,
  ) => Promise<RequestAnswers[N]>;
  /** The track of a stream that was wanted is here, or gone. */
  onTrack: (producerId: string, track: MediaStreamTrack | undefined) => void;
  onError: (what: string, error: unknown) => void;
  /** What the browser can; tests have another. */
  createDevice?: () => Promise<Device>;
  /** Before what failed is tried again; tests have no time. */
  pauses?: readonly number[];
}

interface Received {
  consumer: types.Consumer;
  kind: 'audio' | 'video';
  /** What the server was last asked for; undefined: nobody knows whether it came through. */
  paused: boolean | undefined;
  layer: number | undefined;
}

/** How a stream should arrive: not at all for now, or with so many lines. */
export interface Wish {
  visible: boolean;
  spatialLayer: number;
}

/** A 720p camera in three sizes; the server picks one for each viewer. */
const CAMERA_LAYERS: types.RtpEncodingParameters[] = [
  { scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode: 'L1T2' },
  { scaleResolutionDownBy: 2, maxBitrate: 500_000, scalabilityMode: 'L1T2' },
  { scaleResolutionDownBy: 1, maxBitrate: 1_500_000, scalabilityMode: 'L1T2' },
];

/** An outage shorter than this mends itself. */
const ICE_PATIENCE = 3000;

/** The page's media: one peer connection for what it sends and one for what it receives. */
export class SfuClient {
  readonly #options: SfuClientOptions;
  readonly #producers = new Map<MediaSource, types.Producer>();
  readonly #received = new Map<string, Received>();
  readonly #wanted = new Set<string>();
  readonly #transports: types.Transport[] = [];
  readonly #alternatives: AlternativeStreams;
  readonly #retries: Retries;
  #device: Device | undefined;
  #send: Promise<types.Transport> | undefined;
  #receive: Promise<types.Transport> | undefined;
  #closed = false;

  constructor(options: SfuClientOptions) {
    this.#options = options;
    this.#retries = new Retries({
      onError: options.onError,
      onGivenUp: (key) => {
        if (!this.#received.has(key)) this.#wanted.delete(key);
      },
      pauses: options.pauses,
    });
    this.#alternatives = new AlternativeStreams({
      originals: this.#producers,
      codec: (name) => this.#codec(name),
      produce: (source, track, codec) => this.#produceAlternative(source, track, codec),
      close: (producerId) => this.#options.request('close-producer', { producerId }),
      onError: options.onError,
    });
  }

  /** Until it has resolved nothing can be wanted: who calls it asks afterwards for all that there is. */
  async load(routerRtpCapabilities: JoinAnswer['routerRtpCapabilities']): Promise<void> {
    const device = await (this.#options.createDevice?.() ?? Device.factory());
    await device.load({
      routerRtpCapabilities: routerRtpCapabilities as types.RtpCapabilities,
    });
    this.#device = device;
  }

  isSending(source: MediaSource): boolean {
    return this.#producers.has(source);
  }

  /** `next`: what follows at once. */
  async publish(source: MediaSource, track: MediaStreamTrack, next?: MediaSource): Promise<void> {
    const transport = await this.#sending();
    const producer = await transport.produce({
      track,
      // Tracks belong to the devices, which go on being used in the next call.
      stopTracks: false,
      appData: { source, next },
      ...(source === 'camera' && { encodings: CAMERA_LAYERS, ...this.#preferVp8() }),
      ...(source === 'microphone' && { codecOptions: { opusFec: true, opusDtx: false } }),
    });
    if (this.#closed) producer.close();
    this.#producers.set(source, producer);
    if (producer.kind === 'video') void this.#alternatives.settle();
  }

  /** Sends each picture in this codec as well; undefined: in the usual one alone. */
  alsoSend(codec: string | undefined): Promise<void> {
    return this.#alternatives.want(codec);
  }

  /** Another device under the same stream. */
  async replaceTrack(source: MediaSource, track: MediaStreamTrack): Promise<void> {
    await this.#producers.get(source)?.replaceTrack({ track });
    await this.#alternatives.renew(source);
  }

  async setPaused(source: MediaSource, paused: boolean): Promise<void> {
    const producer = this.#producers.get(source);
    if (producer === undefined) return;
    if (paused) producer.pause();
    else producer.resume();
    await this.#options.request(paused ? 'pause-producer' : 'resume-producer', {
      producerId: producer.id,
    });
  }

  /** The server does not pass it on any more: then it need not be sent. */
  silence(source: MediaSource): void {
    this.#producers.get(source)?.pause();
  }

  async unpublish(source: MediaSource): Promise<void> {
    const producer = this.#producers.get(source);
    if (producer === undefined) return;
    this.#producers.delete(source);
    producer.close();
    await this.#options.request('close-producer', { producerId: producer.id });
    await this.#alternatives.settle();
  }

  /** Has a stream of somebody else sent to us; a picture as it is wished for when it is there, which takes a while. */
  async want(producerId: string, kind: 'audio' | 'video', wishOf: () => Wish): Promise<void> {
    if (this.#wanted.has(producerId) || this.#device === undefined) return;
    this.#wanted.add(producerId);
    await this.#retries.run(producerId, `receiving ${kind}`, async () => {
      const received =
        this.#received.get(producerId) ?? (await this.#consume(this.#device!, producerId, kind));
      if (received === undefined) return;
      await this.#apply(received, kind === 'audio' ? { visible: true, spatialLayer: 0 } : wishOf());
    });
  }

  /** It is not sent any more. */
  drop(producerId: string): void {
    this.#wanted.delete(producerId);
    this.#retries.cancel(producerId);
    const received = this.#received.get(producerId);
    if (received === undefined) return;
    this.#received.delete(producerId);
    received.consumer.close();
    this.#options.onTrack(producerId, undefined);
  }

  dropConsumer(consumerId: string): void {
    for (const [producerId, { consumer }] of this.#received) {
      if (consumer.id === consumerId) this.drop(producerId);
    }
  }

  get wanted(): readonly string[] {
    return [...this.#wanted];
  }

  /** Says of each picture how it should come. */
  async setWishes(wishOf: (producerId: string) => Wish): Promise<void> {
    const videos = [...this.#received].filter(([, { kind }]) => kind === 'video');
    await Promise.all(
      videos.map(([producerId, received]) =>
        this.#retries.run(producerId, 'adapting video', () =>
          this.#apply(received, wishOf(producerId)),
        ),
      ),
    );
  }

  /** Every report of every peer connection. */
  async stats(): Promise<Record<string, unknown>[]> {
    const reports = await Promise.all(this.#transports.map((transport) => transport.getStats()));

    return reports.flatMap((report) => [...report.values()] as Record<string, unknown>[]);
  }

  /** Connections that broke while nobody could be asked for a restart. */
  revive(): void {
    for (const transport of this.#transports) {
      if (transport.connectionState === 'failed') void this.#restartIce(transport);
    }
  }

  close(): void {
    this.#closed = true;
    this.#retries.close();
    for (const transport of this.#transports.splice(0)) transport.close();
    this.#producers.clear();
    this.#alternatives.close();
    this.#received.clear();
    this.#wanted.clear();
  }

  /** Undefined: it is not wanted any more. */
  async #consume(
    device: Device,
    producerId: string,
    kind: 'audio' | 'video',
  ): Promise<Received | undefined> {
    if (!this.#wanted.has(producerId)) return undefined;
    const transport = await this.#receiving();
    const answer = await this.#options.request('consume', {
      producerId,
      rtpCapabilities: device.recvRtpCapabilities,
    });
    const consumer = await transport.consume(asConsumerOptions(answer));
    if (!this.#wanted.has(producerId)) {
      consumer.close();

      return undefined;
    }
    const received = { consumer, kind, paused: true, layer: undefined };
    this.#received.set(producerId, received);
    this.#options.onTrack(producerId, consumer.track);

    return received;
  }

  async #apply(received: Received, wish: Wish): Promise<void> {
    const consumerId = received.consumer.id;
    try {
      if (received.kind === 'video' && wish.visible && received.layer !== wish.spatialLayer) {
        received.layer = wish.spatialLayer;
        await this.#options.request('set-preferred-layers', {
          consumerId,
          spatial: wish.spatialLayer,
        });
      }
      if (received.paused === !wish.visible) return;
      received.paused = !wish.visible;
      await this.#options.request(received.paused ? 'pause-consumer' : 'resume-consumer', {
        consumerId,
      });
    } catch (error) {
      received.layer = undefined;
      received.paused = undefined;
      throw error;
    }
  }

  async #produceAlternative(
    source: MediaSource,
    track: MediaStreamTrack,
    codec: types.RtpCodecCapability,
  ): Promise<types.Producer> {
    const transport = await this.#sending();

    return transport.produce({
      track,
      appData: { source, alternative: true },
      codec,
      ...(source === 'camera' && { encodings: CAMERA_LAYERS }),
    });
  }

  #preferVp8(): { codec?: types.RtpCodecCapability } {
    const codec = this.#codec('VP8');

    return codec === undefined ? {} : { codec };
  }

  #codec(name: string): types.RtpCodecCapability | undefined {
    return this.#device?.sendRtpCapabilities.codecs?.find(
      ({ mimeType }) => mimeType.toLowerCase() === `video/${name}`.toLowerCase(),
    );
  }

  // What could not be made is made anew for the next who asks.
  #sending(): Promise<types.Transport> {
    this.#send ??= this.#createTransport('send').catch((error: unknown) => {
      this.#send = undefined;
      throw error;
    });

    return this.#send;
  }

  #receiving(): Promise<types.Transport> {
    this.#receive ??= this.#createTransport('recv').catch((error: unknown) => {
      this.#receive = undefined;
      throw error;
    });

    return this.#receive;
  }

  async #createTransport(direction: 'send' | 'recv'): Promise<types.Transport> {
    if (this.#device === undefined) throw new TypeError('not loaded');
    const answer = await this.#options.request('create-transport', { direction });
    // Left meanwhile: nobody would close it.
    if (this.#closed) throw new RequestError('CLOSED', 'the meeting was left');
    const options = asTransportOptions(answer);
    const transport =
      direction === 'send'
        ? this.#device.createSendTransport(options)
        : this.#device.createRecvTransport(options);
    this.#transports.push(transport);
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      this.#options
        .request('connect-transport', { transportId: transport.id, dtlsParameters })
        .then(done, (error: Error) => {
          failed(error);
          this.#discard(transport);
        });
    });
    transport.on('produce', ({ kind, rtpParameters, appData }, done, failed) => {
      this.#options
        .request('produce', {
          transportId: transport.id,
          kind,
          source: appData['source'] as MediaSource,
          rtpParameters: rtpParameters,
          paused: false,
          ...(appData['next'] !== undefined && { next: appData['next'] as MediaSource }),
          ...(appData['alternative'] === true && { alternative: true }),
        })
        .then(({ producerId }) => done({ id: producerId }), failed);
    });
    transport.on('connectionstatechange', (state) => {
      if (state === 'failed') void this.#restartIce(transport);
      if (state !== 'disconnected') return;
      setTimeout(() => {
        if (transport.connectionState === 'disconnected') void this.#restartIce(transport);
      }, ICE_PATIENCE);
    });

    return transport;
  }

  /** Nobody knows whether the server has heard of it, and it takes no second connect: the next who asks gets another. */
  #discard(transport: types.Transport): void {
    if (this.#closed) return;
    if (transport.direction === 'send') this.#send = undefined;
    else this.#receive = undefined;
    this.#transports.splice(this.#transports.indexOf(transport), 1);
    transport.close();
  }

  async #restartIce(transport: types.Transport): Promise<void> {
    await this.#retries.run(`ICE of ${transport.id}`, 'restarting ICE', async () => {
      if (transport.closed || transport.connectionState === 'connected') return;
      const { iceParameters } = await this.#options.request('restart-ice', {
        transportId: transport.id,
      });
      await transport.restartIce({ iceParameters });
    });
  }
}

// The server's and the browser's library declare the same structures, each in types of its own.
function asTransportOptions(answer: TransportAnswer): types.TransportOptions {
  return answer;
}

function asConsumerOptions(answer: ConsumeAnswer): types.ConsumerOptions {
  const { id, producerId, kind, rtpParameters } = answer;

  return { id, producerId, kind, rtpParameters: rtpParameters as types.RtpParameters };
}
