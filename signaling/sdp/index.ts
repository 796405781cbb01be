/** SDP: text ↔ typed model, and the offer/answer model on it. Pure; no sockets, no timers. */
export { SDP_LIMITS, SdpError } from './sdp-check.ts';
export { effectiveConnection, effectiveDirection, findAttribute } from './sdp-model.ts';
export type {
  FormatParameters,
  RtpMap,
  SdpAttribute,
  SdpBandwidth,
  SdpConnection,
  SdpDirection,
  SdpMedia,
  SdpOrigin,
  SdpSession,
} from './sdp-model.ts';
export { parseSdp, writeSdp } from './sdp-session.ts';
export {
  answerOffer,
  applyAnswer,
  createOffer,
  DEFAULT_AUDIO_CAPABILITIES,
  negotiateOffer,
} from './offer-answer.ts';
export type { AnswerOutcome, NegotiatedMedia, OfferOutcome, Rejection } from './offer-answer.ts';
export type { LocalMedia } from './description.ts';
export type {
  AudioCapabilities,
  NegotiatedAudio,
  NegotiatedTelephoneEvent,
  SrtpMode,
} from './audio-negotiation.ts';
export { DEFAULT_VIDEO_CAPABILITIES } from './video-formats.ts';
export { servesVideo } from './video-negotiation.ts';
export type {
  NegotiatedVideo,
  VideoCapabilities,
  VideoCodecName,
  VideoContent,
  VideoFeedback,
} from './video-negotiation.ts';
export type { NegotiatedH264 } from './h264.ts';
export { selectVideos, VIDEO_LABELS } from './video-description.ts';
export type { LocalVideo, LocalVideos, NegotiatedVideos } from './video-description.ts';
export {
  answerSetup,
  bundledMids,
  isIceRestart,
  isRejected,
  isSamePeer,
  isWebRtcMedia,
  isWebRtcOffer,
  midOf,
  peerDtls,
  readTransport,
} from './webrtc-transport.ts';
export type { DtlsSetup, OwnTransport, PeerTransport } from './webrtc-transport.ts';
export { acceptMedia, isSameCodec, nameOf, preferCodec } from './webrtc-media.ts';
export type { AcceptedMedia } from './webrtc-media.ts';
export {
  agreeOnCodecs,
  codecsOf,
  describeDoorCodec,
  DOOR_CAPABILITIES,
  DOOR_CODECS,
  isEventCodec,
} from './door-codecs.ts';
export type { AgreedCodecs } from './door-codecs.ts';
export { readCodecs } from './rtp-description.ts';
export type { Extension } from './rtp-description.ts';
export { describeWebRtc } from './webrtc-description.ts';
export type { SentStream, WebRtcMedia } from './webrtc-description.ts';
