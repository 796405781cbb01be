/**
 * What media/ promises to the layer above: an engine makes the media of a room, a room makes legs,
 * a leg is one member's streams. Nothing here knows rooms' rules, SIP or sockets.
 */
import type { types as mediasoup } from 'mediasoup';
import type { ConsumerId, LegId, ProducerId, TypedEmitter } from '../base/index.ts';
import type { AudioCodec } from './codecs.ts';
import type { DoorCodec, PhoneDoor } from './door-api.ts';
import type { GridCounters, GridLimits, GridRoom } from './grid-api.ts';
import type { SrtpKeys } from './srtp/index.ts';
import type { MediaDirection, MediaKind, MediaSource, ProducerInfo } from './stream-info.ts';
import type {
  PhoneVideoOpener,
  PhoneVideoRoom,
  VideoCounters,
  WantedVideoCodec,
} from './video-api.ts';

export type { MediaDirection, MediaKind, MediaSource, ProducerInfo } from './stream-info.ts';

/** Sound that is played to phones; `samples` lies in shared memory, so that no thread needs its own. */
export interface Sound {
  readonly rate: 8000 | 16_000;
  /** Nothing else is heard meanwhile. */
  readonly alone?: true;
  readonly samples: Int16Array;
}

export interface MediaEngine {
  readonly events: TypedEmitter<{ workerDied: [] }>;
  createRoom(): Promise<RoomMedia>;
  /** A phone that is in no room yet: it hears what is played to it, and nobody hears it. */
  createWaitingLeg(): Promise<PhoneLeg>;
  /** Through which a WebRTC peer reaches the phone leg of this port; it closes with its call. */
  createDoor(codecs: readonly DoorCodec[], rtpPort: number): Promise<PhoneDoor>;
  /** What is missing for calls to be served; undefined when all is up. */
  unreadyReason(): string | undefined;
  /** Why no room can have a grid on this machine; undefined: rooms can. */
  gridUnavailable(): string | undefined;
  counters(): MediaCounters;
  /** The server is stopping: what ends from now on was meant to, and nothing is started again. */
  drain(): void;
  close(): Promise<void>;
}

/** Totals since the start of the process, for `/metrics`. */
export interface MediaCounters {
  rtpPacketsIn: number;
  rtpPacketsOut: number;
  rtpLost: number;
  /** Phones that found no free RTP port. */
  rtpPortsExhausted: number;
  mixerLateFrames: number;
  /** Rooms that were to go from one mixer thread to another; lost: a thread died meanwhile. */
  mixerMoves: { moved: number; refused: number; lost: number };
  /** How busy each mixer thread is, 0 … 1. */
  mixerThreadsBusy: number[];
  workerDeaths: number;
  /** Its packets count above too. */
  video: VideoCounters;
  /** Seconds that mixing one frame took, cumulative buckets: upper bound → count. */
  mixerFrameSeconds: { buckets: { le: number; count: number }[]; sum: number; count: number };
  grid: GridCounters;
  /** What is open now: tests hold these against their values before a call. */
  open: {
    phoneLegs: number;
    phoneVideos: number;
    rtpPorts: number;
    transports: number;
    producers: number;
    consumers: number;
  };
}

export interface SpeakerLevel {
  legId: LegId;
  /** dBov, −127 … 0 (RFC 6464). */
  level: number;
}

export interface RoomMediaEvents {
  producerAdded: [ProducerInfo];
  producerRemoved: [ProducerInfo];
  /** A phone began or ceased to send a picture within its stream: `paused` says which. */
  producerPaused: [ProducerInfo];
  /** Who speaks now, loudest first; said when it changes and every few hundred ms while not empty. */
  speakers: [SpeakerLevel[]];
  /** A phone with another codec began to want video, or the last one that wanted it ended. */
  videoCodecsWanted: [WantedVideoCodec[]];
  /** The media of the room is gone (its worker died); the room must end. */
  failed: [reason: string];
}

export interface RoomMedia extends PhoneVideoRoom, GridRoom {
  readonly events: TypedEmitter<RoomMediaEvents>;
  /** What a browser loads into its Device. */
  readonly rtpCapabilities: mediasoup.RtpCapabilities;
  createPhoneLeg(): Promise<PhoneLeg>;
  /** Brings a waiting phone in, with the ports that it has; its call notices nothing. */
  adoptPhoneLeg(leg: PhoneLeg): Promise<void>;
  /** For all phones of the room. */
  playTone(sounds: readonly Sound[]): void;
  createWebRtcLeg(): Promise<WebRtcLeg>;
  producers(): ProducerInfo[];
  close(): Promise<void>;
}

/** What offer/answer agreed on for a phone's audio stream. */
export interface PhoneAudio {
  codec: AudioCodec;
  /** Payload type that the phone wants to receive `codec` with. */
  sendPayloadType: number;
  /** Of what is sent, where it is agreed on; random without it. */
  sendSsrc?: number;
  /** What the phone wrote into `a=fmtp` of `codec`. */
  formatParameters?: string;
  /** Every payload type that the phone may send, telephone-event included. */
  receivePayloadTypes: ReadonlyMap<number, AudioCodec>;
  /** RFC 4733, as the phone wants to receive it. */
  telephoneEvent?: { payloadType: number; clockRate: number };
  remoteAddress: string;
  remoteRtpPort: number;
  remoteRtcpPort: number;
  /** Where `a=rtcp` wants it (RFC 3605); `remoteAddress` without it. */
  remoteRtcpAddress?: string;
  rtcpMux: boolean;
  /** Its reports carry how we hear it, in the form of RTCP XR. */
  voipMetrics?: true;
  /** Milliseconds of audio in each packet that we send. */
  ptime: number;
  direction: MediaDirection;
  /** Its packets are SRTP with these keys; undefined: they are not encrypted. */
  srtp?: SrtpKeys;
  /** The host that the call's signalling comes from: whom media may come from behind a NAT. */
  signallingAddress?: string;
}

export interface PhoneLegEvents {
  /** Neither RTP nor RTCP for the timeout, and not on hold. */
  timeout: [];
  dtmf: [digit: string, durationMs: number];
  closed: [];
}

export interface PhoneLeg extends PhoneVideoOpener {
  readonly id: LegId;
  readonly events: TypedEmitter<PhoneLegEvents>;
  /** Where the phone must send to; bound from creation. */
  readonly rtpPort: number;
  readonly rtcpPort: number;
  /** Starts the audio, or changes it after a new offer/answer. */
  configure(audio: PhoneAudio): Promise<void>;
  /** Muted by the room: nobody hears it. It still hears the room. */
  setMuted(muted: boolean): Promise<void>;
  /**
   * For this phone alone, over what it hears, after what is being played. True: it was heard to its end;
   * false: it was stopped, or the leg is gone. Never rejects.
   */
  play(sounds: readonly Sound[]): Promise<boolean>;
  /** Ends what `play` began, within a frame. */
  stopPlaying(): void;
  /** How keys pressed by us reach it: as events (RFC 4733), or as tones in the audio. */
  readonly keyForm: 'events' | 'tones';
  /** Presses keys, `0-9*#A-D`, after one another; resolves as `play` does. */
  press(keys: string): Promise<boolean>;
  /** In a circle while nothing else is played to it; none ends it. */
  setMusic(sounds: readonly Sound[]): void;
  /** How loud it hears the others, in dB; 0 as they are. */
  setHearingGain(decibels: number): void;
  stats(): Promise<PhoneLegStats>;
  close(): Promise<void>;
}

export interface PhoneLegStats {
  packetsReceived: number;
  octetsReceived: number;
  packetsLost: number;
  packetsSent: number;
  /** Milliseconds, RFC 3550 A.8. */
  jitter: number;
  /** Milliseconds, from the phone's receiver reports; undefined before the first. */
  roundTrip?: number;
  codec: string;
  /** Milliseconds of audio that wait to be mixed. */
  buffer?: number;
  /** How the phone rates what it hears, 1 to 5, where it says so (RTCP XR). */
  remoteMos?: number;
}

export interface WebRtcLegEvents {
  /** A stream this browser received is gone: its sender left or stopped. */
  consumerClosed: [ConsumerId];
  /** The sender paused or resumed. */
  consumerPaused: [ConsumerId, paused: boolean];
  /** The layers that this browser now gets; undefined: none. */
  consumerLayers: [ConsumerId, { spatial: number; temporal: number } | undefined];
  /**
   * A transport for both directions reaches its peer; hears nothing of it any more, which `restartIce` may mend; or
   * was ended by it.
   */
  connected: [];
  interrupted: [];
  disconnected: [];
  /** RFC 4733. */
  dtmf: [digit: string, durationMs: number];
  closed: [];
}

export interface WebRtcTransportParameters {
  id: string;
  iceParameters: mediasoup.IceParameters;
  iceCandidates: mediasoup.IceCandidate[];
  dtlsParameters: mediasoup.DtlsParameters;
}

export interface ConsumerParameters {
  id: ConsumerId;
  producerId: ProducerId;
  kind: MediaKind;
  rtpParameters: mediasoup.RtpParameters;
  /** The sender is paused now; the consumer itself always starts paused. */
  producerPaused: boolean;
}

/** A browser's media. Unknown ids and calls at the wrong moment reject with an AppError. */
export interface WebRtcLeg {
  readonly id: LegId;
  readonly events: TypedEmitter<WebRtcLegEvents>;
  /** `both`: one transport for all that is sent and received, and no other beside it. */
  createTransport(direction: 'send' | 'recv' | 'both'): Promise<WebRtcTransportParameters>;
  connectTransport(transportId: string, dtlsParameters: mediasoup.DtlsParameters): Promise<void>;
  restartIce(transportId: string): Promise<mediasoup.IceParameters>;
  produce(options: {
    transportId: string;
    kind: MediaKind;
    source: MediaSource;
    rtpParameters: mediasoup.RtpParameters;
    paused: boolean;
    alternative?: boolean;
  }): Promise<ProducerInfo>;
  setProducerPaused(producerId: ProducerId, paused: boolean): Promise<void>;
  closeProducer(producerId: ProducerId): Promise<void>;
  consume(
    producerId: ProducerId,
    rtpCapabilities: mediasoup.RtpCapabilities,
  ): Promise<ConsumerParameters>;
  setConsumerPaused(consumerId: ConsumerId, paused: boolean): Promise<void>;
  setPreferredLayers(
    consumerId: ConsumerId,
    layers: { spatial: number; temporal?: number },
  ): Promise<void>;
  closeConsumer(consumerId: ConsumerId): Promise<void>;
  /** Muted by the room: its microphone is not forwarded until unmuted, whatever the browser does. */
  setMuted(muted: boolean): Promise<void>;
  close(): Promise<void>;
}

/** What the engine is built with: a section of the settings. */
export interface MediaSettings {
  /** The address that goes into SDP and ICE candidates. */
  publicAddress: string;
  rtpPortMin: number;
  rtpPortMax: number;
  webRtcPort: number;
  /** mediasoup workers; worker i listens on webRtcPort + i. */
  workers: number;
  /** Threads that mix for phones. */
  mixerThreads: number;
  /** How busy a mixer thread is, 0 … 1, when it begins to give rooms to another one; 0: never. */
  mixerMoveFrom?: number;
  /** Milliseconds without RTP and RTCP after which a phone leg reports `timeout`. */
  rtpTimeout: number;
  /** The mark of phones' packets for the network's queues (RFC 2474), 0 for none. */
  rtpDscp: number;
  /** Phones that are too soft or too loud are brought near the others. */
  autoGain?: boolean;
  /** Of what phones are sent in Opus. */
  opus?: { bitrate: number; complexity: number };
  /** Composed pictures of rooms; left out: none. */
  grid?: GridLimits;
}
