import { MessageChannel } from 'node:worker_threads';
import { AppError, toError, TypedEmitter, type LegId } from '../../base/index.ts';
import type { PhoneAudio, PhoneLegStats, Sound } from '../media-api.ts';
import { closeReleased, type PortAllocator, type PortPair } from '../rtp/index.ts';
import type { MicrophoneInput, MixerRoom, MixerRoomEvents, PublishTarget } from './mixer-api.ts';
import type { MixerCalls, MixerOperation, RoomKey } from './mixer-protocol.ts';
import { PortTakenError, type MixerNotice, type MixerWorker } from './mixer-worker.ts';
import { SharedTurns } from './shared-turns.ts';

interface PooledLeg {
  ports: PortPair;
  /** As it was configured last, to do so again in another thread. */
  audio?: PhoneAudio;
  muted: boolean;
}

/** `refused`: it is where it was; `lost`: a thread died, and the room with it. */
export type MoveOutcome = 'moved' | 'refused' | 'lost';

/** A room on one mixer thread, and the ports of its phones. */
export class PooledRoom implements MixerRoom {
  readonly events = new TypedEmitter<MixerRoomEvents>();
  readonly #key: RoomKey;
  #worker: MixerWorker;
  readonly #ports: PortAllocator;
  readonly #onClosed: () => void;
  /** What is asked of a room while it goes to another thread is asked of that one. */
  readonly #turns = new SharedTurns();
  readonly #legs = new Map<LegId, PooledLeg>();
  #closed: Promise<void> | undefined;
  #failed = false;

  constructor(key: RoomKey, worker: MixerWorker, ports: PortAllocator, onClosed: () => void) {
    this.#key = key;
    this.#worker = worker;
    this.#ports = ports;
    this.#onClosed = onClosed;
    // Its failure is the thread's death, which every later call and `failed` tell.
    worker.call('createRoom', { room: key }).catch(() => undefined);
  }

  get legCount(): number {
    return this.#legs.size;
  }

  createLeg(legId: LegId): Promise<{ rtpPort: number; rtcpPort: number }> {
    return this.#turns.together(() => this.#createLeg(legId));
  }

  async configureLeg(legId: LegId, audio: PhoneAudio): Promise<void> {
    await this.#call('configureLeg', { ...this.#of(legId), audio });
    const leg = this.#legs.get(legId);
    if (leg !== undefined) leg.audio = audio;
  }

  async setLegMuted(legId: LegId, muted: boolean): Promise<void> {
    await this.#call('setLegMuted', { ...this.#of(legId), muted });
    const leg = this.#legs.get(legId);
    if (leg !== undefined) leg.muted = muted;
  }

  async publishLeg(legId: LegId, target: PublishTarget): Promise<void> {
    await this.#call('publishLeg', { ...this.#of(legId), target });
  }

  async unpublishLeg(legId: LegId): Promise<void> {
    if (this.#failed) return;
    await this.#call('unpublishLeg', this.#of(legId));
  }

  legStats(legId: LegId): Promise<PhoneLegStats> {
    return this.#call('legStats', this.#of(legId));
  }

  async closeLeg(legId: LegId): Promise<void> {
    const leg = this.#legs.get(legId);
    if (leg === undefined) return;
    this.#legs.delete(legId);
    // A thread that dies meanwhile takes the sockets with it.
    await this.#call('closeLeg', this.#of(legId)).catch(() => undefined);
    this.#ports.release(leg.ports);
  }

  async moveLeg(legId: LegId, to: MixerRoom): Promise<void> {
    if (!(to instanceof PooledRoom)) throw new TypeError('a room of another pool');
    await this.#turns.together(() => to.#turns.together(() => this.#moveLeg(legId, to)));
  }

  async #moveLeg(legId: LegId, to: PooledRoom): Promise<void> {
    to.#assertOpen();
    const leg = this.#legs.get(legId);
    if (leg === undefined) throw new AppError('INVALID_STATE', 'the leg is closed');
    if (to.#worker === this.#worker) {
      await this.#worker.call('moveLeg', { ...this.#of(legId), to: to.#key });
    } else {
      await this.#moveToThread(legId, leg, to);
    }
    this.#legs.delete(legId);
    to.#legs.set(legId, leg);
  }

  async playTo(legId: LegId, playId: number, sounds: readonly Sound[]): Promise<void> {
    await this.#call('playTo', { ...this.#of(legId), playId, sounds });
  }

  async stopPlaying(legId: LegId): Promise<void> {
    await this.#call('stopPlaying', this.#of(legId));
  }

  async pressKeys(legId: LegId, playId: number, keys: string): Promise<void> {
    await this.#call('pressKeys', { ...this.#of(legId), playId, keys });
  }

  async setLegMusic(legId: LegId, sounds: readonly Sound[]): Promise<void> {
    await this.#call('setLegMusic', { ...this.#of(legId), sounds });
  }

  async setLegHearingGain(legId: LegId, gain: number): Promise<void> {
    await this.#call('setLegHearingGain', { ...this.#of(legId), gain });
  }

  async playTone(sounds: readonly Sound[]): Promise<void> {
    await this.#call('playTone', { room: this.#key, sounds });
  }

  addMicrophone(input: MicrophoneInput): Promise<{ address: string; port: number }> {
    return this.#call('addMicrophone', { room: this.#key, input });
  }

  async removeMicrophone(legId: LegId): Promise<void> {
    if (this.#failed) return;
    await this.#call('removeMicrophone', this.#of(legId));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();

    return this.#closed;
  }

  /** To another thread, with all that is going on in it. */
  moveTo(worker: MixerWorker): Promise<MoveOutcome> {
    return this.#turns.alone(() => this.#moveTo(worker));
  }

  /** What the thread said about this room. */
  notice(notice: Exclude<MixerNotice, { type: 'fault' }>): void {
    if (this.#closed !== undefined) return;
    switch (notice.type) {
      case 'speakers':
        this.events.emit('speakers', notice.speakers);
        break;
      case 'timeout':
        this.events.emit('legTimeout', notice.legId);
        break;
      case 'played':
        this.events.emit('legPlayed', notice.legId, notice.playId, notice.complete);
        break;
      case 'dtmf':
        this.events.emit('legDtmf', notice.legId, notice.digit, notice.durationMs);
        break;
    }
  }

  /** The thread is gone, and with it every socket of the room. */
  fail(reason: string): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#releaseAll();
    this.events.emit('failed', reason);
  }

  async #createLeg(legId: LegId): Promise<{ rtpPort: number; rtcpPort: number }> {
    this.#assertOpen();
    if (this.#legs.has(legId)) throw new AppError('INVALID_STATE', 'the leg exists');
    const outcome = await this.#ports.allocate((ports) => this.#bind(legId, ports));
    if (outcome === undefined) throw new AppError('MEDIA_UNAVAILABLE', 'no free RTP port');
    if (outcome.error !== undefined) {
      this.#ports.release(outcome.ports);
      throw outcome.error;
    }
    if (this.#failed || this.#closed !== undefined) {
      await this.#worker.call('closeLeg', this.#of(legId)).catch(() => undefined);
      this.#ports.release(outcome.ports);
      throw new AppError('MEDIA_UNAVAILABLE', 'the room was closed');
    }
    this.#legs.set(legId, { ports: outcome.ports, muted: false });

    return { rtpPort: outcome.ports.rtp, rtcpPort: outcome.ports.rtcp };
  }

  async #moveTo(worker: MixerWorker): Promise<MoveOutcome> {
    if (this.#failed || this.#closed !== undefined || !worker.alive) return 'refused';
    const room = this.#key;
    const { port1, port2 } = new MessageChannel();
    const taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const arriving = worker.call('thawRoom', { room, passage: port2, taken }, [port2]);
    const leaving = this.#worker.call('freezeRoom', { room, passage: port1 }, [port1]);
    // A thread that is gone did not take it, and the other one would wait.
    leaving.catch(() => {
      port1.close();
    });
    const [left, arrived] = await Promise.allSettled([leaving, arriving]);
    if (arrived.status === 'fulfilled') {
      this.#worker = worker;
      // The thread that it left died just then, and its calls were ended.
      if (this.#failed) await worker.call('closeRoom', { room }).catch(() => undefined);

      return this.#failed ? 'lost' : 'moved';
    }
    if (left.status === 'rejected') return 'refused';
    if (Atomics.load(taken, 0) === 0) closeReleased(left.value);
    this.fail(`the room was lost on its way: ${toError(arrived.reason).message}`);

    return 'lost';
  }

  async #close(): Promise<void> {
    await this.#turns
      .together(() => this.#worker.call('closeRoom', { room: this.#key }))
      .catch(() => undefined);
    this.#releaseAll();
    this.#onClosed();
  }

  /**
   * Sockets belong to a thread: the ports are bound anew in the other one. The phone sees a new SSRC, said
   * good-bye to the old one by RTCP, and at most a packet is lost.
   */
  async #moveToThread(legId: LegId, leg: PooledLeg, to: PooledRoom): Promise<void> {
    await this.#worker.call('closeLeg', this.#of(legId));
    await to.#worker.call('createLeg', { ...to.#of(legId), ports: leg.ports });
    if (leg.audio === undefined) return;
    await to.#worker.call('configureLeg', { ...to.#of(legId), audio: leg.audio });
    if (leg.muted) await to.#worker.call('setLegMuted', { ...to.#of(legId), muted: true });
  }

  /** Only a taken port rejects, so that the next pair is tried; anything else is an answer. */
  async #bind(legId: LegId, ports: PortPair): Promise<{ ports: PortPair; error?: Error }> {
    try {
      await this.#worker.call('createLeg', { ...this.#of(legId), ports });

      return { ports };
    } catch (error) {
      if (error instanceof PortTakenError) throw error;

      return { ports, error: toError(error) };
    }
  }

  #call<Op extends MixerOperation>(
    op: Op,
    args: MixerCalls[Op]['args'],
  ): Promise<MixerCalls[Op]['result']> {
    return this.#turns.together(() => this.#worker.call(op, args));
  }

  #of(legId: LegId): { room: RoomKey; legId: LegId } {
    return { room: this.#key, legId };
  }

  #releaseAll(): void {
    for (const { ports } of this.#legs.values()) this.#ports.release(ports);
    this.#legs.clear();
  }

  #assertOpen(): void {
    if (this.#failed || this.#closed !== undefined) {
      throw new AppError('MEDIA_UNAVAILABLE', 'the room is closed');
    }
  }
}
