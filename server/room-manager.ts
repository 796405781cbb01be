/** Size: the one way into meetings, and what may be said of a room when it is made or changed. */
import { randomInt } from 'node:crypto';
import { AppError, TypedEmitter, toError } from '../base/index.ts';
import type { Clock, Logger, RoomNumber } from '../base/index.ts';
import type { MediaEngine, PhoneDoor, PhoneLeg } from '../media/index.ts';
import type { Voice } from './ivr/index.ts';
import type { CloseReason } from './close-reason.ts';
import { toDisplayName } from './display-name.ts';
import type { Participant } from './participant.ts';
import type {
  ParticipantKind,
  ParticipantRole,
  ParticipantSink,
  RoomSettings,
  RoomStore,
  VideoLayout,
} from './ports.ts';
import { Room } from './room.ts';
import type { RoomHooks } from './room.ts';

export interface JoinRequest {
  /** From `dial()`. */
  room: RoomNumber;
  name: string;
  kind: ParticipantKind;
  /** A phone that speaks WebRTC has a browser's media. */
  webRtc?: boolean;
  address: string;
  pin?: string;
  /** Only from somebody who may vouch for it (a signed link, the API); outranks PINs. */
  role?: ParticipantRole;
}

/** What the API may say of a room; a number is found when none is given. */
export interface CreateRoomRequest {
  number?: RoomNumber;
  name?: string;
  maxParticipants?: number;
  hostPin?: string;
  guestPin?: string;
  lobby?: boolean;
  tones?: boolean;
  language?: string;
  layout?: VideoLayout;
}

/** `null` takes a value away. */
export interface UpdateRoomRequest {
  name?: string;
  maxParticipants?: number | null;
  hostPin?: string | null;
  guestPin?: string | null;
  lobby?: boolean;
  tones?: boolean;
  language?: string | null;
  layout?: VideoLayout;
  /** Of the running meeting alone. */
  locked?: boolean;
}

export interface RoomManagerEvents {
  roomStarted: [Room];
  roomEnded: [Room, CloseReason];
  participantJoined: [Participant];
  participantLeft: [Participant, CloseReason];
}

export interface RoomManagerOptions {
  settings: { autoCreate: boolean; maxParticipants: number };
  media: MediaEngine;
  voice: Voice;
  /** Must not block for long nor reject: `DegradingStore`. */
  store: RoomStore;
  clock: Clock;
  logger: Logger;
}

/** All rooms. The one way into a meeting, for every front end. */
export class RoomManager {
  readonly events = new TypedEmitter<RoomManagerEvents>();
  readonly #settings: RoomManagerOptions['settings'];
  readonly #media: MediaEngine;
  readonly #voice: Voice;
  readonly #store: RoomStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #rooms = new Map<RoomNumber, Room>();
  readonly #opening = new Map<RoomNumber, Promise<Room>>();
  #shutdown: Promise<void> | undefined;

  constructor(options: RoomManagerOptions) {
    this.#settings = options.settings;
    this.#media = options.media;
    this.#voice = options.voice;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger.child({ tag: 'rooms' });
    this.events.handleListenerErrors((event, error) => {
      this.#logger.error({ err: toError(error), event }, 'a listener failed');
    });
  }

  /**
   * Brings back the rooms that the API made: before the front ends listen, and whenever Redis was away. A
   * room that is there already stays as it is, also one that was made by dialling its number.
   */
  async load(): Promise<void> {
    const stored = await this.#store.list();
    if (this.#shutdown !== undefined) return;
    for (const settings of stored) {
      if (!this.#rooms.has(settings.number)) this.#add(settings, true);
    }
    this.#logger.info({ rooms: this.#rooms.size }, 'rooms loaded');
  }

  /**
   * Resolves with a participant in state `joining`: reply, then `activate()` (see `ports.ts`). Rejects
   * with AppError ROOM_NOT_FOUND, ROOM_FULL, ROOM_LOCKED, FORBIDDEN (PIN), ROOM_CLOSED, MEDIA_UNAVAILABLE
   * or SHUTTING_DOWN. `leg`: what the phone was given by `createWaitingLeg`.
   */
  async join(request: JoinRequest, sink: ParticipantSink, leg?: PhoneLeg): Promise<Participant> {
    const fallback = request.kind === 'phone' ? 'Phone' : 'Guest';
    const entrant = { ...request, name: toDisplayName(request.name, fallback) };
    const room = this.#live(request.room) ?? (await this.#open(request.room));
    this.#requireRunning();

    return room.admit(entrant, sink, leg);
  }

  /** Why nobody could join now. It makes no room; PINs are not judged, as asking is free. */
  async refusalOf(number: RoomNumber): Promise<'ROOM_NOT_FOUND' | 'ROOM_FULL' | undefined> {
    const room = this.#live(number);
    if (room !== undefined) return room.isFull ? 'ROOM_FULL' : undefined;
    const opens = this.#settings.autoCreate || (await this.#store.find(number)) !== undefined;

    return opens ? undefined : 'ROOM_NOT_FOUND';
  }

  /** For a phone that has to be asked something before it is let into a room. */
  createWaitingLeg(): Promise<PhoneLeg> {
    this.#requireRunning();

    return this.#media.createWaitingLeg();
  }

  /** For a phone that speaks WebRTC: its way to the phone leg of this port. */
  createDoor(...door: Parameters<MediaEngine['createDoor']>): Promise<PhoneDoor> {
    this.#requireRunning();

    return this.#media.createDoor(...door);
  }

  /** What the room speaks, if it says. */
  languageOf(number: RoomNumber): string | undefined {
    return this.#live(number)?.language;
  }

  /** Makes a room that stays until it is deleted. */
  async create(request: CreateRoomRequest): Promise<Room> {
    this.#requireRunning();
    const number = request.number ?? this.freeNumber();
    if (this.#rooms.has(number) || this.#opening.has(number)) {
      throw new AppError('ROOM_EXISTS', `room ${number} exists`);
    }
    const room = this.#add(
      {
        number,
        name: toDisplayName(request.name ?? '', `Room ${number}`),
        createdAt: this.#clock.wallTime(),
        ...(request.maxParticipants !== undefined && { maxParticipants: request.maxParticipants }),
        ...(request.hostPin !== undefined && { hostPin: request.hostPin }),
        ...(request.guestPin !== undefined && { guestPin: request.guestPin }),
        ...(request.lobby === true && { lobby: true }),
        ...(request.tones === false && { tones: false }),
        ...(request.language !== undefined && { language: request.language }),
        ...(request.layout === 'grid' && { layout: 'grid' }),
      },
      true,
    );
    await this.#store.save(room.settings);

    return room;
  }

  get(number: RoomNumber): Room | undefined {
    return this.#live(number);
  }

  /** As `get`, or AppError ROOM_NOT_FOUND. */
  require(number: RoomNumber): Room {
    const room = this.#live(number);
    if (room === undefined) throw new AppError('ROOM_NOT_FOUND', `no room ${number}`);

    return room;
  }

  list(): Room[] {
    return [...this.#rooms.values()].filter((room) => !room.retired);
  }

  async update(number: RoomNumber, request: UpdateRoomRequest): Promise<Room> {
    const room = this.require(number);
    const { locked, ...settings } = request;
    room.update(merge(room.settings, settings));
    if (locked !== undefined) room.setLocked(locked);
    if (room.persistent) await this.#store.save(room.settings);

    return room;
  }

  /** Ends the meeting for all and forgets the room. Resolves when all its media is closed. */
  async delete(number: RoomNumber): Promise<void> {
    const room = this.require(number);
    const ended = room.retire('room-ended');
    this.#forget(room);
    if (room.persistent) await this.#store.remove(number);
    await ended;
  }

  /** Members by kind, and rooms with a running meeting. */
  counts(): { rooms: number; browser: number; phone: number } {
    const members = this.list().flatMap((room) => room.joined());

    return {
      rooms: this.list().filter((room) => room.occupied).length,
      browser: members.filter((member) => member.kind === 'browser').length,
      phone: members.filter((member) => member.kind === 'phone').length,
    };
  }

  /** Refuses new joins, tells everybody, closes all media. */
  shutdown(): Promise<void> {
    this.#shutdown ??= Promise.all(
      [...this.#rooms.values()].map((room) => room.retire('server-shutdown')),
    ).then(() => undefined);

    return this.#shutdown;
  }

  #live(number: RoomNumber): Room | undefined {
    const room = this.#rooms.get(number);

    return room?.retired === true ? undefined : room;
  }

  /** Single-flight: two who dial the same new number at once get the same room. */
  async #open(number: RoomNumber): Promise<Room> {
    this.#requireRunning();
    const running = this.#opening.get(number);
    if (running !== undefined) return running;
    const opening = this.#find(number).finally(() => this.#opening.delete(number));
    this.#opening.set(number, opening);

    return opening;
  }

  async #find(number: RoomNumber): Promise<Room> {
    const stored = await this.#store.find(number);
    const now = this.#live(number);
    if (now !== undefined) return now;
    if (stored !== undefined) return this.#add(stored, true);
    if (!this.#settings.autoCreate) {
      throw new AppError('ROOM_NOT_FOUND', `no room ${number}`);
    }

    return this.#add({ number, name: `Room ${number}`, createdAt: this.#clock.wallTime() }, false);
  }

  #add(settings: RoomSettings, persistent: boolean): Room {
    const room = new Room({
      settings,
      persistent,
      maxParticipants: this.#settings.maxParticipants,
      media: this.#media,
      voice: this.#voice,
      hooks: this.#hooks,
      clock: this.#clock,
      logger: this.#logger,
    });
    this.#rooms.set(settings.number, room);

    return room;
  }

  readonly #hooks: RoomHooks = {
    started: (room) => {
      this.events.emit('roomStarted', room);
    },
    ended: (room, reason) => {
      this.events.emit('roomEnded', room, reason);
    },
    vacated: (room) => {
      if (!room.persistent) this.#forget(room);
    },
    joined: (participant) => {
      this.events.emit('participantJoined', participant);
    },
    left: (participant, reason) => {
      this.events.emit('participantLeft', participant, reason);
    },
  };

  #forget(room: Room): void {
    if (this.#rooms.get(room.number) === room) this.#rooms.delete(room.number);
  }

  /** A number that no room has: for who wants a new room without naming it. */
  freeNumber(): RoomNumber {
    for (;;) {
      const number = String(randomInt(100_000_000, 1_000_000_000)) as RoomNumber;
      if (!this.#rooms.has(number)) return number;
    }
  }

  #requireRunning(): void {
    if (this.#shutdown !== undefined) {
      throw new AppError('SHUTTING_DOWN', 'the server is shutting down');
    }
  }
}

/** The settings with the request laid over them; a `null` takes the key away. */
function merge(settings: RoomSettings, request: UpdateRoomRequest): RoomSettings {
  const name = toDisplayName(request.name ?? settings.name, settings.name);
  const { maxParticipants, hostPin, guestPin, lobby, tones, language, layout } = {
    ...settings,
    ...defined(request),
  };

  return {
    number: settings.number,
    createdAt: settings.createdAt,
    name,
    ...(typeof maxParticipants === 'number' && { maxParticipants }),
    ...(typeof hostPin === 'string' && { hostPin }),
    ...(typeof guestPin === 'string' && { guestPin }),
    ...(lobby === true && { lobby }),
    ...(tones === false && { tones }),
    ...(typeof language === 'string' && { language }),
    ...(layout === 'grid' && { layout }),
  };
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, entry]) => entry !== undefined),
  ) as Partial<T>;
}
