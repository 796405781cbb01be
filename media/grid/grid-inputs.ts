import type { types as mediasoup } from 'mediasoup';
import type { GridCodec, GridStream } from './grid-protocol.ts';
import { layersForTile, type TileLayers } from './tile-layer.ts';
import { tileRects } from './tiles.ts';

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

/** The streams that a compositor gets: one consumer for each tile, all over one transport. */
export class GridInputs {
  readonly #router: mediasoup.Router;
  readonly #transport: mediasoup.PlainTransport;
  readonly #onChange: () => void;
  readonly #inputs = new Map<string, Input>();
  /** What was asked for: a consumer itself says what became of it. */
  readonly #layers = new WeakMap<mediasoup.Consumer, TileLayers>();

  constructor(router: mediasoup.Router, transport: mediasoup.PlainTransport, onChange: () => void) {
    this.#router = router;
    this.#transport = transport;
    this.#onChange = onChange;
  }

  /** `thrift`: how much is to be saved of the CPU. */
  async update(members: readonly GridMember[], thrift = 0): Promise<void> {
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
    await this.#chooseLayers(tileRects(members.length)[0]?.height ?? 0, thrift);
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

  async #chooseLayers(tileHeight: number, thrift: number): Promise<void> {
    for (const { producer, consumer } of this.#inputs.values()) {
      if (consumer === undefined || consumer.closed || consumer.type !== 'simulcast') continue;
      const layers = layersForTile(tileHeight, producer.rtpParameters.encodings ?? [], thrift);
      const before = this.#layers.get(consumer);
      if (
        before?.spatialLayer === layers.spatialLayer &&
        before.temporalLayer === layers.temporalLayer
      )
        continue;
      this.#layers.set(consumer, layers);
      await consumer.setPreferredLayers(layers).catch(() => undefined);
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
