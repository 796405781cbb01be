import type { types as mediasoup } from 'mediasoup';
import { LOOPBACK_ADDRESS, LoopbackSocket } from '../leg/index.ts';
import { isRtcp, parseRtcp, RtpPacketView, type RtcpPacket } from '../rtp/index.ts';
import { openLoopback, type PortRange } from '../sfu/index.ts';
import type { ProducerId } from '../../base/index.ts';
import type { VideoCodecName } from '../video-api.ts';
import type { VideoPacket } from './reorder-buffer.ts';

export interface VideoLinkHandlers {
  /** Of the consumer of this SSRC; the octets are its own. */
  onPacket(ssrc: number, packet: VideoPacket): void;
  /** What the SFU says about what is produced here. */
  onFeedback(packet: RtcpPacket): void;
}

/** A phone's way into the SFU and back: one transport over the loopback. */
export class VideoLink {
  readonly #router: mediasoup.Router;
  readonly #transport: mediasoup.PlainTransport;
  readonly #socket: LoopbackSocket;
  readonly #handlers: VideoLinkHandlers;
  readonly #view = new RtpPacketView();

  private constructor(
    router: mediasoup.Router,
    transport: mediasoup.PlainTransport,
    socket: LoopbackSocket,
    handlers: VideoLinkHandlers,
  ) {
    this.#router = router;
    this.#transport = transport;
    this.#socket = socket;
    this.#handlers = handlers;
  }

  static async open(
    router: mediasoup.Router,
    ports: PortRange,
    handlers: VideoLinkHandlers,
  ): Promise<VideoLink> {
    const opened: { link?: VideoLink } = {};
    const socket = await LoopbackSocket.bind((data) => opened.link?.receive(data));
    try {
      const transport = await openLoopback(router, ports, false);
      opened.link = new VideoLink(router, transport, socket, handlers);
      await transport.connect({ ip: LOOPBACK_ADDRESS, port: socket.port });

      return opened.link;
    } catch (error) {
      await socket.close();
      throw error;
    }
  }

  get closed(): boolean {
    return this.#transport.closed;
  }

  /** The codec as the router numbers it. */
  payloadType(codec: VideoCodecName): number {
    return this.#codec(codec).preferredPayloadType ?? 0;
  }

  produce(
    codec: VideoCodecName,
    options: { ssrc: number; nack: boolean; paused: boolean },
  ): Promise<mediasoup.Producer> {
    const { mimeType, clockRate, parameters } = this.#codec(codec);
    // The SFU asks for what is missing as far as the phone can be asked.
    const rtcpFeedback = [
      ...(options.nack ? [{ type: 'nack' }] : []),
      { type: 'nack', parameter: 'pli' },
    ];

    return this.#transport.produce({
      kind: 'video',
      rtpParameters: {
        codecs: [
          {
            mimeType,
            clockRate,
            payloadType: this.payloadType(codec),
            // A router takes a stream by its profile; browsers decode what it is.
            ...(parameters !== undefined && {
              parameters: { ...parameters },
            }),
            rtcpFeedback,
          },
        ],
        encodings: [{ ssrc: options.ssrc }],
      },
      paused: options.paused,
    });
  }

  /** Without retransmission: nothing is lost on the loopback. */
  consume(
    producerId: ProducerId,
    codec: VideoCodecName,
    spatialLayer: number,
  ): Promise<mediasoup.Consumer> {
    const feedback = [{ type: 'nack', parameter: 'pli' }];

    return this.#transport.consume({
      producerId,
      rtpCapabilities: {
        codecs: [{ ...this.#codec(codec), rtcpFeedback: feedback }],
        headerExtensions: [],
      },
      preferredLayers: { spatialLayer },
      paused: true,
    });
  }

  /** Where to write the next packet for the SFU; `send` sends it. */
  buffer(): Uint8Array {
    return this.#socket.buffer();
  }

  send(length: number): void {
    const { localAddress, localPort } = this.#transport.tuple;
    this.#socket.send(length, localPort, localAddress);
  }

  receive(data: Uint8Array): void {
    if (isRtcp(data)) {
      for (const packet of parseRtcp(data) ?? []) this.#handlers.onFeedback(packet);

      return;
    }
    const view = this.#view;
    if (!view.parse(data)) return;
    const { ssrc, sequenceNumber, timestamp, marker } = view;
    this.#handlers.onPacket(ssrc, { sequenceNumber, timestamp, marker, payload: view.payload() });
  }

  async close(): Promise<void> {
    this.#transport.close();
    await this.#socket.close();
  }

  #codec(name: VideoCodecName): mediasoup.RtpCodecCapability {
    const wanted = `video/${name}`.toLowerCase();
    const codec = this.#router.rtpCapabilities.codecs?.find(
      ({ mimeType }) => mimeType.toLowerCase() === wanted,
    );
    if (codec === undefined) throw new TypeError(`the router knows no ${name}`);

    return codec;
  }
}
