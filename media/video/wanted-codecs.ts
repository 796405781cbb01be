import type { types as mediasoup } from 'mediasoup';
import type { LegId } from '../../base/index.ts';
import type { VideoCodecName, WantedVideoCodec } from '../video-api.ts';
import type { PhoneVideoSession } from './phone-video.ts';

/** Undefined: of no codec that phones take. */
export function videoCodecOf({ codecs }: mediasoup.RtpParameters): VideoCodecName | undefined {
  const mimeType = codecs[0]?.mimeType.toLowerCase();
  if (mimeType === 'video/h264') return 'H264';

  return mimeType === 'video/vp8' ? 'VP8' : undefined;
}

/** What these take who are sent video. */
export function wantedBy(sessions: Iterable<PhoneVideoSession>): WantedVideoCodec[] {
  const legIds = new Map<VideoCodecName, LegId[]>();
  for (const { video, sees, legId } of sessions) {
    if (video === undefined || !sees) continue;
    const ids = legIds.get(video.codec) ?? [];
    if (!ids.includes(legId)) ids.push(legId);
    legIds.set(video.codec, ids);
  }

  return [...legIds].map(([codec, ids]) => ({ codec, legIds: ids }));
}
