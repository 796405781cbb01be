export { createMediaEngine } from './media-engine.ts';
export type { MediaEngineDeps } from './media-engine.ts';
export type {
  ConsumerParameters,
  MediaCounters,
  MediaDirection,
  MediaEngine,
  MediaKind,
  MediaSettings,
  MediaSource,
  PhoneAudio,
  PhoneLeg,
  PhoneLegEvents,
  PhoneLegStats,
  ProducerInfo,
  RoomMedia,
  RoomMediaEvents,
  Sound,
  SpeakerLevel,
  WebRtcLeg,
  WebRtcLegEvents,
  WebRtcTransportParameters,
} from './media-api.ts';
export type { GridCounters, GridLimits, GridPlan, GridRoom } from './grid-api.ts';
export type {
  PhoneVideo,
  PhoneVideoContent,
  PhoneVideoEvents,
  PhoneVideoLeg,
  PhoneVideoOpener,
  PhoneVideoRoom,
  PhoneVideoStats,
  VideoCodecName,
  VideoFeedback,
  WantedVideoCodec,
} from './video-api.ts';
export type { DoorCodec, PhoneDoor, PhoneDoorEvents } from './door-api.ts';
export { callQuality } from './quality/index.ts';
export type { CallQuality } from './quality/index.ts';
export { findSrtpSuite, SRTP_SUITES } from './srtp/index.ts';
export type { SrtpKey, SrtpKeys, SrtpSuite, SrtpSuiteName } from './srtp/index.ts';
export { ENTRY_TONE, EXIT_TONE, PromptLibrary } from './prompts/index.ts';
export type { PromptItem, PromptName } from './prompts/index.ts';
export {
  AUDIO_CODECS,
  audioCodec,
  findAudioCodec,
  findStaticAudioCodec,
  isDynamicPayloadType,
  TELEPHONE_EVENT,
  findTelephoneEvent,
} from './codecs.ts';
export type { AudioCodec, AudioCodecName } from './codecs.ts';
export { createEncoder } from './codec/index.ts';
export { writeRtp } from './rtp/index.ts';
export { CompositorHost, loadAvLibrary, packetize, Picture, PictureEncoder } from './grid/index.ts';
export type { GridCodec, GridReport, GridStream } from './grid/index.ts';
