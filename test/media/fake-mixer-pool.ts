import { SystemClock, TypedEmitter, type LegId } from '../../base/index.ts';
import { audioCodec, type AudioCodecName } from '../../media/codecs.ts';
import type { PhoneAudio, PhoneLegStats, Sound } from '../../media/media-api.ts';
import type {
  MicrophoneInput,
  MixerPool,
  MixerRoom,
  MixerRoomEvents,
  PublishTarget,
} from '../../media/mixer/mixer-api.ts';

import { PortAllocator } from '../../media/rtp/index.ts';

/** A mixer that notes what it is asked for; `gate` holds its answers back. */
export class FakeMixerRoom implements MixerRoom {
  readonly events = new TypedEmitter<MixerRoomEvents>();
  readonly legs = new Map<LegId, { audio?: PhoneAudio; muted: boolean }>();
  readonly published = new Map<LegId, PublishTarget>();
  readonly played: { legId: LegId; playId: number; sounds: readonly Sound[] }[] = [];
  readonly microphones = new Map<LegId, MicrophoneInput>();
  gate: Promise<void> = Promise.resolve();
  failure: Error | undefined;
  closed = false;
  /** Where microphones are sent to. */
  microphonePort = 9;

  async createLeg(legId: LegId): Promise<{ rtpPort: number; rtcpPort: number }> {
    await this.#answer();
    this.legs.set(legId, { muted: false });

    return { rtpPort: 40_000, rtcpPort: 40_001 };
  }

  async configureLeg(legId: LegId, audio: PhoneAudio): Promise<void> {
    await this.#answer();
    this.legs.get(legId)!.audio = audio;
  }

  async setLegMuted(legId: LegId, muted: boolean): Promise<void> {
    await this.#answer();
    this.legs.get(legId)!.muted = muted;
  }

  async publishLeg(legId: LegId, target: PublishTarget): Promise<void> {
    await this.#answer();
    this.published.set(legId, target);
  }

  async unpublishLeg(legId: LegId): Promise<void> {
    await this.#answer();
    this.published.delete(legId);
  }

  legStats(): Promise<PhoneLegStats> {
    return Promise.reject(new Error('not measured'));
  }

  async closeLeg(legId: LegId): Promise<void> {
    await this.#answer();
    this.legs.delete(legId);
    this.published.delete(legId);
  }

  async moveLeg(legId: LegId, to: MixerRoom): Promise<void> {
    await this.#answer();
    const leg = this.legs.get(legId)!;
    this.legs.delete(legId);
    (to as FakeMixerRoom).legs.set(legId, leg);
  }

  async playTo(legId: LegId, playId: number, sounds: readonly Sound[]): Promise<void> {
    await this.#answer();
    this.played.push({ legId, playId, sounds });
  }

  stopPlaying(): Promise<void> {
    return this.#answer();
  }

  pressKeys(): Promise<void> {
    return this.#answer();
  }

  setLegMusic(): Promise<void> {
    return this.#answer();
  }

  setLegHearingGain(): Promise<void> {
    return this.#answer();
  }

  playTone(): Promise<void> {
    return this.#answer();
  }

  async addMicrophone(input: MicrophoneInput): Promise<{ address: string; port: number }> {
    await this.#answer();
    this.microphones.set(input.legId, input);

    return { address: '127.0.0.1', port: this.microphonePort };
  }

  async removeMicrophone(legId: LegId): Promise<void> {
    await this.#answer();
    this.microphones.delete(legId);
  }

  close(): Promise<void> {
    this.closed = true;

    return Promise.resolve();
  }

  async #answer(): Promise<void> {
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
  }
}

export class FakeMixerPool implements MixerPool {
  readonly ports = new PortAllocator({ min: 46_000, max: 46_999, clock: new SystemClock() });
  readonly rooms: FakeMixerRoom[] = [];

  createRoom(): FakeMixerRoom {
    const room = new FakeMixerRoom();
    this.rooms.push(room);

    return room;
  }

  counters(): ReturnType<MixerPool['counters']> {
    return {
      rtpPacketsIn: 0,
      rtpPacketsOut: 0,
      rtpLost: 0,
      rtpPortsExhausted: 0,
      mixerLateFrames: 0,
      mixerMoves: { moved: 0, refused: 0, lost: 0 },
      mixerThreadsBusy: [0],
      mixerFrameSeconds: { buckets: [], sum: 0, count: 0 },
      phoneLegs: 0,
      rtpPorts: 0,
    };
  }

  unreadyReason(): string | undefined {
    return undefined;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** What offer/answer agrees on with a phone at `remoteRtpPort`. */
export function phoneAudio(
  codecName: AudioCodecName,
  changes: Partial<PhoneAudio> = {},
): PhoneAudio {
  const codec = audioCodec(codecName);

  return {
    codec,
    sendPayloadType: codec.payloadType,
    receivePayloadTypes: new Map([[codec.payloadType, codec]]),
    remoteAddress: '127.0.0.1',
    remoteRtpPort: 50_000,
    remoteRtcpPort: 50_001,
    rtcpMux: false,
    ptime: 20,
    direction: 'sendrecv',
    ...changes,
  };
}
