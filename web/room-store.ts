/** Size: the reducer has a short case for each thing that may happen. */
import type {
  ChatMessage,
  JoinAnswer,
  NotificationName,
  NotificationPayload,
  Participant,
  RemoteProducer,
  VideoCodecWish,
} from '../signaling/websocket/protocol.ts';

export type ConnectionState = 'connecting' | 'connected' | 'reconnecting';

/** What one's own device does: `unavailable` says that there is none, or none that we may use. */
export type DeviceState = 'on' | 'off' | 'unavailable';

export interface Ended {
  message: string;
  /** What may help: nothing, entering again, or a new version of this page. */
  remedy: 'none' | 'join' | 'reload';
}

/** All that the views of a room show. */
export interface RoomState {
  /** `waiting`: a host has to let us in. */
  phase: 'joining' | 'waiting' | 'joined' | 'ended';
  connection: ConnectionState;
  sessionId: string | undefined;
  selfId: string | undefined;
  room: { number: string; name: string; locked: boolean };
  /** In the order in which they came. */
  participants: ReadonlyMap<string, Participant>;
  /** Those who wait for a host, for a host to see. */
  lobby: ReadonlyMap<string, Participant>;
  /** The streams of the others, by producer id. */
  producers: ReadonlyMap<string, RemoteProducer>;
  /** What arrives of them, by producer id. */
  tracks: ReadonlyMap<string, MediaStreamTrack>;
  activeSpeaker: string | undefined;
  /** What phones take of our pictures, and which phones. */
  videoCodecs: readonly VideoCodecWish[];
  /** The oldest line first. */
  chat: readonly ChatMessage[];
  microphone: DeviceState;
  camera: DeviceState;
  /** The browser did not let sound start without a click. */
  audioBlocked: boolean;
  /** Read out to those who cannot see the stage. */
  announcement: string;
  /** A line for everybody to see. */
  notice: string | undefined;
  ended: Ended | undefined;
}

type NotificationAction = {
  [N in NotificationName]: { type: N } & NotificationPayload<N>;
}[NotificationName];

export type RoomAction =
  | NotificationAction
  | { type: 'snapshot'; answer: JoinAnswer }
  | { type: 'connection'; state: ConnectionState }
  | { type: 'track-added'; producerId: string; track: MediaStreamTrack }
  | { type: 'track-removed'; producerId: string }
  | { type: 'device'; device: 'microphone' | 'camera'; state: DeviceState }
  | { type: 'audio-blocked'; blocked: boolean }
  | { type: 'notice'; text: string | undefined }
  | { type: 'over'; ended: Ended };

export function initialState(room: string): RoomState {
  return {
    phase: 'joining',
    connection: 'connecting',
    sessionId: undefined,
    selfId: undefined,
    room: { number: room, name: `Room ${room}`, locked: false },
    participants: new Map(),
    lobby: new Map(),
    producers: new Map(),
    tracks: new Map(),
    activeSpeaker: undefined,
    videoCodecs: [],
    chat: [],
    microphone: 'off',
    camera: 'off',
    audioBlocked: false,
    announcement: '',
    notice: undefined,
    ended: undefined,
  };
}

/** Every action may come twice or too late: after a reconnect the snapshot holds some of what follows. */
export function reduce(state: RoomState, action: RoomAction): RoomState {
  switch (action.type) {
    case 'snapshot':
      return onSnapshot(state, action.answer);
    case 'participant-joined':
    case 'participant-updated':
      return onParticipant(state, action.participant);
    case 'participant-left':
      return onParticipantLeft(state, action.participantId);
    case 'speaking':
      return onSpeaking(state, action.participantId, action.speaking);
    case 'active-speaker':
      return { ...state, activeSpeaker: action.participantId ?? undefined };
    case 'producer-added':
    case 'producer-updated':
      return {
        ...state,
        producers: withEntry(state.producers, action.producer.id, action.producer),
      };
    case 'producer-removed':
      return {
        ...state,
        producers: without(state.producers, action.producerId),
        tracks: without(state.tracks, action.producerId),
      };
    case 'video-codecs':
      return { ...state, videoCodecs: action.wishes };
    case 'lobby-joined':
      return {
        ...state,
        lobby: withEntry(state.lobby, action.participant.id, action.participant),
        announcement: `${action.participant.name} waits to be let in.`,
      };
    case 'lobby-left':
      return { ...state, lobby: without(state.lobby, action.participantId) };
    case 'room-updated':
      return { ...state, room: action.room };
    case 'chat-message':
      return onChat(state, action.message);
    case 'server-closing':
      return {
        ...state,
        notice: 'The server is about to restart. The meeting will end in a moment.',
      };
    case 'ended':
      return over(state, {
        message: sentence(action.message),
        remedy: action.retryable ? 'join' : 'none',
      });
    case 'over':
      return over(state, action.ended);
    case 'connection':
      return onConnection(state, action.state);
    case 'track-added':
      return { ...state, tracks: withEntry(state.tracks, action.producerId, action.track) };
    case 'track-removed':
      return { ...state, tracks: without(state.tracks, action.producerId) };
    case 'device':
      return { ...state, [action.device]: action.state };
    case 'audio-blocked':
      return { ...state, audioBlocked: action.blocked };
    case 'notice':
      return { ...state, notice: action.text };
    case 'consumer-closed':
    case 'consumer-paused':
    case 'consumer-layers':
    // Its snapshot follows.
    case 'let-in':
      // The SFU client's business; what shows of it comes as producer-updated and tracks.
      return state;
  }
}

function onSnapshot(state: RoomState, answer: JoinAnswer): RoomState {
  const producers = new Map(answer.producers.map((producer) => [producer.id, producer]));

  return {
    ...state,
    phase: answer.waiting ? 'waiting' : 'joined',
    connection: 'connected',
    sessionId: answer.sessionId,
    selfId: answer.participantId,
    room: answer.room,
    activeSpeaker: answer.activeSpeaker ?? undefined,
    participants: new Map(
      [...answer.roster]
        .sort((a, b) => a.joinedAt.localeCompare(b.joinedAt))
        .map((participant) => [participant.id, participant]),
    ),
    lobby: new Map(answer.lobby.map((waiting) => [waiting.id, waiting])),
    producers,
    videoCodecs: answer.videoCodecs,
    chat: answer.chat,
    tracks: new Map([...state.tracks].filter(([id]) => producers.has(id))),
    notice: undefined,
    announcement: answer.waiting
      ? 'You wait for a host to let you in.'
      : `You are in ${answer.room.name}. ${people(answer.roster.length)}.`,
  };
}

function onParticipant(state: RoomState, participant: Participant): RoomState {
  const isNew = !state.participants.has(participant.id);

  return {
    ...state,
    participants: withEntry(state.participants, participant.id, participant),
    announcement: isNew
      ? `${participant.name} joined${participant.kind === 'phone' ? ' by phone' : ''}.`
      : state.announcement,
  };
}

function onParticipantLeft(state: RoomState, id: string): RoomState {
  const gone = state.participants.get(id);
  if (gone === undefined) return state;
  const producers = [...state.producers.values()].filter((each) => each.participantId !== id);
  const ids = new Set(producers.map((each) => each.id));

  return {
    ...state,
    participants: without(state.participants, id),
    producers: new Map(producers.map((each) => [each.id, each])),
    tracks: new Map([...state.tracks].filter(([producerId]) => ids.has(producerId))),
    activeSpeaker: state.activeSpeaker === id ? undefined : state.activeSpeaker,
    announcement: `${gone.name} left.`,
  };
}

function onSpeaking(state: RoomState, id: string, speaking: boolean): RoomState {
  const participant = state.participants.get(id);
  if (participant === undefined || participant.speaking === speaking) return state;

  return {
    ...state,
    participants: withEntry(state.participants, id, { ...participant, speaking }),
  };
}

/** The server keeps no more, so a page that stays does not either. */
const MAX_CHAT_LINES = 200;

function onChat(state: RoomState, message: ChatMessage): RoomState {
  if (state.chat.some((line) => line.id === message.id)) return state;
  const isOwn = message.participantId === state.selfId;

  return {
    ...state,
    chat: [...state.chat, message].slice(-MAX_CHAT_LINES),
    announcement: isOwn ? state.announcement : `${message.name} says: ${message.text}`,
  };
}

function onConnection(state: RoomState, connection: ConnectionState): RoomState {
  if (state.connection === connection) return state;
  const announcement =
    connection === 'reconnecting' ? 'The connection was lost. Reconnecting.' : state.announcement;

  return { ...state, connection, announcement };
}

function over(state: RoomState, ended: Ended): RoomState {
  if (state.phase === 'ended') return state;

  return { ...state, phase: 'ended', ended, tracks: new Map(), announcement: ended.message };
}

function people(count: number): string {
  return count === 1 ? 'Nobody else is here yet' : `${count} people are here`;
}

/** The server's words are parts of a sentence: `the room is full`. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function withEntry<V>(map: ReadonlyMap<string, V>, key: string, value: V): ReadonlyMap<string, V> {
  return new Map(map).set(key, value);
}

function without<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);

  return copy;
}
