/** Size: the one place where a room's browsers, its mixer and the bridge between them meet. */
import type { types as mediasoup } from 'mediasoup';
import {
  AppError,
  newLegId,
  toError,
  TypedEmitter,
  type LegId,
  type Logger,
  type ProducerId,
} from '../base/index.ts';
import type {
  PhoneLeg,
  ProducerInfo,
  RoomMedia,
  RoomMediaEvents,
  Sound,
  WebRtcLeg,
} from './media-api.ts';
import type { MixerPool, MixerRoom } from './mixer/index.ts';
import { MixerPhoneLeg, type PhoneLegHost } from './phone-leg.ts';
import {
  isPhoneMedia,
  PhoneBridge,
  SfuWebRtcLeg,
  splitKeys,
  type BrowserProducer,
  type PortRange,
  type WebRtcLegHost,
} from './sfu/index.ts';
import { SpeakerBoard } from './speaker-board.ts';
import type { GridPlan } from './grid-api.ts';
import type { GridService } from './grid/index.ts';
import type { WantedVideoCodec } from './video-api.ts';
import { RoomVideo, type PhoneVideoDeps } from './video/index.ts';
import type { RoomRouter } from './worker-pool.ts';

export interface RoomMediaDeps extends RoomRouter {
  mixers: MixerPool;
  loopbackPorts: PortRange;
  video: PhoneVideoDeps;
  /** Seconds without a sign of a WebRTC phone. */
  consentTimeout: number;
  grids: GridService;
  logger: Logger;
  closed(room: SfuRoomMedia): void;
}

interface PhoneHalf {
  mixer: MixerRoom;
  bridge: PhoneBridge;
}

/** Browsers that are louder than this speak. */
const SPEECH_THRESHOLD = -55;
/** As many as a stage ever marks. */
const MAX_SPEAKERS = 10;
/** Milliseconds; at 20 ms a packet mediasoup needs 200 to have an average. */
const SPEAKER_INTERVAL = 300;

/** Where a browser starts before the bandwidth estimate knows better. */
const INITIAL_OUTGOING_BITRATE = 1_000_000;

export async function createRoomMedia(deps: RoomMediaDeps): Promise<SfuRoomMedia> {
  const audioLevels = await deps.router.createAudioLevelObserver({
    maxEntries: MAX_SPEAKERS,
    threshold: SPEECH_THRESHOLD,
    interval: SPEAKER_INTERVAL,
  });

  return new SfuRoomMedia(deps, audioLevels);
}

/**
 * The media of one room: a router for browsers, and from the first phone on a mixer and the bridge
 * between the two.
 */
export class SfuRoomMedia implements RoomMedia {
  readonly events = new TypedEmitter<RoomMediaEvents>();
  readonly rtpCapabilities: mediasoup.RtpCapabilities;
  readonly #deps: RoomMediaDeps;
  readonly #audioLevels: mediasoup.AudioLevelObserver;
  readonly #browsers = new Map<LegId, SfuWebRtcLeg>();
  readonly #phones = new Map<LegId, MixerPhoneLeg>();
  readonly #browserProducers = new Map<ProducerId, BrowserProducer>();
  readonly #speakers = new SpeakerBoard((levels) => {
    this.#video.setSpeaking(levels.map(({ legId }) => legId));
    this.events.emit('speakers', levels);
  });
  readonly #video: RoomVideo;
  #phoneHalf: PhoneHalf | undefined;
  #closing: Promise<void> | undefined;
  #failed = false;

  constructor(deps: RoomMediaDeps, audioLevels: mediasoup.AudioLevelObserver) {
    this.#deps = deps;
    this.#audioLevels = audioLevels;
    this.rtpCapabilities = deps.router.rtpCapabilities;
    this.#video = this.#openVideo();
    deps.router.on('workerclose', () => {
      this.#fail('the media worker died');
    });
    audioLevels.on('volumes', (volumes) => {
      this.#speakers.setBrowsers(this.#browserLevels(volumes));
    });
    audioLevels.on('silence', () => {
      this.#speakers.setBrowsers([]);
    });
  }

  async createPhoneLeg(): Promise<PhoneLeg> {
    this.#assertOpen();
    const { mixer, bridge } = (this.#phoneHalf ??= this.#openPhoneHalf());
    const id = newLegId();
    const ports = await mixer.createLeg(id);
    const leg = new MixerPhoneLeg(id, ports, mixer, this.#phoneLegHost(bridge), this.#deps.video);
    this.#phones.set(id, leg);
    if (this.#closing !== undefined) {
      await leg.close();
      this.#assertOpen();
    }
    this.#later(bridge.phoneJoined(id));

    return leg;
  }

  async adoptPhoneLeg(leg: PhoneLeg): Promise<void> {
    this.#assertOpen();
    if (!(leg instanceof MixerPhoneLeg)) throw new TypeError('a leg of another engine');
    const { mixer, bridge } = (this.#phoneHalf ??= this.#openPhoneHalf());
    this.#phones.set(leg.id, leg);
    this.#later(bridge.phoneJoined(leg.id));
    await leg.moveTo(mixer, this.#phoneLegHost(bridge));
    if (this.#closing === undefined) return;
    await leg.close();
    this.#assertOpen();
  }

  playTone(sounds: readonly Sound[]): void {
    if (this.#phones.size > 0) this.#later(this.#phoneHalf?.mixer.playTone(sounds));
  }

  setActiveSpeaker(legId: LegId | undefined): void {
    this.#video.setActiveSpeaker(legId);
  }

  wantedVideoCodecs(): WantedVideoCodec[] {
    return this.#video.wantedCodecs();
  }

  async createWebRtcLeg(): Promise<WebRtcLeg> {
    this.#assertOpen();
    const leg = new SfuWebRtcLeg(this.#webRtcLegHost(), this.#deps.logger);
    this.#browsers.set(leg.id, leg);
    this.#tellBrowsers();

    return leg;
  }

  producers(): ProducerInfo[] {
    return [
      ...[...this.#browserProducers.values()].map(({ info }) => info),
      ...this.#phoneProducers(),
    ];
  }

  setGrid(plan: GridPlan): void {
    this.#video.setGrid(plan);
  }

  gridReason(legId?: LegId): string | undefined {
    return this.#video.gridReason(legId);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();

    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#browsers.values()].map((leg) => leg.close()));
    await Promise.all(
      [...this.#phones.values()].map((leg) => this.#ignoreErrors('phone leg', leg.close())),
    );
    await this.#ignoreErrors('video', this.#video.close());
    if (this.#phoneHalf !== undefined) {
      await this.#phoneHalf.bridge.close();
      await this.#ignoreErrors('mixer room', this.#phoneHalf.mixer.close());
    }
    this.#deps.router.close();
    this.#deps.closed(this);
  }

  /** The owner is told first: it knows whom to say goodbye to. */
  #fail(reason: string): void {
    if (this.#closing !== undefined || this.#failed) return;
    this.#failed = true;
    this.events.emit('failed', reason);
    this.#later(this.close());
  }

  #openPhoneHalf(): PhoneHalf {
    const { router, mixers, loopbackPorts, logger } = this.#deps;
    const mixer = mixers.createRoom();
    const bridge = new PhoneBridge({
      router,
      mixer,
      ports: loopbackPorts,
      logger,
      producerAdded: (info) => {
        this.events.emit('producerAdded', info);
      },
      producerRemoved: (info) => {
        this.events.emit('producerRemoved', info);
      },
    });
    mixer.events.on('speakers', (levels) => {
      this.#speakers.setPhones(levels.filter(({ legId }) => this.#phones.has(legId)));
    });
    mixer.events.on('legTimeout', (legId) => {
      this.#phones.get(legId)?.events.emit('timeout');
    });
    mixer.events.on('legDtmf', (legId, digit, durationMs) => {
      this.#phones.get(legId)?.events.emit('dtmf', digit, durationMs);
    });
    mixer.events.on('legPlayed', (legId, playId, complete) => {
      this.#phones.get(legId)?.played(playId, complete);
    });
    mixer.events.on('failed', (reason) => {
      this.#fail(reason);
    });
    this.#later(bridge.setBrowsers(this.#browsers.size > 0));
    for (const { info, producer } of this.#browserProducers.values()) {
      if (isPhoneMedia(info)) this.#later(bridge.microphoneAdded(info.legId, producer));
    }

    return { mixer, bridge };
  }

  #openVideo(): RoomVideo {
    const { router, loopbackPorts, logger, video, grids } = this.#deps;

    return new RoomVideo({
      router,
      ports: loopbackPorts,
      logger,
      clock: video.clock,
      grids,
      producerAdded: (info) => {
        this.events.emit('producerAdded', info);
      },
      producerRemoved: (info) => {
        this.events.emit('producerRemoved', info);
      },
      producerPaused: (info) => {
        this.events.emit('producerPaused', info);
      },
      codecsWanted: (wanted) => {
        this.events.emit('videoCodecsWanted', wanted);
      },
    });
  }

  #phoneProducers(): ProducerInfo[] {
    return [...(this.#phoneHalf?.bridge.producers() ?? []), ...this.#video.producers()];
  }

  #phoneLegHost(bridge: PhoneBridge): PhoneLegHost {
    return {
      configured: (leg, audio) => {
        this.#later(bridge.phoneConfigured(leg.id, audio));
      },
      muted: (leg, muted) => {
        if (muted) this.#speakers.drop(leg.id);
        this.#later(bridge.phoneMuted(leg.id, muted));
      },
      videoAdded: (session) => {
        this.#video.add(session);
      },
      videoRemoved: (session) => this.#video.remove(session),
      leaving: async (leg) => {
        this.#phones.delete(leg.id);
        this.#speakers.drop(leg.id);
        await bridge.phoneLeft(leg.id);
      },
    };
  }

  #webRtcLegHost(): WebRtcLegHost {
    const { router, webRtcServer } = this.#deps;

    return {
      openTransport: (direction) =>
        router.createWebRtcTransport({
          webRtcServer,
          enableUdp: true,
          enableTcp: true,
          preferUdp: true,
          initialAvailableOutgoingBitrate: INITIAL_OUTGOING_BITRATE,
          // Pages watch their own connections, and begin again by themselves.
          ...(direction === 'both' && { iceConsentTimeout: this.#deps.consentTimeout }),
        }),
      splitKeys: (producer, paused, onDigit) =>
        splitKeys({
          ...{ router, producer, paused, onDigit },
          ports: this.#deps.loopbackPorts,
          clock: this.#deps.video.clock,
        }),
      findProducer: (id) =>
        this.#browserProducers.get(id)?.info ??
        this.#phoneProducers().find((info) => info.id === id),
      canConsume: (producerId, rtpCapabilities) =>
        router.canConsume({ producerId, rtpCapabilities }),
      producerAdded: (stream) => {
        this.#browserProducerAdded(stream);
      },
      producerRemoved: (stream) => {
        this.#browserProducerRemoved(stream);
      },
      closed: (leg) => {
        this.#browsers.delete(leg.id);
        this.#speakers.drop(leg.id);
        this.#tellBrowsers();
        this.#later(this.#phoneHalf?.bridge.browserLeft(leg.id));
      },
    };
  }

  #browserProducerAdded(stream: BrowserProducer): void {
    const { info, producer } = stream;
    this.#browserProducers.set(stream.id, stream);
    if (isPhoneMedia(info)) {
      this.#later(this.#audioLevels.addProducer({ producerId: producer.id }));
      this.#later(this.#phoneHalf?.bridge.microphoneAdded(info.legId, producer));
    }
    this.#video.sourceAdded(info, producer);
    this.events.emit('producerAdded', info);
  }

  #browserProducerRemoved(stream: BrowserProducer): void {
    if (!this.#browserProducers.delete(stream.id)) return;
    const { info } = stream;
    if (isPhoneMedia(info)) {
      this.#speakers.drop(info.legId);
      this.#later(this.#phoneHalf?.bridge.microphoneRemoved(info.legId));
    }
    this.events.emit('producerRemoved', info);
  }

  #browserLevels(
    volumes: readonly mediasoup.AudioLevelObserverVolume[],
  ): { legId: LegId; level: number }[] {
    return volumes.flatMap(({ producer, volume }) => {
      const stream = this.#browserProducers.get(producer.id as ProducerId);

      return stream === undefined ? [] : { legId: stream.info.legId, level: volume };
    });
  }

  #tellBrowsers(): void {
    this.#later(this.#phoneHalf?.bridge.setBrowsers(this.#browsers.size > 0));
  }

  /** Work that nobody waits for; what it meets is logged, unless the room is ending anyway. */
  #later(work: Promise<void> | undefined): void {
    if (work !== undefined) void this.#ignoreErrors('background', work);
  }

  async #ignoreErrors(what: string, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (this.#closing !== undefined || this.#failed) return;
      this.#deps.logger.warn({ what, err: toError(error) }, 'media work failed');
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined || this.#failed) {
      throw new AppError('ROOM_CLOSED', 'the media of the room is closed');
    }
  }
}
