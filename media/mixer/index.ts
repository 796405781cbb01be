export type {
  MicrophoneInput,
  MixerPool,
  MixerRoom,
  MixerRoomEvents,
  PublishTarget,
} from './mixer-api.ts';
export { createMixerPool } from './mixer-pool.ts';
export type { MixerPoolDeps, MixerSettings } from './mixer-pool.ts';
export { measureLevel, SILENCE_DBOV, SpeechDetector } from './audio-level.ts';
export { usablePtime } from './mix-encoder.ts';
export { LegPlayback } from './leg-playback.ts';
export { MixerInput } from './mixer-input.ts';
