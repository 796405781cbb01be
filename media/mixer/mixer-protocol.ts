/** What the main thread and a mixer thread say to each other. */
import type { LegId } from '../../base/index.ts';
import type { OpusSettings } from '../codec/index.ts';
import type { PhoneAudio, PhoneLegStats, Sound, SpeakerLevel } from '../media-api.ts';
import type { FrozenSocket, PortPair } from '../rtp/index.ts';
import type { HistogramValue } from './frame-histogram.ts';
import type { MicrophoneInput, PublishTarget } from './mixer-api.ts';
import type { MessagePort } from 'node:worker_threads';

/** One room of this pool, for as long as the process lives. */
export type RoomKey = number;

interface InRoom {
  room: RoomKey;
}

interface OfLeg extends InRoom {
  legId: LegId;
}

/** Operation → what it takes and what it answers. */
export interface MixerCalls {
  createRoom: { args: InRoom; result: void };
  closeRoom: { args: InRoom; result: void };
  createLeg: { args: OfLeg & { ports: PortPair }; result: { rtpPort: number; rtcpPort: number } };
  configureLeg: { args: OfLeg & { audio: PhoneAudio }; result: void };
  setLegMuted: { args: OfLeg & { muted: boolean }; result: void };
  publishLeg: { args: OfLeg & { target: PublishTarget }; result: void };
  unpublishLeg: { args: OfLeg; result: void };
  legStats: { args: OfLeg; result: PhoneLegStats };
  closeLeg: { args: OfLeg; result: void };
  /** To another room of the same thread. */
  moveLeg: { args: OfLeg & { to: RoomKey }; result: void };
  playTo: { args: OfLeg & { playId: number; sounds: readonly Sound[] }; result: void };
  stopPlaying: { args: OfLeg; result: void };
  pressKeys: { args: OfLeg & { playId: number; keys: string }; result: void };
  setLegMusic: { args: OfLeg & { sounds: readonly Sound[] }; result: void };
  setLegHearingGain: { args: OfLeg & { gain: number }; result: void };
  playTone: { args: InRoom & { sounds: readonly Sound[] }; result: void };
  addMicrophone: {
    args: InRoom & { input: MicrophoneInput };
    result: { address: string; port: number };
  };
  removeMicrophone: { args: OfLeg; result: void };
  /** The room goes over `passage` to whoever thaws it; refused, it stays as it is. */
  freezeRoom: { args: InRoom & { passage: MessagePort }; result: FrozenSocket[] };
  thawRoom: { args: InRoom & { passage: MessagePort; taken: Int32Array }; result: void };
}

export type MixerOperation = keyof MixerCalls;

export type MixerHandlers = {
  [Op in MixerOperation]: (
    args: MixerCalls[Op]['args'],
  ) => MixerCalls[Op]['result'] | Promise<MixerCalls[Op]['result']>;
};

/** Main → thread. */
export interface MixerRequest {
  id: number;
  op: MixerOperation;
  args: unknown;
}

/** Why a call failed; `PORT_TAKEN` asks for another pair. */
export type MixerFailure = 'PORT_TAKEN' | 'INVALID_STATE' | 'MEDIA_UNAVAILABLE' | 'INTERNAL';

export interface ThreadReport {
  rtpPacketsIn: number;
  rtpPacketsOut: number;
  rtpLost: number;
  mixerLateFrames: number;
  mixerFrameSeconds: HistogramValue;
  load: ThreadLoad;
}

/** What keeps a thread busy. */
export interface ThreadLoad {
  /** Share of the last second in which it had something to do, 0 … 1. */
  busy: number;
  /** Of those frames of the last second that were due, the share that was made too late. */
  late: number;
  /** Each room's part of `busy`. */
  rooms: { room: RoomKey; cost: number }[];
}

/** Thread → main. */
export type MixerMessage =
  | { type: 'ready' }
  | { type: 'answer'; id: number; value: unknown }
  | { type: 'refusal'; id: number; failure: MixerFailure; message: string }
  | { type: 'speakers'; room: RoomKey; speakers: SpeakerLevel[] }
  | { type: 'timeout'; room: RoomKey; legId: LegId }
  | { type: 'dtmf'; room: RoomKey; legId: LegId; digit: string; durationMs: number }
  | { type: 'played'; room: RoomKey; legId: LegId; playId: number; complete: boolean }
  | { type: 'report'; report: ThreadReport }
  /** A mistake of ours that one frame of one room was lost to. */
  | { type: 'fault'; room: RoomKey; error: string };

/** What a thread is started with. */
export interface ThreadData {
  bindAddress: string;
  rtpTimeout: number;
  dscp: number;
  autoGain: boolean;
  opus?: OpusSettings;
}
