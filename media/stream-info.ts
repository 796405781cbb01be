/** What a stream of a room is, whoever sends it. */
import type { LegId, ProducerId } from '../base/index.ts';

export type MediaKind = 'audio' | 'video';
/** What a browser's stream shows or carries; a phone's audio is a `microphone`, its video a `camera`. */
export type MediaSource = 'microphone' | 'camera' | 'screen';
/** Direction as seen from us (RFC 3264 §5.1). */
export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface ProducerInfo {
  id: ProducerId;
  legId: LegId;
  kind: MediaKind;
  source: MediaSource;
  paused: boolean;
  /** As in "video/VP8" after the slash; absent where nobody asks. */
  codec?: string;
  /** A stream that its sender also sends in its usual codec: for phones that take this one alone. */
  alternative?: true;
}
