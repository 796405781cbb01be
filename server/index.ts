/** The conference as the front ends see it. `main.ts` alone also reaches for api/, jobs/, store/ and metrics. */
export { MAX_CHAT_LENGTH } from './chat-history.ts';
export { CLOSE_REASONS, closeReasonInfo } from './close-reason.ts';
export type { CloseReason, CloseReasonInfo, Fault } from './close-reason.ts';
export { dial, isPin, MAX_ROOM_NUMBER_LENGTH } from './dial-plan.ts';
export type { DialRefusal, DialResult } from './dial-plan.ts';
export { MAX_NAME_LENGTH, toDisplayName } from './display-name.ts';
export type { Participant, RoomHandle } from './participant.ts';
export type { ParticipantState } from './participant-state.ts';
export type { CallTransfer, CallTransfers } from './call-transfer.ts';
export type { CallKeys, KeyForm, KeyProgress, PressedKeys } from './call-keys.ts';
export { DialOut } from './dial-out.ts';
export type { DialOutLimits, DialOutOptions, DialOutRequest } from './dial-out.ts';
export { may } from './room-policy.ts';
export type { Caller, RoomAction, Verdict } from './room-policy.ts';
export type { Room } from './room.ts';
export { Reception } from './ivr/index.ts';
export type { Voice } from './ivr/index.ts';
export { TrunkBook } from './trunks/index.ts';
export type { Trunk } from './trunks/index.ts';
export { RoomManager } from './room-manager.ts';
export type {
  CreateRoomRequest,
  JoinRequest,
  RoomManagerEvents,
  RoomManagerOptions,
  UpdateRoomRequest,
} from './room-manager.ts';
export { AccountBook } from './accounts/index.ts';
export type { DigestAlgorithm, SrtpPolicy, SrtpSettings } from './config.ts';
export type {
  AccountBindings,
  AccountSettings,
  Binding,
  BindingFlow,
  CallOriginator,
  CallProgress,
  DialTarget,
  KeyedStore,
  OriginateRequest,
  Referral,
  TrunkSettings,
  TrunkStatus,
} from './ports.ts';
export type {
  ChatMessage,
  ParticipantKind,
  ParticipantRole,
  ParticipantSink,
  ParticipantView,
  ProducerView,
  RoomEvent,
  RoomSettings,
  RoomStore,
  RoomView,
  SipMetrics,
} from './ports.ts';
