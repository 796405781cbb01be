import type { ParticipantId, RoomNumber } from '../../../base/index.ts';
import { dial, type Room, type RoomEvent, type RoomManager } from '../../../server/index.ts';
import type { EventPackage, EventWatch, Opening, WatchListener } from '../event/index.ts';
import { isSipUri, type SipRequest } from '../message/index.ts';
import type { RemoteFlow } from '../transport/index.ts';
import {
  CONFERENCE_TYPE,
  fullDocument,
  partialDocument,
  writeState,
  type WrittenState,
} from './conference-document.ts';
import { conferenceState, conferenceUri } from './conference-roster.ts';
import type { MemberCalls } from './member-calls.ts';

export interface ConferencePackageOptions {
  readonly rooms: Pick<RoomManager, 'get' | 'events'>;
  readonly calls: MemberCalls;
  /** Host, and port when it is not the usual one, of conference URIs. */
  readonly authority: string;
}

/** What of a room shows in its roster; the rest of its events would only cost documents. */
const ROSTER_EVENTS: ReadonlySet<RoomEvent['type']> = new Set<RoomEvent['type']>([
  'participant-joined',
  'participant-updated',
  'participant-left',
  'room-updated',
]);

/** The event package "conference" (RFC 4575). */
export class ConferencePackage implements EventPackage {
  readonly name = 'conference';
  readonly contentType = CONFERENCE_TYPE;
  /** 3.3: "The default expiration time for a subscription to a conference is one hour." */
  readonly expires = { default: 3600, min: 60, max: 7200 };
  /** 3.9: "it is RECOMMENDED that … notifications … not … more than once every 5 seconds". */
  readonly pace = 5000;
  readonly #options: ConferencePackageOptions;
  readonly #rosters = new Map<RoomNumber, Roster>();

  constructor(options: ConferencePackageOptions) {
    this.#options = options;
    options.calls.events.on('changed', (room) => this.#rosters.get(room)?.changed());
    options.calls.events.on('removed', (room) => this.#rosters.get(room)?.judge());
    // RFC 4579 5.12: with the conference its subscriptions end.
    options.rooms.events.on('roomEnded', (room) => this.#rosters.get(room.number)?.end());
  }

  open(request: SipRequest, flow: RemoteFlow): Opening {
    const target = dial(isSipUri(request.uri) ? (request.uri.user ?? '') : '');
    const room = target.ok ? this.#options.rooms.get(target.room) : undefined;
    if (!target.ok || room === undefined) return { status: 404 };
    const watcher: Watcher = {
      member: () => this.#options.calls.sender(room.number, request, flow)?.participant.id,
      // 3.5: "The focus SHOULD … authorize": who might come in may see who is there, nobody else.
      mightEnter: () => room.wouldAdmit(target.pin),
    };
    if (watcher.member() === undefined && !watcher.mightEnter()) return { status: 403 };
    const watch = new ConferenceWatch(this.#rosterOf(room), watcher);

    return { resource: room.number, conference: room.number, watch };
  }

  #rosterOf(room: Room): Roster {
    const known = this.#rosters.get(room.number);
    if (known !== undefined) return known;
    const { calls, authority } = this.#options;
    const roster = new Roster(room, calls, conferenceUri(room.number, authority), () => {
      if (this.#rosters.get(room.number) === roster) this.#rosters.delete(room.number);
    });
    this.#rosters.set(room.number, roster);

    return roster;
  }
}

/** By what right somebody sees a roster; asked anew, as it may be lost. */
interface Watcher {
  member(): ParticipantId | undefined;
  mightEnter(): boolean;
}

/** One room's state as all its subscribers see it; kept as long as there are any. */
class Roster {
  readonly uri: string;
  readonly #room: Room;
  readonly #calls: MemberCalls;
  readonly #onUnwatched: () => void;
  readonly #stopObserving: () => void;
  readonly #watches = new Set<ConferenceWatch>();
  #written: WrittenState | undefined;

  constructor(room: Room, calls: MemberCalls, uri: string, onUnwatched: () => void) {
    this.uri = uri;
    this.#room = room;
    this.#calls = calls;
    this.#onUnwatched = onUnwatched;
    this.#stopObserving = room.observe((event) => {
      if (!ROSTER_EVENTS.has(event.type)) return;
      this.judge(event);
      this.changed();
    });
  }

  state(): WrittenState {
    this.#written ??= writeState(conferenceState(this.#room, this.#calls));

    return this.#written;
  }

  judge(event?: RoomEvent): void {
    for (const watch of [...this.#watches]) watch.judge(event);
  }

  changed(): void {
    this.#written = undefined;
    for (const watch of this.#watches) watch.listener?.changed();
  }

  end(): void {
    // Whoever meets here next is another conference.
    this.#onUnwatched();
    for (const watch of [...this.#watches]) watch.listener?.over('noresource');
  }

  add(watch: ConferenceWatch): void {
    this.#watches.add(watch);
  }

  remove(watch: ConferenceWatch): void {
    this.#watches.delete(watch);
    if (this.#watches.size > 0) return;
    this.#stopObserving();
    this.#onUnwatched();
  }
}

class ConferenceWatch implements EventWatch {
  listener: WatchListener | undefined;
  readonly #roster: Roster;
  readonly #watcher: Watcher;
  /** Who it was when last asked: of one who leaves the call may be gone before we hear of it. */
  #member: ParticipantId | undefined;
  #isRemoved = false;
  /** 4.2: "versions MUST be … incremented by one for each new … document sent to a subscriber". */
  #version = 0;
  #told: WrittenState | undefined;

  constructor(roster: Roster, watcher: Watcher) {
    this.#roster = roster;
    this.#watcher = watcher;
    this.#member = watcher.member();
    roster.add(this);
  }

  full(): string {
    this.#told = this.#roster.state();

    return fullDocument(this.#roster.uri, ++this.#version, this.#told);
  }

  partial(): string | undefined {
    if (this.#told === undefined) return this.full();
    const now = this.#roster.state();
    const document = partialDocument(this.#roster.uri, this.#version + 1, this.#told, now);
    this.#told = now;
    if (document !== undefined) this.#version += 1;

    return document;
  }

  /**
   * RFC 4579 5.11: who is removed gets "NOTIFY Subscription-State:terminated"; "a termination of the INVITE
   * dialog with a BYE does not necessarily terminate" it (4.1), unless only members may see who is there.
   * Asked for again when a call is over, so that the BYE comes first.
   */
  judge(event?: RoomEvent): void {
    const ids = [this.#member, this.#watcher.member()];
    const hasLeft = event?.type === 'participant-left' && ids.includes(event.participantId);
    if (hasLeft && event.reason === 'kicked') this.#isRemoved = true;
    this.#member = ids[1];
    const isStranger = this.#member === undefined;
    if (isStranger && (this.#isRemoved || !this.#watcher.mightEnter())) {
      this.listener?.over('rejected');
    }
  }

  start(listener: WatchListener): void {
    this.listener = listener;
  }

  close(): void {
    this.listener = undefined;
    this.#roster.remove(this);
  }
}
