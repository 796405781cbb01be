import type { types as mediasoup } from 'mediasoup';

const VIDEO_FEEDBACK: mediasoup.RtcpFeedback[] = [
  { type: 'nack', parameter: '' },
  { type: 'nack', parameter: 'pli' },
  { type: 'ccm', parameter: 'fir' },
  { type: 'transport-cc', parameter: '' },
];

/** What a room's router says of itself, in short. */
export const ROUTER: mediasoup.RtpCapabilities = {
  codecs: [
    {
      kind: 'audio',
      mimeType: 'audio/opus',
      clockRate: 48_000,
      channels: 2,
      preferredPayloadType: 111,
      rtcpFeedback: [{ type: 'transport-cc', parameter: '' }],
    },
    {
      kind: 'audio',
      mimeType: 'audio/PCMU',
      clockRate: 8000,
      channels: 1,
      preferredPayloadType: 0,
      rtcpFeedback: [],
    },
    {
      kind: 'video',
      mimeType: 'video/VP8',
      clockRate: 90_000,
      preferredPayloadType: 96,
      rtcpFeedback: VIDEO_FEEDBACK,
    },
    {
      kind: 'video',
      mimeType: 'video/rtx',
      clockRate: 90_000,
      preferredPayloadType: 100,
      parameters: { apt: 96 },
      rtcpFeedback: [],
    },
    {
      kind: 'video',
      mimeType: 'video/H264',
      clockRate: 90_000,
      preferredPayloadType: 108,
      parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f' },
      rtcpFeedback: VIDEO_FEEDBACK,
    },
  ],
  headerExtensions: (
    [
      ['audio', 'urn:ietf:params:rtp-hdrext:sdes:mid', 1],
      ['video', 'urn:ietf:params:rtp-hdrext:sdes:mid', 1],
      ['video', 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id', 2],
      ['video', 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id', 3],
      ['video', 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time', 4],
      ['audio', 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01', 5],
      ['video', 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01', 5],
      ['audio', 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', 6],
      ['video', 'urn:3gpp:video-orientation', 8],
    ] as const
  ).map(([kind, uri, preferredId]) => ({ kind, uri, preferredId })),
};
