/** A room's media that behaves as the real one towards signalling: numbers, and streams that end. */
import type { types as mediasoup } from 'mediasoup';
import type { Clock, ConsumerId, ProducerId } from '../../../../base/index.ts';
import type { ConsumerParameters, WebRtcTransportParameters } from '../../../../media/index.ts';
import {
  FakeMediaEngine,
  FakeRoomMedia,
  FakeWebRtcLeg,
} from '../../../support/fake-media-engine.ts';
import { ROUTER } from '../../../support/router-capabilities.ts';

/** Milliseconds that ICE and DTLS take. */
const CONNECTING = 300;

export class SimulatedMediaEngine extends FakeMediaEngine {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    super();
    this.#clock = clock;
  }

  protected override makeRoom(): FakeRoomMedia {
    return new SimulatedRoomMedia(this.#clock);
  }
}

class SimulatedRoomMedia extends FakeRoomMedia {
  override readonly rtpCapabilities = ROUTER;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    super();
    this.#clock = clock;
  }

  override createWebRtcLeg(): Promise<FakeWebRtcLeg> {
    const leg = new SimulatedWebRtcLeg(this, this.#clock);
    this.webRtcLegs.push(leg);

    return Promise.resolve(leg);
  }
}

let lastSsrc = 1000;

class SimulatedWebRtcLeg extends FakeWebRtcLeg {
  readonly #consumers = new Map<ConsumerId, ProducerId>();

  readonly #clock: Clock;

  constructor(room: FakeRoomMedia, clock: Clock) {
    super(room);
    this.#clock = clock;
    room.events.on('producerRemoved', ({ id }) => {
      for (const [consumer, producer] of this.#consumers) {
        if (producer !== id) continue;
        this.#consumers.delete(consumer);
        this.events.emit('consumerClosed', consumer);
      }
    });
  }

  override createTransport(): Promise<WebRtcTransportParameters> {
    return Promise.resolve({
      id: 't1',
      iceParameters: { usernameFragment: 'uuuu', password: 'p'.repeat(24), iceLite: true },
      iceCandidates: [
        {
          foundation: 'udpcandidate',
          priority: 1076302079,
          address: '10.0.0.1',
          ip: '10.0.0.1',
          protocol: 'udp',
          port: 44444,
          type: 'host',
        },
      ],
      dtlsParameters: {
        fingerprints: [{ algorithm: 'sha-256', value: 'AA'.concat(':AA'.repeat(31)) }],
      },
    });
  }

  override connectTransport(): Promise<void> {
    this.#clock.setTimer(CONNECTING, () => this.events.emit('connected'));

    return Promise.resolve();
  }

  override async consume(
    producerId: ProducerId,
    capabilities?: mediasoup.RtpCapabilities,
  ): Promise<ConsumerParameters> {
    await Promise.resolve();
    const producer = this.room.producers().find(({ id }) => id === producerId);
    if (producer === undefined) throw new Error('the stream is gone');
    const codecs = (capabilities?.codecs ?? []).filter(({ mimeType }) =>
      ['audio/opus', 'video/VP8'].includes(mimeType),
    );
    const id = `c-${producerId}-${(lastSsrc += 1)}` as ConsumerId;
    this.#consumers.set(id, producerId);

    return {
      id,
      producerId,
      kind: producer.kind,
      producerPaused: producer.paused,
      rtpParameters: {
        codecs: codecs.map(({ preferredPayloadType, mimeType, clockRate, channels }) => ({
          mimeType,
          clockRate,
          ...(channels !== undefined && { channels }),
          payloadType: preferredPayloadType ?? 0,
        })),
        encodings: [{ ssrc: lastSsrc }],
        rtcp: { cname: 'room' },
      },
    };
  }
}
