/** Which simulcast layer a tile is made of: the cheapest to decode that fills it. */
import type { types as mediasoup } from 'mediasoup';

export interface TileLayers {
  spatialLayer: number;
  temporalLayer?: number;
}

/** Lines of the highest layer of the web app's cameras; each layer below has half of them. */
const FULL_HEIGHT = 720;
/** A tile that is this much higher than its picture shows no difference. */
const TOLERANCE = 1.02;

/**
 * `thrift`: how much is to be saved. 1: a layer smaller than the tile, 2: and half of its pictures, where
 * the sender has layers of time.
 */
export function layersForTile(
  tileHeight: number,
  encodings: readonly mediasoup.RtpEncodingParameters[],
  thrift: number,
): TileLayers {
  const highest = encodings.length - 1;
  const filling = encodings.findIndex(
    (_, layer) => (FULL_HEIGHT / 2 ** (highest - layer)) * TOLERANCE >= tileHeight,
  );
  const layer = filling === -1 ? highest : filling;
  const spatialLayer = Math.max(0, thrift > 0 ? layer - 1 : layer);
  const temporalLayers = Number(/T(\d)/.exec(encodings[0]?.scalabilityMode ?? '')?.[1] ?? 1);

  return thrift > 1 && temporalLayers > 1
    ? { spatialLayer, temporalLayer: temporalLayers - 2 }
    : { spatialLayer };
}
