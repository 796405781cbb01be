/**
 * What media/ promises of a phone's video. A phone shows one picture for each of its m-lines, so the room
 * chooses for it: the main stream follows the active speaker, or what somebody shares; a stream of
 * slides shows shared screens alone. What the phone sends is one stream of the room like a browser's camera.
 *
 * The course of a call:
 * 1. `openVideo` of the phone's leg, for each m-line that is to be offered or accepted: ports are bound.
 * 2. `configure` after each offer/answer, the first and every later one, as with audio: another address, key,
 *    direction or payload number changes what runs and keeps SSRC, sequence numbers and timestamps going on.
 * 3. `keyFrameWanted`: the phone is to be asked by signalling (RFC 5168, picture_fast_update). The other
 *    way round, `requestKeyFrame` when the phone asks by signalling. Both are rate-limited here.
 * 4. `close` when the m-line goes; the leg's `close` closes its videos too.
 *
 * Nothing is transcoded: a phone sees only streams of its own codec, else a black picture. Which codecs
 * that are is `wantedVideoCodecs` of the room, so that browsers can be asked to send them.
 */
import type { LegId, TypedEmitter } from '../base/index.ts';
import type { MediaDirection, ProducerInfo } from './stream-info.ts';
import type { SrtpKeys } from './srtp/index.ts';

export type VideoCodecName = 'H264' | 'VP8';

/** `slides`: shared screens alone, in an m-line with `a=content:slides` (RFC 4796). */
export type PhoneVideoContent = 'main' | 'slides';

/**
 * The feedback that was agreed on (`a=rtcp-fb`, RFC 4585 and 5104). Nothing else is sent to a phone; requests for
 * key frames of it are heard in any case.
 */
export interface VideoFeedback {
  nack?: true;
  pli?: true;
  fir?: true;
  tmmbr?: true;
  /** What Chromium calls `goog-remb`: also read when it was not agreed on. */
  remb?: true;
}

/** What offer/answer agreed on for one video stream of a phone. */
export interface PhoneVideo {
  codec: VideoCodecName;
  /** Payload type that the phone wants to receive `codec` with. */
  sendPayloadType: number;
  /** Payload type that the phone sends it with. */
  receivePayloadType: number;
  /**
   * H.264: what the phone can receive (RFC 6184 6); 0, also when it is left out, is single NAL units alone, of
   * at most 8000 octets: what is above the network's own limit goes in fragments of IP, what is longer not at all.
   * The rest of `a=fmtp` is the negotiation's: a stream is sent as its sender made it.
   */
  packetizationMode?: 0 | 1;
  /** H.264: the highest level_idc that the phone takes, 9 for 1b: it is not sent a grid that is above it. */
  maxLevel?: number;
  /** Retransmission as RFC 4588; the numbers as above. Without it lost packets are sent again as they were. */
  rtx?: { sendPayloadType: number; receivePayloadType: number };
  feedback: VideoFeedback;
  /** Bits a second that the phone wants at most: its `b=TIAS`, or 1000 times its `b=AS`. */
  maxBitrate?: number;
  remoteAddress: string;
  remoteRtpPort: number;
  remoteRtcpPort: number;
  /** Where `a=rtcp` wants it (RFC 3605); `remoteAddress` without it. */
  remoteRtcpAddress?: string;
  rtcpMux: boolean;
  /** As seen from us; anything but sending shows nothing, anything but receiving publishes nothing. */
  direction: MediaDirection;
  srtp?: SrtpKeys;
  /** The host that the call's signalling comes from: whom media may come from behind a NAT. */
  signallingAddress?: string;
}

export interface PhoneVideoEvents {
  /** It is to be asked for a key frame by signalling: no RTCP for that was agreed on, or it ignores it. */
  keyFrameWanted: [];
  /**
   * What it is shown now: a member's stream, or all of them; undefined: a black picture, as nothing of its
   * codec is there.
   */
  showing: [ProducerInfo | 'grid' | undefined];
  closed: [];
}

export interface PhoneVideoLeg {
  readonly content: PhoneVideoContent;
  readonly events: TypedEmitter<PhoneVideoEvents>;
  /** Where the phone must send to; bound from creation. */
  readonly rtpPort: number;
  readonly rtcpPort: number;
  /** The one SSRC of what is sent, for the whole call: for `a=ssrc`. */
  readonly ssrc: number;
  /** Of its retransmissions, where RTX is agreed on. */
  readonly rtxSsrc: number;
  /** Starts the video, or changes it after a new offer/answer. */
  configure(video: PhoneVideo): Promise<void>;
  /** The phone asked by signalling. */
  requestKeyFrame(): void;
  stats(): PhoneVideoStats;
  close(): Promise<void>;
}

export interface PhoneVideoStats {
  codec: VideoCodecName | undefined;
  packetsReceived: number;
  packetsLost: number;
  packetsSent: number;
  octetsSent: number;
  /** Milliseconds, RFC 3550 A.8. */
  jitter: number;
  roundTrip?: number;
  /** How often the picture went to another source. */
  switches: number;
  /** Asked of the phone, by RTCP or signalling; and by the phone. */
  keyFramesRequested: number;
  keyFrameRequests: number;
  /** Packets sent again. */
  retransmitted: number;
  /** NAL units that one packet cannot hold, for phones that take no fragments. */
  tooLong: number;
  /** Bits a second that the phone wants at most at present; undefined: it did not say. */
  maxBitrate?: number;
}

/** Of all phones' video since the start of the process. */
export interface VideoCounters {
  packetsIn: number;
  packetsOut: number;
  lost: number;
  /** How often a phone's picture went to another source. */
  switches: number;
  /** Of phones by us; and by phones of what they are shown, as they came. */
  keyFramesAsked: number;
  keyFrameRequests: number;
  /** Packets sent again. */
  retransmitted: number;
  /** NAL units that one packet cannot hold. */
  tooLong: number;
}

/** Of a phone's leg, whether it waits or is in a room. */
export interface PhoneVideoOpener {
  /** Rejects with MEDIA_UNAVAILABLE when no port is free; at most one of each content. */
  openVideo(content: PhoneVideoContent): Promise<PhoneVideoLeg>;
}

export interface WantedVideoCodec {
  codec: VideoCodecName;
  /** The phones that take no other. */
  legIds: LegId[];
}

/** What a room does for the video of its phones. */
export interface PhoneVideoRoom {
  /** Whose picture the others see; undefined: nobody spoke yet. */
  setActiveSpeaker(legId: LegId | undefined): void;
  /** What phones that are sent video at present take; `videoCodecsWanted` says that it changed. */
  wantedVideoCodecs(): WantedVideoCodec[];
}
