import { errorLogger } from '../support/error-logger.ts';
import type { RoomNumber } from '../../base/index.ts';
import type { CloseReason } from '../../server/close-reason.ts';
import type { Participant } from '../../server/participant.ts';
import type { ParticipantSink, RoomEvent, RoomSettings, RoomStore } from '../../server/ports.ts';
import { RoomManager } from '../../server/room-manager.ts';
import type { JoinRequest } from '../../server/room-manager.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeMediaEngine } from '../support/fake-media-engine.ts';
import { FakeVoice } from '../support/fake-voice.ts';

export class RecordingSink implements ParticipantSink {
  readonly events: RoomEvent[] = [];
  readonly endings: CloseReason[] = [];

  notify(event: RoomEvent): void {
    this.events.push(event);
  }

  ended(reason: CloseReason): void {
    this.endings.push(reason);
  }

  /** The events seen since the last call, as their types. */
  take(): string[] {
    return this.events.splice(0).map((event) => event.type);
  }
}

export class MemoryStore implements RoomStore {
  readonly rooms = new Map<RoomNumber, RoomSettings>();

  list(): Promise<RoomSettings[]> {
    return Promise.resolve([...this.rooms.values()]);
  }

  find(number: RoomNumber): Promise<RoomSettings | undefined> {
    return Promise.resolve(this.rooms.get(number));
  }

  save(room: RoomSettings): Promise<void> {
    this.rooms.set(room.number, room);

    return Promise.resolve();
  }

  remove(number: RoomNumber): Promise<void> {
    this.rooms.delete(number);

    return Promise.resolve();
  }
}

export const ROOM = '1000' as RoomNumber;

export class Conference {
  readonly clock = new FakeClock();
  readonly media = new FakeMediaEngine();
  readonly voice = new FakeVoice();
  readonly store = new MemoryStore();
  readonly log: string[] = [];
  /** What was logged as an error. */
  readonly errors: string[] = [];
  readonly rooms: RoomManager;

  constructor(settings: Partial<{ autoCreate: boolean; maxParticipants: number }> = {}) {
    this.rooms = new RoomManager({
      settings: { autoCreate: true, maxParticipants: 500, ...settings },
      media: this.media,
      voice: this.voice,
      store: this.store,
      clock: this.clock,
      logger: errorLogger(this.errors),
    });
    this.rooms.events
      .on('roomStarted', (room) => this.log.push(`started ${room.number}`))
      .on('roomEnded', (room, reason) => this.log.push(`ended ${room.number} ${reason}`))
      .on('participantJoined', (member) => this.log.push(`joined ${member.name}`))
      .on('participantLeft', (member, reason) => this.log.push(`left ${member.name} ${reason}`));
  }

  join(
    name: string,
    request: Partial<JoinRequest> = {},
    sink = new RecordingSink(),
  ): Promise<Participant> {
    return this.rooms.join(
      { room: ROOM, name, kind: 'browser', address: '192.0.2.1', ...request },
      sink,
    );
  }

  /** Joined and active. */
  async enter(
    name: string,
    request: Partial<JoinRequest> = {},
  ): Promise<{ member: Participant; sink: RecordingSink }> {
    const sink = new RecordingSink();
    const member = await this.join(name, request, sink);
    member.activate();

    return { member, sink };
  }
}
