/**
 * The mixer as the rest of media/ sees it. A phone leg lives wholly in a mixer thread: its sockets,
 * jitter buffer, codecs and its place in the mix; only control and events cross to the main thread.
 */
import type { LegId, TypedEmitter } from '../../base/index.ts';
import type { AudioCodec } from '../codecs.ts';
import type { PortAllocator } from '../rtp/index.ts';
import type {
  MediaCounters,
  PhoneAudio,
  PhoneLegStats,
  Sound,
  SpeakerLevel,
} from '../media-api.ts';

export interface MixerPool {
  /** Of all phones' sockets, whoever binds them. */
  readonly ports: PortAllocator;
  /** On the least loaded thread. */
  createRoom(): MixerRoom;
  counters(): Pick<
    MediaCounters,
    | 'rtpPacketsIn'
    | 'rtpPacketsOut'
    | 'rtpLost'
    | 'rtpPortsExhausted'
    | 'mixerLateFrames'
    | 'mixerFrameSeconds'
    | 'mixerMoves'
    | 'mixerThreadsBusy'
  > & { phoneLegs: number; rtpPorts: number };
  /** Undefined while every thread lives. */
  unreadyReason(): string | undefined;
  close(): Promise<void>;
}

export interface MixerRoomEvents {
  /** Phones that speak now, loudest first; on change and every few hundred ms while not empty. */
  speakers: [SpeakerLevel[]];
  legTimeout: [LegId];
  legDtmf: [LegId, digit: string, durationMs: number];
  /** What `playTo` began is over. */
  legPlayed: [LegId, playId: number, complete: boolean];
  /** The thread died; every leg of the room is gone. */
  failed: [reason: string];
}

/** Where a phone's packets are copied to, for the browsers: a loopback transport of the SFU. */
export interface PublishTarget {
  address: string;
  port: number;
  /** The one SSRC that the stream keeps, whatever the phone does. */
  ssrc: number;
  payloadType: number;
  /** Codec that is forwarded; packets of another payload type are not. */
  codec: AudioCodec;
  /** RFC 6464 one-byte header extension id to write the measured level with. */
  audioLevelExtensionId: number;
}

/** A browser's microphone as the SFU sends it to the mixer. */
export interface MicrophoneInput {
  legId: LegId;
  codec: AudioCodec;
  payloadType: number;
  ssrc: number;
  /** RFC 6464 extension id in its packets; undefined: the level is measured after decoding. */
  audioLevelExtensionId?: number;
}

export interface MixerRoom {
  readonly events: TypedEmitter<MixerRoomEvents>;
  /** Binds an RTP/RTCP port pair. Rejects with AppError MEDIA_UNAVAILABLE when none is free. */
  createLeg(legId: LegId): Promise<{ rtpPort: number; rtcpPort: number }>;
  configureLeg(legId: LegId, audio: PhoneAudio): Promise<void>;
  setLegMuted(legId: LegId, muted: boolean): Promise<void>;
  publishLeg(legId: LegId, target: PublishTarget): Promise<void>;
  unpublishLeg(legId: LegId): Promise<void>;
  legStats(legId: LegId): Promise<PhoneLegStats>;
  closeLeg(legId: LegId): Promise<void>;
  /** The leg goes on in another room of the pool, with its ports. */
  moveLeg(legId: LegId, to: MixerRoom): Promise<void>;
  /** After what is being played to the leg; `legPlayed` tells of its end. */
  playTo(legId: LegId, playId: number, sounds: readonly Sound[]): Promise<void>;
  stopPlaying(legId: LegId): Promise<void>;
  /** Keys as events, to a leg that agreed on them; `legPlayed` tells of the end. */
  pressKeys(legId: LegId, playId: number, keys: string): Promise<void>;
  setLegMusic(legId: LegId, sounds: readonly Sound[]): Promise<void>;
  /** A factor. */
  setLegHearingGain(legId: LegId, gain: number): Promise<void>;
  /** For every leg of the room. */
  playTone(sounds: readonly Sound[]): Promise<void>;
  /** Answers the loopback port to which the SFU must send the microphone. */
  addMicrophone(input: MicrophoneInput): Promise<{ address: string; port: number }>;
  removeMicrophone(legId: LegId): Promise<void>;
  close(): Promise<void>;
}
