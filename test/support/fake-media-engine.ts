/** Size: one short method for each promise of the media. */
import { TypedEmitter, newLegId, randomToken } from '../../base/index.ts';
import type { ConsumerId, LegId, ProducerId } from '../../base/index.ts';
import type {
  ConsumerParameters,
  DoorCodec,
  GridPlan,
  MediaCounters,
  MediaEngine,
  MediaKind,
  MediaSource,
  PhoneAudio,
  PhoneLeg,
  PhoneLegEvents,
  PhoneLegStats,
  PhoneVideoContent,
  ProducerInfo,
  RoomMedia,
  RoomMediaEvents,
  Sound,
  VideoCodecName,
  WantedVideoCodec,
  WebRtcLeg,
  WebRtcLegEvents,
  WebRtcTransportParameters,
} from '../../media/index.ts';
import { FakeDoor } from './fake-door.ts';
import { FakePhoneVideo } from './fake-video.ts';

/** A media engine without media: it keeps the promises of `media-api.ts` and shows what is open. */
export class FakeMediaEngine implements MediaEngine {
  readonly events: MediaEngine['events'] = new TypedEmitter();
  /** Every room ever made, the newest last. */
  readonly rooms: FakeRoomMedia[] = [];
  /** Phones that were, or are, in no room. */
  readonly waitingLegs: FakePhoneLeg[] = [];
  readonly doors: FakeDoor[] = [];
  unready: string | undefined;
  noGrid: string | undefined;
  /** Set to make the next `createRoom` fail. */
  failure: Error | undefined;
  /** Set to hold back `createRoom` until it resolves. */
  gate: Promise<void> | undefined;
  draining = false;
  closed = false;

  async createRoom(): Promise<FakeRoomMedia> {
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    const room = this.makeRoom();
    this.rooms.push(room);

    return room;
  }

  protected makeRoom(): FakeRoomMedia {
    return new FakeRoomMedia();
  }

  async createWaitingLeg(): Promise<FakePhoneLeg> {
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    const leg = new FakePhoneLeg(undefined, 41_000 + 2 * this.waitingLegs.length);
    this.waitingLegs.push(leg);

    return leg;
  }

  createDoor(codecs: readonly DoorCodec[], rtpPort: number): Promise<FakeDoor> {
    const door = new FakeDoor(codecs, rtpPort);
    this.doors.push(door);

    return Promise.resolve(door);
  }

  unreadyReason(): string | undefined {
    return this.unready;
  }

  gridUnavailable(): string | undefined {
    return this.noGrid;
  }

  get openRooms(): FakeRoomMedia[] {
    return this.rooms.filter((room) => !room.closed);
  }

  counters(): MediaCounters {
    const legs = this.openRooms.flatMap((room) => room.phoneLegs.filter((leg) => !leg.closed));

    return {
      rtpPacketsIn: 7,
      rtpPacketsOut: 5,
      rtpLost: 2,
      rtpPortsExhausted: 0,
      video: {
        packetsIn: 0,
        packetsOut: 0,
        lost: 0,
        switches: 3,
        keyFramesAsked: 2,
        keyFrameRequests: 4,
        retransmitted: 1,
        tooLong: 0,
      },
      mixerLateFrames: 1,
      mixerMoves: { moved: 2, refused: 1, lost: 0 },
      mixerThreadsBusy: [0.5, 0.25],
      workerDeaths: 0,
      grid: {
        rooms: 1,
        deaths: 0,
        cpuSeconds: 1.5,
        framesEncoded: 25,
        framesDropped: 3,
        framesDecoded: 100,
        framesDiscarded: 4,
      },
      mixerFrameSeconds: { buckets: [{ le: 0.001, count: 3 }], sum: 0.002, count: 4 },
      open: {
        phoneLegs: legs.length,
        phoneVideos: legs.flatMap(({ videos }) => videos.filter(({ closed }) => !closed)).length,
        rtpPorts: 2 * legs.length,
        transports: 0,
        producers: this.openRooms.flatMap((room) => room.producers()).length,
        consumers: 0,
      },
    };
  }

  drain(): void {
    this.draining = true;
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.rooms.map((room) => room.close()));
  }
}

export class FakeRoomMedia implements RoomMedia {
  readonly events = new TypedEmitter<RoomMediaEvents>();
  readonly rtpCapabilities: RoomMedia['rtpCapabilities'] = { codecs: [] };
  readonly phoneLegs: FakePhoneLeg[] = [];
  readonly webRtcLegs: FakeWebRtcLeg[] = [];
  readonly tones: (readonly Sound[])[] = [];
  readonly #producers = new Map<ProducerId, ProducerInfo>();
  activeSpeaker: LegId | undefined;
  gridPlan: GridPlan = { members: [], viewers: [] };
  noGrid: string | undefined;
  readonly noGridFor = new Map<LegId, string>();
  closed = false;
  /** What was open when the room closed: its legs must have gone before. */
  openLegsAtClose = 0;

  createPhoneLeg(): Promise<FakePhoneLeg> {
    const leg = new FakePhoneLeg(this, 40_000 + 2 * this.phoneLegs.length);
    this.phoneLegs.push(leg);

    return Promise.resolve(leg);
  }

  adoptPhoneLeg(leg: PhoneLeg): Promise<void> {
    const fake = leg as FakePhoneLeg;
    this.phoneLegs.push(fake);
    fake.enter(this);

    return Promise.resolve();
  }

  playTone(sounds: readonly Sound[]): void {
    this.tones.push(sounds);
  }

  createWebRtcLeg(): Promise<FakeWebRtcLeg> {
    const leg = new FakeWebRtcLeg(this);
    this.webRtcLegs.push(leg);

    return Promise.resolve(leg);
  }

  setGrid(plan: GridPlan): void {
    this.gridPlan = plan;
  }

  gridReason(viewer?: LegId): string | undefined {
    return this.noGrid ?? (viewer && this.noGridFor.get(viewer));
  }

  setActiveSpeaker(legId: LegId | undefined): void {
    this.activeSpeaker = legId;
  }

  wantedVideoCodecs(): WantedVideoCodec[] {
    const legIds = new Map<VideoCodecName, LegId[]>();
    for (const leg of this.phoneLegs) {
      for (const { current } of leg.videos) {
        if (current?.direction !== 'sendrecv' && current?.direction !== 'sendonly') continue;
        legIds.set(current.codec, [...(legIds.get(current.codec) ?? []), leg.id]);
      }
    }

    return [...legIds].map(([codec, ids]) => ({ codec, legIds: ids }));
  }

  producers(): ProducerInfo[] {
    return [...this.#producers.values()];
  }

  addProducer(legId: LegId, kind: MediaKind, source: MediaSource, paused = false): ProducerInfo {
    const info = { id: `prod_${randomToken(6)}` as ProducerId, legId, kind, source, paused };
    this.#producers.set(info.id, info);
    this.events.emit('producerAdded', info);

    return info;
  }

  removeProducer(id: ProducerId): void {
    const info = this.#producers.get(id);
    if (info === undefined) return;
    this.#producers.delete(id);
    this.events.emit('producerRemoved', info);
  }

  removeProducersOf(legId: LegId): void {
    for (const info of this.producers()) if (info.legId === legId) this.removeProducer(info.id);
  }

  close(): Promise<void> {
    const legs = [...this.phoneLegs, ...this.webRtcLegs];
    if (!this.closed) this.openLegsAtClose = legs.filter((leg) => !leg.closed).length;
    this.closed = true;

    return Promise.resolve();
  }
}

export class FakePhoneLeg implements PhoneLeg {
  readonly id = newLegId();
  readonly events = new TypedEmitter<PhoneLegEvents>();
  readonly rtpPort: number;
  readonly rtcpPort: number;
  readonly configured: PhoneAudio[] = [];
  readonly videos: FakePhoneVideo[] = [];
  /** Keys that were pressed for it. */
  readonly pressed: string[] = [];
  keyForm: 'events' | 'tones' = 'events';
  /** False: keys are cut off. */
  takesKeys = true;
  /** What was played to it; `finish` says that one was heard to its end. */
  readonly played: { sounds: readonly Sound[]; finish: (complete: boolean) => void }[] = [];
  music: readonly Sound[] = [];
  hearingGain = 0;
  #room: FakeRoomMedia | undefined;
  muted = false;
  closed = false;

  /** Without a room it waits for one. */
  constructor(room: FakeRoomMedia | undefined, rtpPort: number) {
    this.#room = room;
    this.rtpPort = rtpPort;
    this.rtcpPort = rtpPort + 1;
  }

  configure(audio: PhoneAudio): Promise<void> {
    this.configured.push(audio);
    if (this.configured.length === 1) this.#room?.addProducer(this.id, 'audio', 'microphone');

    return Promise.resolve();
  }

  setMuted(muted: boolean): Promise<void> {
    this.muted = muted;

    return Promise.resolve();
  }

  enter(room: FakeRoomMedia): void {
    this.#room = room;
    if (this.configured.length > 0) room.addProducer(this.id, 'audio', 'microphone');
  }

  play(sounds: readonly Sound[]): Promise<boolean> {
    return new Promise((resolve) => {
      this.played.push({ sounds, finish: resolve });
    });
  }

  stopPlaying(): void {
    for (const { finish } of this.played) finish(false);
  }

  press(keys: string): Promise<boolean> {
    this.pressed.push(keys);

    return Promise.resolve(this.takesKeys);
  }

  setMusic(sounds: readonly Sound[]): void {
    this.music = sounds;
  }

  setHearingGain(decibels: number): void {
    this.hearingGain = decibels;
  }

  openVideo(content: PhoneVideoContent): Promise<FakePhoneVideo> {
    const port = this.rtpPort + 5000 + 2 * this.videos.length;
    const video = new FakePhoneVideo(content, port, () => {
      this.#room?.events.emit('videoCodecsWanted', this.#room.wantedVideoCodecs());
    });
    this.videos.push(video);

    return Promise.resolve(video);
  }

  stats(): Promise<PhoneLegStats> {
    return Promise.resolve({
      packetsReceived: 0,
      octetsReceived: 0,
      packetsLost: 0,
      packetsSent: 0,
      jitter: 0,
      codec: 'PCMU',
    });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    await Promise.resolve();
    await Promise.all(this.videos.map((video) => video.close()));
    this.closed = true;
    this.stopPlaying();
    this.#room?.removeProducersOf(this.id);
    this.events.emit('closed');
  }
}

export class FakeWebRtcLeg implements WebRtcLeg {
  readonly id = newLegId();
  readonly events = new TypedEmitter<WebRtcLegEvents>();
  protected readonly room: FakeRoomMedia;
  readonly paused = new Map<ProducerId | ConsumerId, boolean>();
  muted = false;
  closed = false;

  constructor(room: FakeRoomMedia) {
    this.room = room;
  }

  createTransport(direction: 'send' | 'recv' | 'both'): Promise<WebRtcTransportParameters> {
    return Promise.resolve({
      id: `${direction}_${randomToken(6)}`,
      iceParameters: { usernameFragment: 'u', password: 'p', iceLite: true },
      iceCandidates: [],
      dtlsParameters: { fingerprints: [] },
    });
  }

  connectTransport(): Promise<void> {
    return Promise.resolve();
  }

  restartIce(): Promise<WebRtcTransportParameters['iceParameters']> {
    return Promise.resolve({ usernameFragment: 'v', password: 'q', iceLite: true });
  }

  produce(options: Parameters<WebRtcLeg['produce']>[0]): Promise<ProducerInfo> {
    return Promise.resolve(
      this.room.addProducer(this.id, options.kind, options.source, options.paused),
    );
  }

  setProducerPaused(producerId: ProducerId, paused: boolean): Promise<void> {
    this.paused.set(producerId, paused);

    return Promise.resolve();
  }

  closeProducer(producerId: ProducerId): Promise<void> {
    this.room.removeProducer(producerId);

    return Promise.resolve();
  }

  consume(producerId: ProducerId): Promise<ConsumerParameters> {
    return Promise.resolve({
      id: `cons_${randomToken(6)}` as ConsumerId,
      producerId,
      kind: 'audio',
      rtpParameters: { codecs: [] },
      producerPaused: false,
    });
  }

  setConsumerPaused(consumerId: ConsumerId, paused: boolean): Promise<void> {
    this.paused.set(consumerId, paused);

    return Promise.resolve();
  }

  setPreferredLayers(): Promise<void> {
    return Promise.resolve();
  }

  closeConsumer(): Promise<void> {
    return Promise.resolve();
  }

  setMuted(muted: boolean): Promise<void> {
    this.muted = muted;

    return Promise.resolve();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    await Promise.resolve();
    this.closed = true;
    this.room.removeProducersOf(this.id);
    this.events.emit('closed');
  }
}
