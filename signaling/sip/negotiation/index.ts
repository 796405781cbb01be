/** When and how a call is changed while it lasts: one serial machine a call, m-lines used again. */
export { DEFAULT_NEGOTIATION, Negotiation, negotiationSettings } from './negotiation.ts';
export type {
  ExchangeResult,
  NegotiationHost,
  NegotiationOutcome,
  NegotiationSettings,
} from './negotiation.ts';
export { MixedSession } from './mixed-session.ts';
export type { MixedSessionOptions } from './mixed-session.ts';
export { judgeRefusal } from './refusal.ts';
export { peerProfile } from './peer-profile.ts';
export type { PeerProfile, PeerTraits } from './peer-profile.ts';
export { planSlots } from './slots.ts';
export type { Slot, SlotKind, SlotLimits, Wanted } from './slots.ts';
export { WebRtcSession } from './webrtc-session.ts';
export type { WebRtcSessionOptions } from './webrtc-session.ts';
export { IceRecovery, MAX_RESTARTS, RESTART_TIMEOUT } from './ice-recovery.ts';
export { codecForMost } from './own-picture.ts';
export type { RoomStream } from './room-streams.ts';
export { PhoneVideo } from './phone-video.ts';
export type { PhoneVideoHost, PhoneVideoOptions } from './phone-video.ts';
export { initialTraits, traitsAfterAnswer, traitsAfterOffer, wantsVideo } from './video-policy.ts';
export type { Serves, VideoTraits } from './video-policy.ts';
