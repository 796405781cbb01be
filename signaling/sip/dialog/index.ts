/** Dialogs and the INVITE sessions in them (RFC 3261 12 to 15). */
export { dialogIdOfRequest, dialogKey } from './dialog-id.ts';
export type { DialogId } from './dialog-id.ts';
export { Dialog } from './dialog.ts';
export type { DialogRequestParts } from './dialog.ts';
export { DialogLayer } from './dialog-layer.ts';
export { InviteSession } from './invite-session.ts';
export { nextHop, uriTarget } from './next-hop.ts';
export { OfferAnswerState } from './offer-answer-state.ts';
export type { OfferAnswerEvent, OfferAnswerPhase } from './offer-answer-state.ts';
export type { ChangeMethod, ReinviteOutcome } from './change-client.ts';
export { reliableSequence } from './reliable-provisionals.ts';
export { SDP_TYPE, sdpBody } from './session-context.ts';
export type {
  EndCause,
  FinalParts,
  ReofferOutcome,
  RequestSender,
  Resendable,
  SessionContext,
  SessionEnd,
  SessionUser,
} from './session-context.ts';
export {
  DEFAULT_SESSION_TIMER,
  isIntervalTooSmall,
  lists,
  minSe,
  timerRequestHeaders,
} from './session-timer.ts';
export type { SessionTimerPolicy } from './session-timer.ts';
export { nextSessionState } from './session-state.ts';
export type { SessionEvent, SessionState } from './session-state.ts';
export { SuccessSender } from './success-sender.ts';
export type { RetransmissionTimes } from './success-sender.ts';
