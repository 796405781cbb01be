/**
 * Size: the interfaces towards all front ends and stores, in one place.
 *
 * What server/ asks of the layers above it and of its store: interfaces only, declared here so that
 * calls go up without imports going up.
 *
 * The order of events, which every front end may rely on:
 * 1. `RoomManager.join` resolves with a participant in state `joining`. It is on no roster, hears of
 *    nothing, and counts as a seat.
 * 2. The front end replies (ack, 200 OK) with what `participant.room` says now, then calls
 *    `participant.activate()`. Reply and `activate()` in one turn of the event loop leave no gap:
 *    what is not in the reply arrives as an event.
 * 3. `activate()` tells the others `participant-joined`, then `producer-added` for each stream.
 * 4. For one participant `producer-removed` of all its streams come before its `participant-left`,
 *    which is the last event that names it.
 * 5. In a room with a lobby `activate()` makes a guest wait: state `lobby`, on no roster. Hosts hear
 *    `lobby-joined`; when one lets it in it hears `let-in`, and point 3 follows.
 * 6. `sink.ended` is the last call of a sink; it comes exactly once, whoever began the end. It never
 *    comes when `join` rejects. It may come before `activate()`, which then does nothing.
 */
import type { ParticipantId, ProducerId, RoomNumber } from '../base/index.ts';
import type { MediaKind, MediaSource, VideoCodecName } from '../media/index.ts';
import type { KeyProgress } from './call-keys.ts';
import type { CloseReason } from './close-reason.ts';
import type { DigestAlgorithm, SrtpPolicy } from './config.ts';

export type ParticipantKind = 'browser' | 'phone';
export type ParticipantRole = 'host' | 'guest';

/** A participant as the REST API and the roster of browsers show it. */
export interface ParticipantView {
  id: ParticipantId;
  name: string;
  kind: ParticipantKind;
  /** Where it comes from: a SIP URI, or the IP address of a browser. */
  address: string;
  role: ParticipantRole;
  state: 'lobby' | 'joined';
  muted: boolean;
  speaking: boolean;
  handRaised: boolean;
  video: boolean;
  /** What it sends its pictures in: who takes none of these does not see them. */
  videoCodecs: string[];
  /** Of a phone that is sent video: the codec that it takes. */
  videoReceived?: string;
  /** ISO 8601. */
  joinedAt: string;
}

/** A stream that browsers may consume. */
export interface ProducerView {
  id: ProducerId;
  participantId: ParticipantId;
  kind: MediaKind;
  source: MediaSource;
  paused: boolean;
}

/** Phones that see pictures in this codec alone. */
export interface VideoCodecWish {
  codec: VideoCodecName;
  participantIds: ParticipantId[];
}

/** What a phone with one picture sees: who speaks, or all at once. */
export type VideoLayout = 'speaker' | 'grid';

/** The layout that is wished for, and what is seen. */
export interface LayoutView {
  layout: VideoLayout;
  effectiveLayout: VideoLayout;
  /** Why the two differ. */
  layoutReason?: string;
}

export interface RoomView extends LayoutView {
  number: RoomNumber;
  name: string;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601, when the running meeting began; absent while the room is empty. */
  startedAt?: string;
  maxParticipants: number;
  /** Those who are in the room now. */
  participants: number;
  /** True when it was created by the API and so outlives its meetings. */
  persistent: boolean;
  /** Nobody comes in any more: set for a meeting, gone with it. */
  locked: boolean;
  /** Guests wait until a host lets them in. */
  lobby: boolean;
  /** Phones hear who comes and goes. */
  tones: boolean;
  /** What is spoken in; absent: the usual language. */
  language?: string;
  hostPinSet: boolean;
  guestPinSet: boolean;
}

/** A line that a member wrote. */
export interface ChatMessage {
  /** Unique in its meeting, and rising. */
  id: number;
  participantId: ParticipantId;
  /** As it was when the line was written: its author may have left. */
  name: string;
  text: string;
  /** ISO 8601. */
  at: string;
}

/**
 * What a member is told. `participant-joined|left` and `producer-*` go to the others; the rest goes to
 * everybody, also to the one it is about.
 */
export type RoomEvent =
  | { type: 'participant-joined'; participant: ParticipantView }
  | { type: 'participant-updated'; participant: ParticipantView }
  | { type: 'participant-left'; participantId: ParticipantId; reason: CloseReason }
  /** To hosts: somebody waits to be let in, or waits no more. */
  | { type: 'lobby-joined'; participant: ParticipantView }
  | { type: 'lobby-left'; participantId: ParticipantId }
  /** To whoever waited: it is in. Before it nothing but `room-updated` comes. */
  | { type: 'let-in' }
  | { type: 'speaking'; participantId: ParticipantId; speaking: boolean }
  | { type: 'active-speaker'; participantId: ParticipantId | undefined }
  | { type: 'producer-added'; producer: ProducerView }
  | { type: 'producer-updated'; producer: ProducerView }
  | { type: 'producer-removed'; producerId: ProducerId; participantId: ParticipantId }
  /** What phones take changed: whoever sends video in none of these is not seen by them. */
  | { type: 'video-codecs'; wishes: VideoCodecWish[] }
  | { type: 'room-updated'; room: RoomView }
  | { type: 'chat-message'; message: ChatMessage };

/** The front end's end of a participant. Neither method may throw or block. */
export interface ParticipantSink {
  notify(event: RoomEvent): void;
  /** The participant is out; its media is closing. Also called when the front end itself began it. */
  ended(reason: CloseReason): void;
}

/** What a room is made of besides its members; what the store keeps of rooms made by the API. */
export interface RoomSettings {
  number: RoomNumber;
  name: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  maxParticipants?: number;
  hostPin?: string;
  guestPin?: string;
  lobby?: boolean;
  /** Unset: they are heard. */
  tones?: boolean;
  language?: string;
  /** Unset: `speaker`. */
  layout?: VideoLayout;
}

/** What is kept by name; the implementations in store/ never reject and never block for long. */
export interface KeyedStore<Key extends string, Value> {
  list(): Promise<Value[]>;
  find(key: Key): Promise<Value | undefined>;
  save(value: Value): Promise<void>;
  remove(key: Key): Promise<void>;
}

/** Where rooms that outlive their meetings are kept. */
export type RoomStore = KeyedStore<RoomNumber, RoomSettings>;

/** Who may register and call; the password is there only as `secret`. */
export interface AccountSettings {
  username: string;
  name?: string;
  /** Its own list of challenges, in order. */
  digest?: DigestAlgorithm[];
  srtp?: SrtpPolicy;
  /** What digest needs of the password, sealed by `SecretBox`. */
  secret: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
}

/** One registration of a device (RFC 3261 10.3). */
export interface Binding {
  /** The Contact URI. */
  contact: string;
  /** The Contact's own parameters, `expires` left out. */
  params: [name: string, value: string | null][];
  /** `+sip.instance` and `reg-id` of RFC 5626, when the device gave both. */
  instance?: string;
  regId?: number;
  callId: string;
  cseq: number;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  registeredAt: number;
  /** RFC 3327, as written. */
  path: string[];
  userAgent?: string;
  /** How the REGISTER came: the way back through address translation. */
  flow: BindingFlow;
}

export interface BindingFlow {
  protocol: 'UDP' | 'TCP' | 'TLS' | 'WS' | 'WSS';
  remote: { address: string; port: number };
  local: { address: string; port: number };
  /** The stream connection; it means something to `process` alone. */
  connectionId?: string;
  /** Which run of the server holds the connection. */
  process: string;
}

export interface AccountBindings {
  username: string;
  bindings: Binding[];
}

export interface TrunkSettings {
  name: string;
  host: string;
  port?: number;
  transport: 'udp' | 'tcp' | 'tls';
  username?: string;
  /** The password, sealed by `SecretBox`. */
  secret?: string;
  /** Whether we register there. */
  register: boolean;
  /** Addresses (or address/prefix) whose calls are the trunk's. */
  allowedAddresses: string[];
  didRoutes: { did: string; room: RoomNumber }[];
  /** Calls out at one time. */
  maxCalls?: number;
  srtp?: SrtpPolicy;
  /** Calls out are offered video. */
  video?: true;
  createdAt: number;
}

/** What is known of a trunk's far end now. */
export interface TrunkStatus {
  state: 'unknown' | 'up' | 'down';
  /** ISO 8601, when `state` changed last. */
  since?: string;
  registration: 'off' | 'registering' | 'registered' | 'failed';
  /** Why it is down or not registered. */
  reason?: string;
}

/** Who is to be called, found out from what the API was given. */
export type DialTarget =
  | { kind: 'account'; username: string; name?: string }
  | { kind: 'trunk'; trunk: string; number: string }
  | { kind: 'uri'; uri: string };

export interface OriginateRequest {
  room: RoomNumber;
  target: DialTarget;
  /** How the callee is called in the room. */
  name?: string;
  referral?: Referral;
  /** Keys to press once it is answered. */
  digits?: string;
  /** How that goes. */
  onKeys?: (progress: KeyProgress) => void;
  onProgress: (progress: CallProgress) => void;
}

/** A member's wish to have somebody called, as the callee is told of it: in the member's own words. */
export interface Referral {
  by?: string;
  /** The call whose place ours is to take. */
  replaces?: string;
}

export type CallProgress =
  /** Once for each new status. */
  | { state: 'ringing'; status: number }
  | { state: 'answered' }
  /** Once, and nothing after it; `status` is the SIP status that refused the call. */
  | { state: 'ended'; reason: CloseReason; status?: number };

/** Makes calls: the SIP gateway. */
export interface CallOriginator {
  /** AppError BAD_REQUEST, ACCOUNT_NOT_FOUND or TRUNK_NOT_FOUND. */
  resolve(uri: string, trunk?: string): Promise<DialTarget>;
  /**
   * Takes a seat in the room and lets it ring; resolves when the call is on its way. Rejects as
   * `RoomManager.join` does, and with NOT_REGISTERED; `onProgress` is silent then.
   */
  call(request: OriginateRequest): Promise<{ participantId: ParticipantId }>;
}

/** What the SIP stack counts; unknown methods become "OTHER", codes outside 100–699 are dropped. */
export interface SipMetrics {
  requestIn(method: string): void;
  requestOut(method: string): void;
  responseIn(code: number): void;
  responseOut(code: number): void;
  malformed(transport: string): void;
  /** A new request was not served. */
  refused(reason: 'rate' | 'overload'): void;
  callSetup(seconds: number): void;
  reinvite(reason: string, outcome: string): void;
  /** A request that had to prove who sends it: accepted, challenged, stale, refused, limited. */
  authentication(outcome: string): void;
  /** A call out of a room was asked for. */
  dialOut(kind: string, outcome: string): void;
}

/** A call as it went over the wire. */
export interface CallView {
  id: string;
  callId: string;
  direction: 'in' | 'out';
  from: string;
  to: string;
  state: 'ringing' | 'established' | 'ended';
  /** Why it ended, in the far end's words (or ours). */
  reason?: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  lastAt: number;
  messageCount: number;
}

export interface LadderMessage {
  at: number;
  direction: 'in' | 'out';
  transport: string;
  remote: string;
  summary: string;
  /** Secrets are masked. */
  text: string;
}

/** Where the API learns of calls; the SIP front end has it. */
export interface CallTraces {
  live(): CallView[];
  /** Also of a call that ended not long ago. */
  find(id: string): { call: CallView; messages: LadderMessage[] } | undefined;
}
