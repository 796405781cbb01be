import type { types as mediasoup } from 'mediasoup';
import { AppError, type Logger } from '../../base/index.ts';
import type { WebRtcTransportParameters } from '../media-api.ts';
import { toAppError, toRequestError } from './mediasoup-error.ts';
import { checkDtlsParameters, MAX_TRANSPORTS_PER_DIRECTION } from './request-limits.ts';

export type TransportDirection = 'send' | 'recv' | 'both';

/** What becomes of the way to the peer. */
export interface TransportWatch {
  connected(): void;
  /** Nothing comes any more: "consent … expired" (RFC 7675 5.1); ICE may find another way. */
  interrupted(): void;
  /** The peer ended it. */
  disconnected(): void;
}

interface LegTransport {
  direction: TransportDirection;
  transport: mediasoup.WebRtcTransport;
  connecting: boolean;
}

/** What a browser's sender may use: three camera layers, a screen and the microphone. */
const MAX_INCOMING_BITRATE = 6_000_000;

/** The connections of one browser, on its worker's WebRTC port; directions as the browser names them. */
export class LegTransports {
  readonly #open: (direction: TransportDirection) => Promise<mediasoup.WebRtcTransport>;
  readonly #logger: Logger;
  readonly #watch: TransportWatch;
  readonly #transports = new Map<string, LegTransport>();
  readonly #opening: Record<TransportDirection, number> = { send: 0, recv: 0, both: 0 };
  #closed = false;

  constructor(
    open: (direction: TransportDirection) => Promise<mediasoup.WebRtcTransport>,
    watch: TransportWatch,
    logger: Logger,
  ) {
    this.#open = open;
    this.#watch = watch;
    this.#logger = logger;
  }

  async create(direction: TransportDirection): Promise<WebRtcTransportParameters> {
    if (this.#count(direction) + this.#opening[direction] >= MAX_TRANSPORTS_PER_DIRECTION) {
      throw new AppError(
        'INVALID_STATE',
        `at most ${MAX_TRANSPORTS_PER_DIRECTION} transports in a direction`,
      );
    }
    this.#opening[direction]++;
    try {
      const transport = await this.#openLimited(direction);
      this.#add(direction, transport);

      return {
        id: transport.id,
        iceParameters: transport.iceParameters,
        iceCandidates: transport.iceCandidates,
        dtlsParameters: transport.dtlsParameters,
      };
    } catch (error) {
      throw toAppError(error, 'opening a transport');
    } finally {
      this.#opening[direction]--;
    }
  }

  async connect(id: string, dtlsParameters: mediasoup.DtlsParameters): Promise<void> {
    const entry = this.#get(id);
    checkDtlsParameters(dtlsParameters);
    if (entry.connecting) throw new AppError('INVALID_STATE', 'the transport is connected already');
    entry.connecting = true;
    try {
      await entry.transport.connect({ dtlsParameters });
    } catch (error) {
      entry.connecting = false;
      throw toRequestError(error, 'connecting a transport');
    }
  }

  async restartIce(id: string): Promise<mediasoup.IceParameters> {
    const { transport } = this.#get(id);
    try {
      return await transport.restartIce();
    } catch (error) {
      throw toAppError(error, 'restarting ICE');
    }
  }

  sending(id: string): mediasoup.WebRtcTransport {
    const { transport, direction } = this.#get(id);
    if (direction === 'recv') throw new AppError('INVALID_STATE', 'not a transport for sending');

    return transport;
  }

  /** The newest: an older one beside it is about to be left. */
  receiving(): mediasoup.WebRtcTransport {
    const entry = [...this.#transports.values()].findLast(({ direction }) => direction !== 'send');
    if (entry === undefined) throw new AppError('INVALID_STATE', 'no transport for receiving');

    return entry.transport;
  }

  close(): void {
    this.#closed = true;
    for (const { transport } of [...this.#transports.values()]) transport.close();
  }

  async #openLimited(direction: TransportDirection): Promise<mediasoup.WebRtcTransport> {
    const transport = await this.#open(direction);
    try {
      if (direction !== 'recv') await transport.setMaxIncomingBitrate(MAX_INCOMING_BITRATE);
      if (this.#closed || transport.closed) throw new AppError('INVALID_STATE', 'closed meanwhile');

      return transport;
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  #add(direction: TransportDirection, transport: mediasoup.WebRtcTransport): void {
    this.#transports.set(transport.id, { direction, transport, connecting: false });
    transport.observer.once('close', () => this.#transports.delete(transport.id));
    transport.on('dtlsstatechange', (state) => {
      if (state !== 'closed' && state !== 'failed') return;
      // The browser ended its peer connection: nothing can flow again, so its place is freed.
      this.#logger.debug({ transport: transport.id, state }, 'transport ended by the browser');
      transport.close();
      if (direction === 'both') this.#watch.disconnected();
    });
    if (direction !== 'both') return;
    transport.on('icestatechange', (state) => {
      if (state === 'disconnected') this.#watch.interrupted();
      else if (state === 'connected' || state === 'completed') this.#watch.connected();
    });
  }

  #count(wanted: TransportDirection): number {
    return [...this.#transports.values()].filter(({ direction }) => direction === wanted).length;
  }

  #get(id: string): LegTransport {
    const entry = this.#transports.get(id);
    if (entry === undefined) throw new AppError('NOT_FOUND', 'no such transport');

    return entry;
  }
}
