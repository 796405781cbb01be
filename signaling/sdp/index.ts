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
export type { AnswerOutcome, OfferOutcome, Rejection } from './offer-answer.ts';
export type { LocalMedia } from './description.ts';
export type {
  AudioCapabilities,
  NegotiatedAudio,
  NegotiatedTelephoneEvent,
  SrtpMode,
} from './audio-negotiation.ts';
