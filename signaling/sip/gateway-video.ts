/**
 * The video of a phone that speaks plain RTP: what its descriptions say of it, the media that goes with
 * it, and the requests for key frames in INFO. When a call has video is `PhoneVideo`'s to decide.
 */
import { TimerSet, toError, type Clock, type Logger } from '../../base/index.ts';
import type { PhoneVideoLeg, PhoneVideoOpener } from '../../media/index.ts';
import type { Participant, RoomEvent } from '../../server/index.ts';
import {
  DEFAULT_VIDEO_CAPABILITIES,
  selectVideos,
  servesVideo,
  type AudioCapabilities,
  type LocalVideo,
  type LocalVideos,
  type NegotiatedVideos,
  type SdpMedia,
  type SdpSession,
  type VideoContent,
} from '../sdp/index.ts';
import { askForDescription } from './capability-enquiry.ts';
import { phoneStatus, type MediaStatus } from './focus/index.ts';
import { PhoneVideo, type NegotiationSettings, type PhoneVideoHost } from './negotiation/index.ts';
import { toPhoneVideo } from './phone-picture.ts';
import type { SessionCall } from './ua/index.ts';

export interface CallVideoOptions {
  readonly participant: Participant;
  readonly call: SessionCall;
  readonly leg: PhoneVideoOpener;
  /** Opened before there was a call that answered. */
  readonly opened?: PhoneVideoLeg | undefined;
  readonly capabilities: AudioCapabilities;
  /** Of the phone's INVITE or its 2xx. */
  readonly contact: string | undefined;
  /** Whether a phone that had no say may be asked what it can do: through a trunk, who answers is not the phone. */
  readonly mayAsk: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: NegotiationSettings;
  readonly counters: { reinvite(reason: string, outcome: string): void };
  readonly host: CallVideoHost;
}

/** The call that it is the video of. */
export interface CallVideoHost {
  isHolding(): boolean;
  /** Where the call's signalling comes from, where that is known. */
  readonly signallingHost: string | undefined;
  /** The call's next offer, with these videos. */
  describe(videos: LocalVideos): SdpSession;
  receiveAnswer(answer: SdpSession): Promise<Error | undefined>;
  /** An answer was of no use. */
  fail(error: Error): void;
  /** From the phone's point of view; undefined: there is no video. */
  agreed(status: MediaStatus | undefined): void;
}

const CONTENTS: readonly VideoContent[] = ['main', 'slides'];
/** RFC 5168 7: what it has no other use for than to ask for a whole picture. */
const FAST_UPDATE = {
  type: 'application/media_control+xml',
  content:
    '<?xml version="1.0" encoding="utf-8"?><media_control><vc_primitive><to_encoder>' +
    '<picture_fast_update/></to_encoder></vc_primitive></media_control>',
};
/** Milliseconds between two INFOs. */
const FAST_UPDATE_PAUSE = 1000;

export class CallVideo implements PhoneVideoHost {
  readonly #options: CallVideoOptions;
  readonly #policy: PhoneVideo;
  readonly #timers: TimerSet<'pause'>;
  readonly #legs = new Map<VideoContent, Promise<PhoneVideoLeg | undefined>>();
  readonly #ports = new Map<VideoContent, PhoneVideoLeg>();
  #agreed: NegotiatedVideos = {};
  #offersSlides = false;
  /** In our INVITE, or in the answer to one without an offer. */
  #isOffering = false;
  #takesInfo = true;
  #closed = false;

  constructor(options: CallVideoOptions) {
    const { call, contact, clock, logger, settings, counters, opened } = options;
    this.#options = options;
    this.#timers = new TimerSet(clock);
    this.#policy = new PhoneVideo({ host: this, call, contact, clock, logger, settings, counters });
    if (opened === undefined) return;
    this.#isOffering = true;
    this.#adopt(opened);
  }

  /** What others in the room show; a paused one may go on at any time. */
  get pictures(): number {
    const { participant } = this.#options;

    return participant.room.producers(participant.id).filter(({ kind }) => kind === 'video').length;
  }

  /** From the phone's point of view. */
  get status(): MediaStatus | undefined {
    return this.#agreed.main && phoneStatus(this.#agreed.main);
  }

  get hasVideo(): boolean {
    return this.#agreed.main !== undefined;
  }

  get isHolding(): boolean {
    return this.#options.host.isHolding();
  }

  readonly serves = (session: SdpSession, media: SdpMedia): boolean =>
    servesVideo(session, media, DEFAULT_VIDEO_CAPABILITIES, this.#options.capabilities);

  async enquire(): Promise<SdpSession | undefined> {
    return this.#options.mayAsk ? askForDescription(this.#options.call) : undefined;
  }

  /** An offer of the phone, before it is answered: the places for what of it is taken. */
  async offered(offer: SdpSession): Promise<LocalVideos> {
    this.noteOffer(offer);
    if (!this.#policy.wants) return {};
    const { capabilities } = this.#options;
    const selected = selectVideos(offer, capabilities, () => DEFAULT_VIDEO_CAPABILITIES);
    await Promise.all([...selected.values()].map(({ content }) => this.#open(content)));

    return this.#places();
  }

  /** One that is answered without any video, as long as the phone is in no room. */
  noteOffer(offer: SdpSession): void {
    this.#policy.noteOffer(offer);
    this.#offersSlides ||=
      selectVideos(offer, this.#options.capabilities, (content) =>
        content === 'slides' ? DEFAULT_VIDEO_CAPABILITIES : undefined,
      ).size > 0;
  }

  /** The first offer of the call is ours: a phone without video can refuse it there. */
  async offerFirst(): Promise<void> {
    if (this.pictures > 0) this.#isOffering = (await this.#open('main')) !== undefined;
  }

  /** For an offer that the phone asks for: what there is. */
  places(): LocalVideos {
    return this.hasVideo || this.#isOffering ? this.#places() : {};
  }

  /** The answer to an offer of ours that was no re-INVITE of the policy's. */
  noteAnswer(answer: SdpSession): void {
    this.#policy.noteAnswer(answer, this.hasVideo || this.#isOffering);
    this.#isOffering = false;
  }

  /** What offer and answer came to: streams begin, change, and end. */
  async apply(videos: NegotiatedVideos): Promise<void> {
    this.#agreed = videos;
    this.#options.host.agreed(this.status);
    for (const content of CONTENTS) {
      const video = videos[content];
      const leg = await this.#legs.get(content);
      if (leg === undefined) continue;
      if (video === undefined) await this.#drop(content);
      else await leg.configure(await toPhoneVideo(video, this.#options.host.signallingHost));
    }
  }

  established(): void {
    this.#policy.established();
  }

  /** The phone's own change is over: what the room wants may differ from it. */
  changed(): void {
    this.#policy.changed();
  }

  roomChanged({ type }: RoomEvent): void {
    if (type === 'producer-added' || type === 'producer-removed') this.#policy.changed();
  }

  /** The phone asks by INFO. */
  keyFrameWanted(): void {
    for (const leg of this.#ports.values()) leg.requestKeyFrame();
  }

  async prepare(): Promise<boolean> {
    await Promise.all([this.#open('main'), this.#offersSlides && this.#open('slides')]);

    return this.#ports.has('main');
  }

  describe(withVideo: boolean): SdpSession {
    return this.#options.host.describe(withVideo ? this.#places() : {});
  }

  receiveAnswer(answer: SdpSession): Promise<Error | undefined> {
    return this.#options.host.receiveAnswer(answer);
  }

  fail(error: Error): void {
    this.#options.host.fail(error);
  }

  /** The streams end with the call's leg, or `close` ends them: when another device takes the call over. */
  close(): void {
    this.#closed = true;
    this.#policy.close();
    this.#timers.close();
  }

  async closeStreams(): Promise<void> {
    this.close();
    await Promise.all(CONTENTS.map((content) => this.#drop(content)));
  }

  #places(): LocalVideos {
    const places: Partial<Record<VideoContent, LocalVideo>> = {};
    for (const [content, { rtpPort }] of this.#ports) {
      places[content] = { ...placeOf({ rtpPort }), srtp: this.#agreed[content]?.srtp };
    }

    return places;
  }

  /** Without a port the call goes on without video. */
  #open(content: VideoContent): Promise<PhoneVideoLeg | undefined> {
    let opening = this.#legs.get(content);
    if (opening !== undefined) return opening;
    opening = this.#options.leg.openVideo(content).then(
      async (leg) => {
        if (this.#closed) await leg.close();
        else this.#adopt(leg);

        return this.#closed ? undefined : leg;
      },
      (error: unknown) => {
        this.#legs.delete(content);
        this.#options.logger.warn({ err: toError(error) }, 'no place for a phone’s video');

        return undefined;
      },
    );
    this.#legs.set(content, opening);

    return opening;
  }

  #adopt(leg: PhoneVideoLeg): void {
    const { content } = leg;
    this.#legs.set(content, Promise.resolve(leg));
    this.#ports.set(content, leg);
    leg.events.on('keyFrameWanted', () => this.#askForKeyFrame());
    leg.events.on('closed', () => {
      if (this.#ports.get(content) !== leg) return;
      this.#ports.delete(content);
      this.#legs.delete(content);
    });
  }

  async #drop(content: VideoContent): Promise<void> {
    const leg = await this.#legs.get(content);
    this.#legs.delete(content);
    this.#ports.delete(content);
    await leg?.close();
  }

  /** RFC 5168: for phones without the feedback of RFC 4585. Who does not know it is asked once. */
  #askForKeyFrame(): void {
    if (this.#closed || !this.#takesInfo || this.#timers.isRunning('pause')) return;
    this.#timers.start('pause', FAST_UPDATE_PAUSE, () => undefined);
    this.#options.call.send(
      'INFO',
      { body: FAST_UPDATE },
      {
        onResponse: ({ status }) => {
          this.#takesInfo &&= ![405, 415, 469, 489, 501].includes(status);
        },
        onFailure: () => undefined,
      },
    );
  }
}

export function placeOf({ rtpPort }: Pick<PhoneVideoLeg, 'rtpPort'>): LocalVideo {
  return { rtpPort, capabilities: DEFAULT_VIDEO_CAPABILITIES };
}
