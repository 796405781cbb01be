import { AppError, randomToken, toError } from '../base/index.ts';
import type { Clock, Logger, ParticipantId, RoomNumber } from '../base/index.ts';
import type { CloseReason } from './close-reason.ts';
import type { CallOriginator, CallProgress, DialTarget } from './ports.ts';
import type { TrunkBook } from './trunks/index.ts';

export interface DialOutLimits {
  /** Calls out of one room that ring or stand. */
  perRoom: number;
  /** Calls to one account that ring or stand. */
  perAccount: number;
  /** Calls of one room through trunks in an hour: those cost money. */
  trunkPerRoomAndHour: number;
}

export interface DialOutRequest {
  uri: string;
  /** How the callee is called in the room. */
  name?: string;
  trunk?: string;
}

export interface DialedCallView {
  id: string;
  room: RoomNumber;
  uri: string;
  kind: DialTarget['kind'];
  state: 'calling' | CallProgress['state'];
  participantId: ParticipantId;
  /** ISO 8601. */
  startedAt: string;
  answeredAt?: string;
  endedAt?: string;
  reason?: CloseReason;
  /** The SIP status that refused it. */
  status?: number;
}

export interface DialOutOptions {
  originator: CallOriginator;
  trunks: Pick<TrunkBook, 'takeCall'>;
  limits: DialOutLimits;
  clock: Clock;
  logger: Logger;
}

const HOUR = 3_600_000;
/** How many calls that are over can still be asked for. */
const KEPT = 500;

/** Calls out of rooms: the API's side of them, and what keeps them from costing more than they should. */
export class DialOut {
  readonly #options: DialOutOptions;
  readonly #calls = new Map<string, DialedCallView>();
  /** Calls that ring or stand, by room and by account. */
  readonly #open = new Map<string, number>();
  /** When rooms called through trunks, in the last hour. */
  readonly #trunkCalls = new Map<RoomNumber, number[]>();

  constructor(options: DialOutOptions) {
    this.#options = options;
  }

  /** Resolves when the call is on its way. AppError as `CallOriginator`, and RATE_LIMITED. */
  async start(room: RoomNumber, request: DialOutRequest): Promise<DialedCallView> {
    const { originator } = this.#options;
    const target = await originator.resolve(request.uri, request.trunk);
    const giveBack = this.#take(room, target);
    const id = randomToken();
    const early: CallProgress[] = [];
    let onProgress = (progress: CallProgress): void => {
      early.push(progress);
    };
    try {
      const { participantId } = await originator.call({
        room,
        target,
        ...(request.name !== undefined && { name: request.name }),
        onProgress: (progress) => {
          onProgress(progress);
        },
      });
      const startedAt = this.#now();
      const { uri } = request;
      const { kind } = target;
      const call: DialedCallView = {
        id,
        room,
        uri,
        kind,
        state: 'calling',
        participantId,
        startedAt,
      };
      this.#keep(call);
      onProgress = (progress) => {
        this.#update(call, progress, giveBack);
      };
      for (const progress of early) onProgress(progress);
      this.#options.logger.info({ id, room, kind }, 'calling out');

      return call;
    } catch (error) {
      giveBack();
      this.#options.logger.info({ room, err: toError(error) }, 'a call out was not possible');
      throw error;
    }
  }

  list(room: RoomNumber): DialedCallView[] {
    return [...this.#calls.values()].filter((call) => call.room === room);
  }

  /** All limits at once, before anything rings. */
  #take(room: RoomNumber, target: DialTarget): () => void {
    const { limits, trunks } = this.#options;
    const given: (() => void)[] = [];
    const giveBack = (): void => {
      for (const give of given.splice(0)) give();
    };
    try {
      given.push(this.#takeOpen(`room ${room}`, limits.perRoom));
      if (target.kind === 'account') {
        given.push(this.#takeOpen(`account ${target.username}`, limits.perAccount));
      }
      if (target.kind === 'trunk') {
        this.#checkHour(room);
        given.push(trunks.takeCall(target.trunk));
      }
    } catch (error) {
      giveBack();
      throw error;
    }

    return giveBack;
  }

  #takeOpen(key: string, limit: number): () => void {
    const open = this.#open.get(key) ?? 0;
    if (open >= limit) throw new AppError('RATE_LIMITED', `${key} has ${open} calls out already`);
    this.#open.set(key, open + 1);

    return () => {
      const left = (this.#open.get(key) ?? 1) - 1;
      if (left > 0) this.#open.set(key, left);
      else this.#open.delete(key);
    };
  }

  #checkHour(room: RoomNumber): void {
    const now = this.#options.clock.now();
    const since = now - HOUR;
    for (const [number, times] of this.#trunkCalls) {
      const recent = times.filter((time) => time > since);
      if (recent.length > 0) this.#trunkCalls.set(number, recent);
      else this.#trunkCalls.delete(number);
    }
    const recent = this.#trunkCalls.get(room) ?? [];
    if (recent.length >= this.#options.limits.trunkPerRoomAndHour) {
      throw new AppError(
        'RATE_LIMITED',
        `room ${room} made ${recent.length} trunk calls this hour`,
      );
    }
    this.#trunkCalls.set(room, [...recent, now]);
  }

  #update(call: DialedCallView, progress: CallProgress, giveBack: () => void): void {
    call.state = progress.state;
    if (progress.state === 'answered') call.answeredAt = this.#now();
    if (progress.state !== 'ended') return;
    call.endedAt = this.#now();
    call.reason = progress.reason;
    if (progress.status !== undefined) call.status = progress.status;
    giveBack();
  }

  #keep(call: DialedCallView): void {
    this.#calls.set(call.id, call);
    if (this.#calls.size <= KEPT) return;
    for (const [id, { state }] of this.#calls) {
      if (state !== 'ended') continue;
      this.#calls.delete(id);
      if (this.#calls.size <= KEPT) return;
    }
  }

  #now(): string {
    return new Date(this.#options.clock.wallTime()).toISOString();
  }
}
