import type { types as mediasoup } from 'mediasoup';
import type { GridCodec, GridStream } from './grid-protocol.ts';

/** Somebody who may have a tile. */
export interface GridMember {
  id: string;
  name: string;
  producer: mediasoup.Producer;
}

interface Input {
  producer: mediasoup.Producer;
  /** Undefined: of a codec that is not decoded here. */
  consumer: mediasoup.Consumer | undefined;
}

const CODECS: readonly GridCodec[] = ['H264', 'VP8'];

/** Of three simulcast layers the middle one is as large as a quarter of the picture. */
const LAYER_OF_MANY = 1;
const LAYER_OF_ONE = 2;

/** The streams that a compositor gets: one consumer for each tile, all over one transport. */
export class GridInputs {
  readonly #router: mediasoup.Router;
  readonly #transport: mediasoup.PlainTransport;
  readonly #onChange: () => void;
  readonly #inputs = new Map<string, Input>();

  constructor(router: mediasoup.Router, transport: mediasoup.PlainTransport, onChange: () => void) {
    this.#router = router;
    this.#transport = transport;
    this.#onChange = onChange;
  }

  async update(members: readonly GridMember[]): Promise<void> {
    for (const [id, input] of this.#inputs) {
      const member = members.find((candidate) => candidate.id === id);
      if (member?.producer === input.producer && input.consumer?.closed !== true) continue;
      input.consumer?.close();
      this.#inputs.delete(id);
    }
    for (const { id, producer } of members) {
      if (this.#inputs.has(id) || producer.closed || this.#transport.closed) continue;
      this.#inputs.set(id, { producer, consumer: await this.#consume(producer) });
    }
    await this.#chooseLayers(members.length === 1 ? LAYER_OF_ONE : LAYER_OF_MANY);
  }

  /** What the member's tile shows; undefined: its name. */
  stream(id: string): GridStream | undefined {
    const consumer = this.#inputs.get(id)?.consumer;
    if (consumer === undefined || consumer.closed || consumer.producerPaused) return undefined;
    const sent = consumer.rtpParameters.codecs[0];
    const codec = sent && codecOf(sent.mimeType);
    const ssrc = consumer.rtpParameters.encodings?.[0]?.ssrc;
    if (sent === undefined || codec === undefined || ssrc === undefined) return undefined;

    return { codec, ssrc, payloadType: sent.payloadType };
  }

  async #consume(producer: mediasoup.Producer): Promise<mediasoup.Consumer | undefined> {
    const rtpCapabilities = capabilities(this.#router.rtpCapabilities);
    if (!this.#router.canConsume({ producerId: producer.id, rtpCapabilities })) return undefined;
    try {
      const consumer = await this.#transport.consume({
        producerId: producer.id,
        rtpCapabilities,
        paused: true,
      });
      for (const event of ['producerpause', 'producerresume', 'producerclose'] as const) {
        consumer.on(event, this.#onChange);
      }
      await consumer.resume();

      return consumer;
    } catch (error) {
      // Whoever left while this was set up needs no tile.
      if (producer.closed || this.#transport.closed) return undefined;
      throw error;
    }
  }

  async #chooseLayers(spatialLayer: number): Promise<void> {
    for (const { consumer } of this.#inputs.values()) {
      if (consumer === undefined || consumer.closed || consumer.type === 'simple') continue;
      if (consumer.preferredLayers?.spatialLayer === spatialLayer) continue;
      await consumer.setPreferredLayers({ spatialLayer }).catch(() => undefined);
    }
  }
}

/** Without retransmissions: nothing is lost on the loopback, and what was before is asked for as a key frame. */
function capabilities(router: mediasoup.RtpCapabilities): mediasoup.RtpCapabilities {
  return {
    codecs: (router.codecs ?? [])
      .filter(({ mimeType }) => codecOf(mimeType) !== undefined)
      .map((codec) => ({ ...codec, rtcpFeedback: [{ type: 'nack', parameter: 'pli' }] })),
    headerExtensions: [],
  };
}

function codecOf(mimeType: string): GridCodec | undefined {
  return CODECS.find((codec) => mimeType.toLowerCase() === `video/${codec.toLowerCase()}`);
}
