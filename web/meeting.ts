import type {
  JoinAnswer,
  NotificationName,
  NotificationPayload,
  RemoteProducer,
} from '../signaling/websocket/protocol.ts';
import type { LocalMedia } from './devices.ts';
import { unusualCodecs } from './members.ts';
import { OwnDevices } from './own-devices.ts';
import { initialState, reduce, type Ended, type RoomAction, type RoomState } from './room-store.ts';
import { isExpected, RequestError, Session } from './session.ts';
import { SfuClient, type Wish } from './sfu-client.ts';

export interface MeetingOptions {
  room: string;
  name: string;
  pin?: string;
  media: LocalMedia;
}

/** What the stage shows now: the pictures that are worth receiving, and how large. */
export interface StageView {
  participantIds: ReadonlySet<string>;
  spatialLayer: number;
}

/** One stay in a room: brings the session, the media and the view state together. */
export class Meeting {
  readonly #session: Session;
  readonly #listeners = new Set<() => void>();
  #sfu: SfuClient | undefined;
  #state: RoomState;
  #stage: StageView | undefined;
  readonly #own: OwnDevices;

  constructor(options: MeetingOptions) {
    this.#state = initialState(options.room);
    this.#own = new OwnDevices({
      media: options.media,
      state: () => this.#state,
      sfu: () => this.#sfu,
      onChange: (device, state) => this.#dispatch({ type: 'device', device, state }),
      onError: (what, error) => this.#onError(what, error),
    });
    this.#session = new Session({
      room: options.room,
      name: options.name,
      ...(options.pin !== undefined && { pin: options.pin }),
      events: {
        joined: (answer) => void this.#onJoined(answer),
        interrupted: () => this.#dispatch({ type: 'connection', state: 'reconnecting' }),
        refused: (error) => this.#onRefused(error),
        notification: (name, payload) => this.#onNotification(name, payload),
      },
    });
    this.#session.open();
    addEventListener('pagehide', this.#onPageHide);
  }

  get state(): RoomState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);

    return () => this.#listeners.delete(listener);
  }

  leave(): void {
    this.#session.leave();
    this.#dispatch({ type: 'over', ended: { message: 'You left the meeting.', remedy: 'join' } });
    this.#close();
  }

  get own(): Pick<OwnDevices, 'toggle' | 'chooseDevice'> {
    return this.#own;
  }

  /** A line to everybody; false when it did not get through. */
  async say(text: string): Promise<boolean> {
    try {
      await this.#session.request('chat', { text });

      return true;
    } catch (error) {
      const isTooFast = error instanceof RequestError && error.code === 'RATE_LIMITED';
      if (isTooFast) this.#dispatch({ type: 'notice', text: 'That was too fast. Try again.' });
      else this.#onError('sending your message', error);

      return false;
    }
  }

  /** Lets somebody in who waits. */
  async admit(participantId: string): Promise<void> {
    try {
      await this.#session.request('admit', { participantId });
    } catch (error) {
      this.#onError('letting somebody in', error);
    }
  }

  /** The stage tells what it shows, so that nothing is received for nobody. */
  show(stage: StageView): void {
    this.#stage = stage;
    void this.#sfu?.setWishes((producerId) => this.#wishFor(producerId));
  }

  setAudioBlocked(blocked: boolean): void {
    if (this.#state.audioBlocked !== blocked) this.#dispatch({ type: 'audio-blocked', blocked });
  }

  dismissNotice(): void {
    this.#dispatch({ type: 'notice', text: undefined });
  }

  stats(): Promise<Record<string, unknown>[]> {
    return this.#sfu?.stats() ?? Promise.resolve([]);
  }

  async #onJoined(answer: JoinAnswer): Promise<void> {
    this.#dispatch({ type: 'snapshot', answer });
    // Media is set up when we are let in.
    if (answer.waiting) return;
    if (answer.resumed && this.#sfu !== undefined) {
      this.#alsoSend(this.#sfu);
      this.#reconcile(this.#sfu, answer.producers);
      this.#own.onSelf(answer.roster.find(({ id }) => id === answer.participantId));
      this.#sfu.revive();

      return;
    }
    const isFirst = this.#sfu === undefined;
    this.#sfu?.close();
    const sfu = new SfuClient({
      request: (name, payload) => this.#session.request(name, payload),
      onTrack: (producerId, track) => {
        if (sfu !== this.#sfu) return;
        this.#dispatch(
          track === undefined
            ? { type: 'track-removed', producerId }
            : { type: 'track-added', producerId, track },
        );
      },
      onError: (what, error) => this.#onError(what, error),
    });
    this.#sfu = sfu;
    try {
      await sfu.load(answer.routerRtpCapabilities);
      // Joined anew meanwhile: that one sets up its own.
      if (sfu !== this.#sfu) return;
      this.#alsoSend(sfu);
      for (const producer of this.#state.producers.values()) this.#want(sfu, producer);
      await this.#own.publish(isFirst);
    } catch (error) {
      this.#onError('setting up media', error);
    }
  }

  /** After an outage: what came and went meanwhile. */
  #reconcile(sfu: SfuClient, producers: readonly RemoteProducer[]): void {
    const now = new Set(producers.map((producer) => producer.id));
    for (const id of sfu.wanted) if (!now.has(id)) sfu.drop(id);
    for (const producer of producers) this.#want(sfu, producer);
  }

  #onNotification<N extends NotificationName>(name: N, payload: NotificationPayload<N>): void {
    const action = { ...payload, type: name } as unknown as RoomAction;
    this.#dispatch(action);
    const sfu = this.#sfu;
    switch (action.type) {
      case 'participant-updated':
        this.#own.onSelf(action.participant);
        break;
      case 'producer-added':
        if (sfu !== undefined) this.#want(sfu, action.producer);
        break;
      case 'video-codecs':
        if (sfu !== undefined) this.#alsoSend(sfu);
        break;
      case 'producer-removed':
        sfu?.drop(action.producerId);
        break;
      case 'let-in':
        void this.#onJoined(action.answer);
        break;
      case 'consumer-closed':
        sfu?.dropConsumer(action.consumerId);
        break;
      case 'ended':
        this.#close();
        break;
      default:
    }
  }

  /** For phones that show no other codec. */
  #alsoSend(sfu: SfuClient): void {
    void sfu.alsoSend(unusualCodecs(this.#state)[0]?.codec);
  }

  #onRefused(error: RequestError): void {
    const remedy = error.code === 'PROTOCOL_VERSION' ? 'reload' : 'join';
    const ended: Ended = { message: refusalText(error), remedy };
    this.#dispatch({ type: 'over', ended });
    this.#close();
  }

  #want(sfu: SfuClient, producer: RemoteProducer): void {
    void sfu.want(producer.id, producer.kind, () => this.#wishFor(producer.id));
  }

  #wishFor(producerId: string): Wish {
    const owner = this.#state.producers.get(producerId)?.participantId;
    if (this.#stage === undefined || owner === undefined) return { visible: true, spatialLayer: 1 };

    return {
      visible: this.#stage.participantIds.has(owner),
      spatialLayer: this.#stage.spatialLayer,
    };
  }

  #onError(what: string, error: unknown): void {
    if (this.#state.phase === 'ended' || isExpected(error)) return;
    console.error(`parley: ${what} failed`, error);
    this.#dispatch({ type: 'notice', text: `Something went wrong while ${what}.` });
  }

  readonly #onPageHide = (event: PageTransitionEvent): void => {
    this.leave();
    // A page that comes back out of the browser's cache finds its meeting over.
    if (event.persisted) addEventListener('pageshow', () => location.reload(), { once: true });
  };

  #close(): void {
    removeEventListener('pagehide', this.#onPageHide);
    this.#own.close();
    this.#sfu?.close();
    this.#sfu = undefined;
  }

  #dispatch(action: RoomAction): void {
    const next = reduce(this.#state, action);
    if (next === this.#state) return;
    this.#state = next;
    for (const listener of this.#listeners) listener();
  }
}

function refusalText(error: RequestError): string {
  return `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
}
