/**
 * What media/ promises for a WebRTC peer with one audio stream: ICE, DTLS and SRTP end in a door, and
 * behind the door is a phone leg like any other, with its mix, its keys and its announcements.
 */
import type { types as mediasoup } from 'mediasoup';
import type { TypedEmitter } from '../base/index.ts';
import type { AudioCodec } from './codecs.ts';

/** Audio or telephone-event, under the number that both descriptions give it. */
export interface DoorCodec {
  readonly codec: AudioCodec;
  readonly payloadType: number;
}

export interface PhoneDoorEvents {
  /** The peer is reached, or is not any more. */
  connected: [];
  disconnected: [];
  closed: [];
}

export interface PhoneDoor {
  readonly events: TypedEmitter<PhoneDoorEvents>;
  readonly ice: mediasoup.IceParameters;
  readonly candidates: readonly mediasoup.IceCandidate[];
  readonly fingerprints: readonly mediasoup.DtlsFingerprint[];
  /** What the peer receives, for `a=ssrc`. */
  readonly sent: mediasoup.RtpParameters;
  /** For the leg's `configure`: where the door is, and what it expects of the leg. */
  readonly inside: {
    readonly remoteAddress: string;
    readonly remoteRtpPort: number;
    readonly remoteRtcpPort: number;
    readonly rtcpMux: true;
    readonly sendSsrc: number;
  };
  connect(dtls: mediasoup.DtlsParameters): Promise<void>;
  /** `ice` has the new parameters then. */
  restartIce(): Promise<void>;
  /** What the peer sends, as its description names it; undefined: nothing. */
  receive(parameters: mediasoup.RtpParameters | undefined): Promise<void>;
  close(): void;
}
