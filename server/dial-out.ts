import { AppError, randomToken, toError } from '../base/index.ts';
import type { Clock, Logger, ParticipantId, RoomNumber } from '../base/index.ts';
import type { KeyProgress } from './call-keys.ts';
import type { CloseReason } from './close-reason.ts';
import type { CallOriginator, CallProgress, DialTarget, Referral } from './ports.ts';
import { mayCallOut, type Caller } from './room-policy.ts';
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
  /** Keys to press once it is answered, as `CallKeys` takes them. */
  digits?: string;
  /** A member; the API itself may do all. */
  by?: Caller;
  referral?: Referral;
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
  /** How it goes with the `digits`, from the answer on. */
  keys?: KeyProgress;
}

export type DialOutOutcome = 'started' | 'limited' | 'forbidden' | 'failed';

/** A call, and who wants to know of it. */
interface KeptCall {
  view: DialedCallView;
  last?: CallProgress;
  listener?: (progress: CallProgress) => void;
}

export interface DialOutOptions {
  originator: CallOriginator;
  trunks: Pick<TrunkBook, 'takeCall'>;
  limits: DialOutLimits;
  /** `unknown`: it was not even clear who is meant. */
  onOutcome: (kind: DialTarget['kind'] | 'unknown', outcome: DialOutOutcome) => void;
  clock: Clock;
  logger: Logger;
}

const HOUR = 3_600_000;
/** How many calls that are over can still be asked for. */
const KEPT = 500;

/** Calls out of rooms: the API's side of them, and what keeps them from costing more than they should. */
export class DialOut {
  readonly #options: DialOutOptions;
  readonly #calls = new Map<string, KeptCall>();
  /** Calls that ring or stand, by room and by account. */
  readonly #open = new Map<string, number>();
  /** When rooms called through trunks, in the last hour. */
  readonly #trunkCalls = new Map<RoomNumber, number[]>();

  constructor(options: DialOutOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the call is on its way. AppError as `CallOriginator`, RATE_LIMITED, and for who must not
   * FORBIDDEN, or UNAUTHORIZED when it would do to prove who asks.
   */
  async start(room: RoomNumber, request: DialOutRequest): Promise<DialedCallView> {
    let kind: DialTarget['kind'] | 'unknown' = 'unknown';
    try {
      const target = await this.#options.originator.resolve(request.uri, request.trunk);
      ({ kind } = target);
      const verdict = request.by && mayCallOut(request.by, kind);
      if (verdict?.ok === false) throw new AppError(verdict.code, verdict.message);
      const view = await this.#call(room, target, request);
      this.#options.onOutcome(kind, 'started');
      this.#options.logger.info({ id: view.id, room, kind }, 'calling out');

      return view;
    } catch (error) {
      this.#options.onOutcome(kind, outcomeOf(error));
      this.#options.logger.info({ room, err: toError(error) }, 'a call out was not possible');
      throw error;
    }
  }

  /** Tells what becomes of a call, beginning with where it is; one listener a call. */
  follow(id: string, listener: (progress: CallProgress) => void): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    call.listener = listener;
    if (call.last !== undefined) listener(call.last);
  }

  list(room: RoomNumber): DialedCallView[] {
    const views = [...this.#calls.values()].map(({ view }) => view);

    return views.filter((view) => view.room === room);
  }

  async #call(
    room: RoomNumber,
    target: DialTarget,
    { uri, name, referral, digits }: DialOutRequest,
  ): Promise<DialedCallView> {
    const giveBack = this.#take(room, target);
    const early: CallProgress[] = [];
    let view: DialedCallView | undefined;
    let keys: KeyProgress | undefined;
    let onProgress = (progress: CallProgress): void => {
      early.push(progress);
    };
    try {
      const { participantId } = await this.#options.originator.call({
        room,
        target,
        ...(name !== undefined && { name }),
        ...(referral !== undefined && { referral }),
        ...(digits !== undefined && { digits }),
        onKeys: (progress) => {
          keys = progress;
          if (view !== undefined) view.keys = progress;
        },
        onProgress: (progress) => {
          onProgress(progress);
        },
      });
      view = {
        id: randomToken(),
        room,
        uri,
        kind: target.kind,
        state: 'calling',
        participantId,
        startedAt: this.#now(),
        ...(keys !== undefined && { keys }),
      };
      const call: KeptCall = { view };
      this.#keep(call);
      onProgress = (progress) => {
        this.#update(call, progress, giveBack);
      };
      for (const progress of early) onProgress(progress);

      return view;
    } catch (error) {
      giveBack();
      throw error;
    }
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

  #update(call: KeptCall, progress: CallProgress, giveBack: () => void): void {
    const { view } = call;
    view.state = progress.state;
    call.last = progress;
    if (progress.state === 'answered') view.answeredAt = this.#now();
    if (progress.state === 'ended') {
      view.endedAt = this.#now();
      view.reason = progress.reason;
      if (progress.status !== undefined) view.status = progress.status;
      giveBack();
    }
    call.listener?.(progress);
  }

  #keep(call: KeptCall): void {
    this.#calls.set(call.view.id, call);
    if (this.#calls.size <= KEPT) return;
    for (const [id, { view }] of this.#calls) {
      if (view.state !== 'ended') continue;
      this.#calls.delete(id);
      if (this.#calls.size <= KEPT) return;
    }
  }

  #now(): string {
    return new Date(this.#options.clock.wallTime()).toISOString();
  }
}

function outcomeOf(error: unknown): DialOutOutcome {
  switch (error instanceof AppError ? error.code : undefined) {
    case 'RATE_LIMITED':
      return 'limited';
    case 'FORBIDDEN':
    case 'UNAUTHORIZED':
      return 'forbidden';
    default:
      return 'failed';
  }
}
