/** Which simulcast layer fits into what a phone takes. */

export interface LayerEncoding {
  readonly maxBitrate?: number | undefined;
}

/** Of the cameras of the web app, for senders that do not say: 180, 360 and 720 lines. */
const USUAL_BITRATES = [150_000, 500_000, 1_500_000];

/** The highest layer within `limit` bits a second, the lowest when none is; undefined limit: the highest. */
export function chooseLayer(
  encodings: readonly LayerEncoding[],
  limit: number | undefined,
): number {
  let chosen = 0;
  encodings.forEach(({ maxBitrate }, layer) => {
    const bitrate = maxBitrate ?? USUAL_BITRATES[layer] ?? USUAL_BITRATES.at(-1)! * 2;
    if (limit === undefined || bitrate <= limit) chosen = layer;
  });

  return chosen;
}
