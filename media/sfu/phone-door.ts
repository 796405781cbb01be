/**
 * The way of a WebRTC peer into the mixer: its own router, in which every codec has the number of the
 * peer's description, a WebRTC transport outside and a plain one inside, towards the phone leg.
 */
import { randomInt } from 'node:crypto';
import type { types as mediasoup } from 'mediasoup';
import { AppError, TypedEmitter } from '../../base/index.ts';
import { TELEPHONE_EVENT } from '../codecs.ts';
import type { DoorCodec, PhoneDoor, PhoneDoorEvents } from '../door-api.ts';
import { keyLabelOf, withKeyLabels } from './key-codecs.ts';
import { openLoopback, type PortRange } from './loopback.ts';
import { toAppError, toRequestError } from './mediasoup-error.ts';
import { checkDtlsParameters, checkRtpParameters } from './request-limits.ts';
import { mimeType } from './router-codecs.ts';

export interface PhoneDoorContext {
  router: mediasoup.Router;
  webRtcServer: mediasoup.WebRtcServer;
  ports: PortRange;
  codecs: readonly DoorCodec[];
  /** Where the leg's socket is, and an address of this machine of the same family. */
  leg: { address: string; port: number };
  loopback: string;
}

/** One voice: Opus at its best quality, with repeats of what was lost. */
const MAX_INCOMING_BITRATE = 600_000;

/** What the router of such a door speaks. */
export function doorCodecs(codecs: readonly DoorCodec[]): mediasoup.RouterRtpCodecCapability[] {
  return codecs.flatMap(({ codec, payloadType }) => {
    const label = codec.name === TELEPHONE_EVENT ? keyLabelOf(codec.clockRate) : undefined;
    if (codec.name === TELEPHONE_EVENT) {
      return label === undefined ? [] : [{ ...label, preferredPayloadType: payloadType }];
    }
    const { clockRate, channels } = codec;

    return [
      {
        kind: 'audio' as const,
        mimeType: mimeType(codec),
        clockRate,
        channels,
        preferredPayloadType: payloadType,
      },
    ];
  });
}

export class MediasoupDoor implements PhoneDoor {
  readonly events = new TypedEmitter<PhoneDoorEvents>();
  readonly #context: PhoneDoorContext;
  readonly #outside: mediasoup.WebRtcTransport;
  readonly #inside: mediasoup.PlainTransport;
  readonly #sent: mediasoup.Consumer;
  readonly #ssrc: number;
  #received: mediasoup.Producer | undefined;
  #closed = false;

  private constructor(
    context: PhoneDoorContext,
    outside: mediasoup.WebRtcTransport,
    inside: mediasoup.PlainTransport,
    mix: { ssrc: number; consumer: mediasoup.Consumer },
  ) {
    this.#context = context;
    this.#outside = outside;
    this.#inside = inside;
    this.#ssrc = mix.ssrc;
    this.#sent = mix.consumer;
    outside.on('icestatechange', (state) => {
      if (state === 'disconnected') this.#emit('disconnected');
      else if (state === 'connected' || state === 'completed') this.#emit('connected');
    });
    outside.on('dtlsstatechange', (state) => {
      if (state === 'closed' || state === 'failed') this.#emit('disconnected');
    });
    context.router.observer.once('close', () => this.close());
  }

  static async open(context: PhoneDoorContext): Promise<MediasoupDoor> {
    const { router, webRtcServer, ports, leg, loopback } = context;
    try {
      const outside = await router.createWebRtcTransport({
        webRtcServer,
        enableUdp: true,
        enableTcp: true,
        preferUdp: true,
      });
      await outside.setMaxIncomingBitrate(MAX_INCOMING_BITRATE);
      const inside = await openLoopback(router, ports, false, loopback);
      await inside.connect({ ip: leg.address, port: leg.port });
      const ssrc = randomInt(1, 0xffff_ffff);
      const producer = await inside.produce({
        kind: 'audio',
        rtpParameters: mixParameters(context.codecs, ssrc),
      });
      const consumer = await outside.consume({
        producerId: producer.id,
        rtpCapabilities: withoutExtensions(router.rtpCapabilities),
      });

      return new MediasoupDoor(context, outside, inside, { ssrc, consumer });
    } catch (error) {
      router.close();
      throw toAppError(error, 'opening a door');
    }
  }

  get ice(): mediasoup.IceParameters {
    return this.#outside.iceParameters;
  }

  get candidates(): readonly mediasoup.IceCandidate[] {
    return this.#outside.iceCandidates;
  }

  get fingerprints(): readonly mediasoup.DtlsFingerprint[] {
    return this.#outside.dtlsParameters.fingerprints;
  }

  get sent(): mediasoup.RtpParameters {
    return this.#sent.rtpParameters;
  }

  get inside(): PhoneDoor['inside'] {
    const { localAddress, localPort } = this.#inside.tuple;

    return {
      remoteAddress: localAddress,
      remoteRtpPort: localPort,
      remoteRtcpPort: localPort,
      rtcpMux: true,
      sendSsrc: this.#ssrc,
    };
  }

  async connect(dtlsParameters: mediasoup.DtlsParameters): Promise<void> {
    checkDtlsParameters(dtlsParameters);
    try {
      await this.#outside.connect({ dtlsParameters });
    } catch (error) {
      throw toRequestError(error, 'connecting a door');
    }
  }

  async restartIce(): Promise<void> {
    try {
      await this.#outside.restartIce();
    } catch (error) {
      throw toAppError(error, 'restarting ICE');
    }
  }

  async receive(parameters: mediasoup.RtpParameters | undefined): Promise<void> {
    this.#received?.close();
    this.#received = undefined;
    if (parameters === undefined) return;
    checkRtpParameters('audio', parameters);
    try {
      const producer = await this.#outside.produce({
        kind: 'audio',
        rtpParameters: withKeyLabels(parameters),
      });
      this.#received = producer;
      await this.#inside.consume({
        producerId: producer.id,
        rtpCapabilities: withoutExtensions(this.#context.router.rtpCapabilities),
      });
    } catch (error) {
      throw toRequestError(error, 'receiving through a door');
    }
    if (this.#closed) throw new AppError('INVALID_STATE', 'closed meanwhile');
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // All that is in it closes with it.
    this.#context.router.close();
    this.events.emit('closed');
  }

  #emit(event: 'connected' | 'disconnected'): void {
    if (!this.#closed) this.events.emit(event);
  }
}

/** The mixer may send any of them, and changes as the descriptions do. */
function mixParameters(codecs: readonly DoorCodec[], ssrc: number): mediasoup.RtpParameters {
  return {
    codecs: doorCodecs(codecs).flatMap(
      ({ mimeType: name, clockRate, channels, preferredPayloadType: payloadType }) =>
        payloadType === undefined
          ? []
          : [{ mimeType: name, payloadType, clockRate, ...(channels && { channels }) }],
    ),
    encodings: [{ ssrc }],
  };
}

/** The mixer reads none, and an id of ours may mean something else to the peer. */
function withoutExtensions({ codecs = [] }: mediasoup.RtpCapabilities): mediasoup.RtpCapabilities {
  return {
    codecs: codecs.map((codec) => ({ ...codec, rtcpFeedback: [] })),
    headerExtensions: [],
  };
}
