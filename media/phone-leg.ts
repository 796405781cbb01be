import { AppError, TypedEmitter, type LegId } from '../base/index.ts';
import type { PhoneAudio, PhoneLeg, PhoneLegEvents, PhoneLegStats, Sound } from './media-api.ts';
import type { MixerRoom } from './mixer/index.ts';
import { keyTones } from './prompts/index.ts';
import type { PhoneVideoContent } from './video-api.ts';
import { PhoneVideoSession, type PhoneVideoDeps } from './video/index.ts';

/** What is done beside the mixer when a phone changes: by its room, or by nobody while it waits. */
export interface PhoneLegHost {
  configured(leg: MixerPhoneLeg, audio: PhoneAudio): void;
  muted(leg: MixerPhoneLeg, muted: boolean): void;
  videoAdded(session: PhoneVideoSession): void;
  videoRemoved(session: PhoneVideoSession): Promise<void>;
  /** Resolves when nothing of the leg is left outside the mixer. */
  leaving(leg: MixerPhoneLeg): Promise<void>;
}

/** A phone's place in the mixer, which does the work in its own thread. */
export class MixerPhoneLeg implements PhoneLeg {
  readonly id: LegId;
  readonly events = new TypedEmitter<PhoneLegEvents>();
  readonly rtpPort: number;
  readonly rtcpPort: number;
  readonly #plays = new Map<number, (complete: boolean) => void>();
  readonly #videoDeps: PhoneVideoDeps;
  readonly #videos = new Map<PhoneVideoContent, Promise<PhoneVideoSession>>();
  #nextPlay = 1;
  #mixer: MixerRoom;
  #host: PhoneLegHost;
  #audio: PhoneAudio | undefined;
  #muted = false;
  #moving: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #lastStats: PhoneLegStats | undefined;

  constructor(
    id: LegId,
    ports: { rtpPort: number; rtcpPort: number },
    mixer: MixerRoom,
    host: PhoneLegHost,
    videoDeps: PhoneVideoDeps,
  ) {
    this.id = id;
    this.#videoDeps = videoDeps;
    this.rtpPort = ports.rtpPort;
    this.rtcpPort = ports.rtcpPort;
    this.#mixer = mixer;
    this.#host = host;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  async configure(audio: PhoneAudio): Promise<void> {
    await this.#moving;
    await this.#mixer.configureLeg(this.id, audio);
    this.#audio = audio;
    this.#host.configured(this, audio);
  }

  async setMuted(muted: boolean): Promise<void> {
    await this.#moving;
    await this.#mixer.setLegMuted(this.id, muted);
    this.#muted = muted;
    this.#host.muted(this, muted);
  }

  async openVideo(content: PhoneVideoContent): Promise<PhoneVideoSession> {
    await this.#moving;
    if (this.closed || this.#videos.has(content)) {
      throw new AppError('INVALID_STATE', `no further ${content} video`);
    }
    const opening = PhoneVideoSession.open(this.id, content, this.#videoDeps);
    this.#videos.set(content, opening);
    const forget = (): void => {
      if (this.#videos.get(content) === opening) this.#videos.delete(content);
    };
    try {
      const session = await opening;
      session.events.once('closed', forget);
      if (this.closed) throw new AppError('INVALID_STATE', 'closed meanwhile');
      this.#host.videoAdded(session);

      return session;
    } catch (error) {
      forget();
      throw error;
    }
  }

  play(sounds: readonly Sound[]): Promise<boolean> {
    return this.#begin((playId) => this.#mixer.playTo(this.id, playId, sounds));
  }

  get keyForm(): 'events' | 'tones' {
    return this.#audio?.telephoneEvent === undefined ? 'tones' : 'events';
  }

  press(keys: string): Promise<boolean> {
    if (this.keyForm === 'tones') return this.play([keyTones(keys)]);

    return this.#begin((playId) => this.#mixer.pressKeys(this.id, playId, keys));
  }

  stopPlaying(): void {
    if (this.#plays.size > 0) this.#tell(this.#mixer.stopPlaying(this.id));
  }

  setMusic(sounds: readonly Sound[]): void {
    this.#tell(this.#mixer.setLegMusic(this.id, sounds));
  }

  setHearingGain(decibels: number): void {
    const gain = decibels === 0 ? 1 : 10 ** (decibels / 20);
    this.#tell(this.#mixer.setLegHearingGain(this.id, gain));
  }

  /** Of a leg that closed: its last figures, for who writes down how the call was. */
  async stats(): Promise<PhoneLegStats> {
    await this.#closing?.catch(() => undefined);

    return this.#lastStats ?? this.#mixer.legStats(this.id);
  }

  /** Goes on in another mixer room, with what it had agreed on there told to its new host. */
  moveTo(mixer: MixerRoom, host: PhoneLegHost): Promise<void> {
    const moved = this.#move(mixer, host);
    this.#moving = moved.catch(() => undefined);

    return moved;
  }

  /** For its host: the mixer says that an announcement is over. */
  played(playId: number, complete: boolean): void {
    const resolve = this.#plays.get(playId);
    this.#plays.delete(playId);
    resolve?.(complete);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();

    return this.#closing;
  }

  #begin(start: (playId: number) => Promise<void>): Promise<boolean> {
    const playId = this.#nextPlay++;
    const over = new Promise<boolean>((resolve) => this.#plays.set(playId, resolve));
    this.#tell(start(playId), () => {
      this.played(playId, false);
    });

    return over;
  }

  async #move(mixer: MixerRoom, host: PhoneLegHost): Promise<void> {
    const from = this.#mixer;
    this.#endPlays();
    await from.moveLeg(this.id, mixer);
    const videos = await this.#openVideos();
    await Promise.all(videos.map((session) => this.#host.videoRemoved(session)));
    this.#mixer = mixer;
    this.#host = host;
    for (const session of videos) if (!session.closed) host.videoAdded(session);
    if (this.#audio !== undefined) host.configured(this, this.#audio);
    if (this.#muted) host.muted(this, true);
  }

  async #close(): Promise<void> {
    this.#endPlays();
    // Half-way between two rooms neither could close it.
    await this.#moving;
    await Promise.all((await this.#openVideos()).map((session) => session.close()));
    this.#lastStats = await this.#mixer.legStats(this.id).catch(() => undefined);
    try {
      await this.#host.leaving(this);
    } finally {
      try {
        await this.#mixer.closeLeg(this.id);
      } finally {
        this.events.emit('closed');
      }
    }
  }

  async #openVideos(): Promise<PhoneVideoSession[]> {
    const opened = await Promise.allSettled(this.#videos.values());

    return opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  }

  #endPlays(): void {
    for (const playId of [...this.#plays.keys()]) this.played(playId, false);
  }

  /** Sound that does not come is no reason to end a call; a thread that died ends it anyway. */
  #tell(work: Promise<void>, failed: () => void = () => undefined): void {
    work.catch(failed);
  }
}
