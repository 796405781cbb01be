import {
  DEFAULT_VIDEO_CAPABILITIES as VIDEO,
  parseSdp,
  SdpError,
  writeSdp,
  type LocalMedia,
  type LocalVideos,
  type SdpMedia,
  type SdpSession,
} from '../../../signaling/sdp/index.ts';

export const MAIN: LocalVideos = { main: { rtpPort: 40_002, capabilities: VIDEO } };
export const BOTH: LocalVideos = { ...MAIN, slides: { rtpPort: 40_004, capabilities: VIDEO } };
export const LOCAL: LocalMedia = { address: '192.0.2.1', rtpPort: 40_000, sessionId: '77' };

/** A phone's description: audio, and these lines after it. */
export function sdp(...lines: string[]): SdpSession {
  const head = ['v=0', 'o=- 1 1 IN IP4 10.0.0.9', 's=-', 'c=IN IP4 10.0.0.9', 't=0 0'];
  const session = parseSdp([...head, 'm=audio 4000 RTP/AVP 0', ...lines, ''].join('\r\n'));
  if (session instanceof SdpError) throw session;

  return session;
}

/** The lines of one section, as they are written. */
export function linesOf(media: SdpMedia): string[] {
  const text = writeSdp({ ...sdp(), media: [media] });

  return text.slice(text.indexOf('m=')).trimEnd().split('\r\n');
}
