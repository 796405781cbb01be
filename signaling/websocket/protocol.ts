/**
 * The socket.io protocol between a page and the server, as data: every request with the schema of
 * its payload and the type of its answer, and every notification. The web app imports the types of
 * this file and nothing else of the server; `docs/protocol.md` describes the same in words.
 */
import { Type, type Static, type TObject, type TSchema } from 'typebox';
import type { types as mediasoup } from 'mediasoup';

/** Raised whenever a page of the version before could misunderstand us, or we it. */
export const PROTOCOL_VERSION = 4;

/** Path of socket.io below the web server's root. */
export const SOCKET_PATH = '/socket.io/';

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const id = text(64);

/** A structure that the media engine checks itself, with verdicts better than a schema's. */
const mediaStructure = <T>() => Type.Unsafe<T>(Type.Object({}));

/**
 * The client's own random name of a request. It is long because a repeated `join` on a new socket is
 * recognised by it alone: who knows it may take the participant over.
 */
const requestId = Type.String({ minLength: 16, maxLength: 64 });

const request = <T extends Record<string, TSchema>>(fields: T) =>
  Type.Object({ requestId, ...fields }, { additionalProperties: false });

const mediaKind = Type.Union([Type.Literal('audio'), Type.Literal('video')]);
const mediaSource = Type.Union([
  Type.Literal('microphone'),
  Type.Literal('camera'),
  Type.Literal('screen'),
]);

export const REQUESTS = {
  join: request({
    version: Type.Integer(),
    room: Type.String({ pattern: '^[a-z0-9-]{1,64}$' }),
    name: text(64),
    /** Where the room asks for one. */
    pin: Type.Optional(text(32)),
    /** Of an earlier join of the same page: asks to stay the same participant. */
    resumeToken: Type.Optional(text(64)),
  }),
  leave: request({}),
  'set-name': request({ name: text(64) }),
  'create-transport': request({
    direction: Type.Union([Type.Literal('send'), Type.Literal('recv')]),
  }),
  'connect-transport': request({
    transportId: id,
    dtlsParameters: mediaStructure<mediasoup.DtlsParameters>(),
  }),
  'restart-ice': request({ transportId: id }),
  produce: request({
    transportId: id,
    kind: mediaKind,
    source: mediaSource,
    rtpParameters: mediaStructure<mediasoup.RtpParameters>(),
    paused: Type.Boolean(),
    /** Sent right after this one: who is told of both may wait for it. */
    next: Type.Optional(mediaSource),
    /** A picture that is also sent in another codec, for phones that take that one alone. */
    alternative: Type.Optional(Type.Boolean()),
  }),
  'pause-producer': request({ producerId: id }),
  'resume-producer': request({ producerId: id }),
  'close-producer': request({ producerId: id }),
  consume: request({
    producerId: id,
    rtpCapabilities: mediaStructure<mediasoup.RtpCapabilities>(),
  }),
  'pause-consumer': request({ consumerId: id }),
  'resume-consumer': request({ consumerId: id }),
  'set-preferred-layers': request({
    consumerId: id,
    spatial: Type.Integer({ minimum: 0, maximum: 7 }),
    temporal: Type.Optional(Type.Integer({ minimum: 0, maximum: 7 })),
  }),
  'close-consumer': request({ consumerId: id }),
  chat: request({ text: text(2000) }),
  /** Of a host: lets somebody in who waits in the lobby. */
  admit: request({ participantId: id }),
} as const satisfies Record<string, TObject>;

export type RequestName = keyof typeof REQUESTS;
/** What goes over the wire. */
export type RequestMessage<N extends RequestName> = Static<(typeof REQUESTS)[N]>;
/** What the caller fills in. */
export type RequestPayload<N extends RequestName> = Omit<RequestMessage<N>, 'requestId'>;

const participant = Type.Object({
  id,
  name: Type.String(),
  kind: Type.Union([Type.Literal('browser'), Type.Literal('phone')]),
  role: Type.Union([Type.Literal('host'), Type.Literal('guest')]),
  state: Type.Union([Type.Literal('lobby'), Type.Literal('joined')]),
  /** By the room or by its own switch: nobody hears it. */
  muted: Type.Boolean(),
  speaking: Type.Boolean(),
  handRaised: Type.Boolean(),
  /** It sends a picture now. */
  video: Type.Boolean(),
  /** ISO 8601. */
  joinedAt: Type.String(),
});
/** A participant as its peers see it: where it comes from is not their business. */
export type Participant = Static<typeof participant>;

const producer = Type.Object({
  id,
  participantId: id,
  kind: mediaKind,
  source: mediaSource,
  paused: Type.Boolean(),
});
/** A stream that somebody else sends and that this page may consume. */
export type RemoteProducer = Static<typeof producer>;

export type MediaSource = Static<typeof mediaSource>;

const chatMessage = Type.Object({
  /** Rises with every line of a meeting; the same number is the same line. */
  id: Type.Integer(),
  participantId: id,
  /** The author's name when the line was written. */
  name: Type.String(),
  text: Type.String(),
  /** ISO 8601. */
  at: Type.String(),
});
export type ChatMessage = Static<typeof chatMessage>;

const endedReason = Type.Union([
  Type.Literal('left'),
  Type.Literal('removed'),
  Type.Literal('disconnected'),
  /** Another socket goes on as this participant. */
  Type.Literal('replaced'),
  Type.Literal('room-ended'),
  Type.Literal('room-full'),
  Type.Literal('rejected'),
  Type.Literal('media-failed'),
  Type.Literal('server-closing'),
  Type.Literal('error'),
]);
/** Why somebody's stay is over. */
export type EndedReason = Static<typeof endedReason>;

const videoCodecWish = Type.Object({
  codec: Type.Union([Type.Literal('H264'), Type.Literal('VP8')]),
  /** The phones that see nothing else. */
  participantIds: Type.Array(id),
});
export type VideoCodecWish = Static<typeof videoCodecWish>;

/** Also the close codes: the server says `ended` and then closes the socket, never the one without the other. */
export const NOTIFICATIONS = {
  /** What phones take: pages also send their pictures in these, where they do not by themselves. */
  'video-codecs': Type.Object({ wishes: Type.Array(videoCodecWish) }),
  'participant-joined': Type.Object({ participant }),
  'participant-updated': Type.Object({ participant }),
  'participant-left': Type.Object({ participantId: id, reason: endedReason }),
  speaking: Type.Object({ participantId: id, speaking: Type.Boolean() }),
  'active-speaker': Type.Object({ participantId: Type.Union([id, Type.Null()]) }),
  'producer-added': Type.Object({ producer }),
  'producer-updated': Type.Object({ producer }),
  'producer-removed': Type.Object({ producerId: id, participantId: id }),
  'room-updated': Type.Object({
    room: Type.Object({ number: id, name: Type.String(), locked: Type.Boolean() }),
  }),
  /** To hosts: somebody waits to be let in, or waits no more. */
  'lobby-joined': Type.Object({ participant }),
  'lobby-left': Type.Object({ participantId: id }),
  /** To a page that waits: it is in, and this is what a `join` would be answered with now. */
  'let-in': Type.Object({ answer: mediaStructure<JoinAnswer>() }),
  'consumer-closed': Type.Object({ consumerId: id }),
  'consumer-paused': Type.Object({ consumerId: id, paused: Type.Boolean() }),
  'consumer-layers': Type.Object({
    consumerId: id,
    /** null: nothing comes through now. */
    layers: Type.Union([
      Type.Object({ spatial: Type.Integer(), temporal: Type.Integer() }),
      Type.Null(),
    ]),
  }),
  'chat-message': Type.Object({ message: chatMessage }),
  'server-closing': Type.Object({}),
  ended: Type.Object({ reason: endedReason, message: Type.String(), retryable: Type.Boolean() }),
} as const satisfies Record<string, TObject>;

export type NotificationName = keyof typeof NOTIFICATIONS;
export type NotificationPayload<N extends NotificationName> = Static<(typeof NOTIFICATIONS)[N]>;

/** All that a page needs to show the room and to set up its media. */
export interface JoinAnswer {
  participantId: string;
  /** Names this stay in logs; not a secret. */
  sessionId: string;
  /** 128 random bits; with it a new socket goes on as the same participant. */
  resumeToken: string;
  /** True when `resumeToken` was honoured: transports, producers and consumers still exist. */
  resumed: boolean;
  /** Milliseconds that the server waits for a lost page. */
  reconnectTimeout: number;
  room: { number: string; name: string; locked: boolean };
  /** Not in yet: nothing can be sent or received before `let-in`. */
  waiting: boolean;
  /** For a host: who waits to be let in. */
  lobby: Participant[];
  activeSpeaker: string | null;
  /** Everybody, this page included. */
  roster: Participant[];
  /** What the others send. */
  producers: RemoteProducer[];
  videoCodecs: VideoCodecWish[];
  /** The newest lines of this meeting, the oldest of them first. */
  chat: ChatMessage[];
  routerRtpCapabilities: mediasoup.RtpCapabilities;
}

export interface TransportAnswer {
  id: string;
  iceParameters: mediasoup.IceParameters;
  iceCandidates: mediasoup.IceCandidate[];
  dtlsParameters: mediasoup.DtlsParameters;
}

export interface ConsumeAnswer {
  id: string;
  producerId: string;
  kind: 'audio' | 'video';
  rtpParameters: mediasoup.RtpParameters;
  producerPaused: boolean;
}

type Nothing = Record<string, never>;

/** What each request is answered with when it succeeds. */
export interface RequestAnswers {
  join: JoinAnswer;
  leave: Nothing;
  'set-name': Nothing;
  'create-transport': TransportAnswer;
  'connect-transport': Nothing;
  'restart-ice': { iceParameters: mediasoup.IceParameters };
  produce: { producerId: string };
  'pause-producer': Nothing;
  'resume-producer': Nothing;
  'close-producer': Nothing;
  consume: ConsumeAnswer;
  'pause-consumer': Nothing;
  'resume-consumer': Nothing;
  'set-preferred-layers': Nothing;
  'close-consumer': Nothing;
  chat: Nothing;
  admit: Nothing;
}

/** The one shape of every ack. */
export type Ack<N extends RequestName> =
  { ok: true; data: RequestAnswers[N] } | { ok: false; code: string; message: string };
