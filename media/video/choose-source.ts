/** Which picture a phone with one picture is to see: decisions alone, without a stream in sight. */
import type { LegId, ProducerId } from '../../base/index.ts';
import type { MediaSource, ProducerInfo } from '../stream-info.ts';
import type { PhoneVideoContent, VideoCodecName } from '../video-api.ts';

/** A stream that flows now. */
export interface VideoSource {
  readonly id: ProducerId;
  readonly legId: LegId;
  readonly source: MediaSource | 'grid';
  readonly codec: VideoCodecName;
}

export interface VideoViewer {
  readonly legId: LegId;
  readonly content: PhoneVideoContent;
  readonly codec: VideoCodecName;
  /** It has a stream of its own for shared screens. */
  readonly hasSlides: boolean;
  /** It is to see all members at once. */
  readonly wantsGrid: boolean;
}

export interface VideoChoice {
  viewer: VideoViewer;
  /** In the order in which they began. */
  sources: readonly VideoSource[];
  /** Who spoke last first. */
  speakers: readonly LegId[];
  shown: ProducerId | undefined;
  /** Sources that brought no key frame of late. */
  avoided: ReadonlySet<ProducerId>;
}

/** Milliseconds that a camera is shown at least, unless it ends. */
export const HOLD_MS = 1500;

export function chooseSource(choice: VideoChoice): VideoSource | undefined {
  const { viewer, speakers, shown, avoided } = choice;
  const usable = choice.sources.filter(
    ({ id, legId, codec }) =>
      codec === viewer.codec && legId !== viewer.legId && (id === shown || !avoided.has(id)),
  );
  // All at once, what is shared among it, while there is such a picture; else whoever speaks.
  const grid = usable.find(({ source }) => source === 'grid');
  if (viewer.wantsGrid && viewer.content === 'main' && grid !== undefined) return grid;
  const screen = usable.findLast(({ source }) => source === 'screen');
  if (viewer.content === 'slides') return screen;
  if (screen !== undefined && !viewer.hasSlides) return screen;
  const cameras = usable.filter(({ source }) => source === 'camera');
  for (const speaker of speakers) {
    // The speaker is not among the cameras of its own view: it sees who spoke before.
    const camera = cameras.find(({ legId }) => legId === speaker);
    if (camera !== undefined) return camera;
  }

  return cameras.find(({ id }) => id === shown) ?? cameras[0];
}

/** Milliseconds until the picture may go from one to the other; 0: at once. */
export function holdLeft(
  shown: VideoSource | undefined,
  wanted: VideoSource | undefined,
  shownSince: number,
  now: number,
): number {
  if (shown?.source !== 'camera' || wanted?.source !== 'camera') return 0;

  return Math.max(0, shownSince + HOLD_MS - now);
}

/** A source as it is told of. */
export function pictureOf({ id, legId, source }: VideoSource): ProducerInfo | 'grid' {
  return source === 'grid' ? source : { id, legId, kind: 'video', source, paused: false };
}
