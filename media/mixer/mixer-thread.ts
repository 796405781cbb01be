/**
 * Entry of a mixer thread: its rooms, their sockets, and one clock that makes a frame of every room
 * each 20 ms.
 */
import { performance } from 'node:perf_hooks';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { AppError, SystemClock, toError, type TimerHandle } from '../../base/index.ts';
import { configureOpus } from '../codec/index.ts';
import { FrameHistogram } from './frame-histogram.ts';
import { pollBatchedSockets, type FrozenSocket } from '../rtp/index.ts';
import { FRAME_MS, MixerClock } from './mixer-clock.ts';
import type {
  MixerFailure,
  MixerHandlers,
  MixerMessage,
  MixerRequest,
  RoomKey,
  ThreadData,
} from './mixer-protocol.ts';
import { LoadMeter } from './load-meter.ts';
import {
  addCounts,
  RoomMixer,
  socketsOf,
  type FrozenRoom,
  type PacketCounts,
  type RoomMixerOptions,
} from './room-mixer.ts';

const REPORT_MS = 1000;
/** So many mistakes of ours in a room are told; the rest would only say the same. */
const MAX_FAULTS = 3;

const port = parentPort;
if (port === null) throw new TypeError('to be started as a worker thread');
const settings = workerData as ThreadData;
configureOpus(settings.opus ?? {});
const clock = new SystemClock();
const mixerClock = new MixerClock(clock);
const histogram = new FrameHistogram();
const rooms = new Map<RoomKey, RoomMixer>();
const loads = new LoadMeter();
const faults = new Map<RoomKey, number>();
/** Of rooms that are gone. */
const past: PacketCounts = { packetsIn: 0, packetsOut: 0, lost: 0 };
let timer: TimerHandle | undefined;
let reportedAt = clock.now();

function post(message: MixerMessage): void {
  port?.postMessage(message);
}

function roomOf(key: RoomKey): RoomMixer {
  const room = rooms.get(key);
  if (room === undefined) throw new AppError('INVALID_STATE', 'the room is closed');

  return room;
}

function roomOptions(room: RoomKey): RoomMixerOptions {
  const { bindAddress, rtpTimeout, dscp, autoGain } = settings;

  return {
    clock,
    bindAddress,
    rtpTimeout,
    dscp,
    autoGain,
    onSpeakers: (speakers) => {
      post({ type: 'speakers', room, speakers });
    },
    onTimeout: (legId) => {
      post({ type: 'timeout', room, legId });
    },
    onDtmf: (legId, digit, durationMs) => {
      post({ type: 'dtmf', room, legId, digit, durationMs });
    },
    onPlayed: (legId, playId, complete) => {
      post({ type: 'played', room, legId, playId, complete });
    },
  };
}

const handlers: MixerHandlers = {
  createRoom: ({ room }) => {
    rooms.set(room, new RoomMixer(roomOptions(room)));
    if (timer === undefined) startTicking();
  },
  freezeRoom: ({ room, passage }) => {
    try {
      return freezeRoom(room, passage);
    } catch (error) {
      passage.postMessage(undefined);
      throw error;
    } finally {
      passage.close();
    }
  },
  thawRoom: async ({ room, passage, taken }) => {
    const frozen = await comingThrough(passage);
    if (frozen === undefined) throw new AppError('INVALID_STATE', 'the room did not come');
    Atomics.store(taken, 0, 1);
    thawRoom(room, frozen);
  },
  closeRoom: async ({ room }) => {
    const mixer = rooms.get(room);
    if (mixer === undefined) return;
    rooms.delete(room);
    faults.delete(room);
    await mixer.close();
    addCounts(past, mixer.counts());
    report();
  },
  createLeg: ({ room, legId, ports }) => roomOf(room).createLeg(legId, ports),
  configureLeg: ({ room, legId, audio }) => {
    roomOf(room).configureLeg(legId, audio);
  },
  setLegMuted: ({ room, legId, muted }) => {
    roomOf(room).setLegMuted(legId, muted);
  },
  publishLeg: ({ room, legId, target }) => roomOf(room).publishLeg(legId, target),
  unpublishLeg: ({ room, legId }) => {
    rooms.get(room)?.unpublishLeg(legId);
  },
  legStats: ({ room, legId }) => roomOf(room).legStats(legId),
  closeLeg: async ({ room, legId }) => {
    await rooms.get(room)?.closeLeg(legId);
  },
  moveLeg: ({ room, legId, to }) => {
    const target = roomOf(to);
    target.attachLeg(roomOf(room).detachLeg(legId));
  },
  playTo: ({ room, legId, playId, sounds }) => {
    roomOf(room).playTo(legId, playId, sounds);
  },
  stopPlaying: ({ room, legId }) => {
    roomOf(room).stopPlaying(legId);
  },
  pressKeys: ({ room, legId, playId, keys }) => {
    roomOf(room).pressKeys(legId, playId, keys);
  },
  setLegMusic: ({ room, legId, sounds }) => {
    roomOf(room).setLegMusic(legId, sounds);
  },
  setLegHearingGain: ({ room, legId, gain }) => {
    roomOf(room).setLegHearingGain(legId, gain);
  },
  playTone: ({ room, sounds }) => {
    roomOf(room).playTone(sounds);
  },
  addMicrophone: ({ room, input }) => roomOf(room).addMicrophone(input),
  removeMicrophone: ({ room, legId }) => {
    rooms.get(room)?.removeMicrophone(legId);
  },
};

/** What comes over a passage from one thread to another; nothing: the room stays where it is. */
type Passenger = FrozenRoom | undefined;

/** Between two frames; what the phones send meanwhile waits in the kernel, in the same sockets. */
function freezeRoom(key: RoomKey, passage: MessagePort): FrozenSocket[] {
  const room = roomOf(key);
  const frozen: Passenger = room.freeze(mixerClock.due + FRAME_MS);
  passage.postMessage(frozen);
  addCounts(past, room.counts());
  room.release();
  rooms.delete(key);
  loads.forget(key);
  report();

  return socketsOf(frozen);
}

/** Undefined: nothing does. */
async function comingThrough(passage: MessagePort): Promise<Passenger> {
  return new Promise((resolve) => {
    passage.once('message', (passenger: Passenger) => {
      resolve(passenger);
      passage.close();
    });
    passage.once('close', () => {
      resolve(undefined);
    });
  });
}

/** Frames that were due on the way are made at once, as those of a thread that is late. */
function thawRoom(key: RoomKey, frozen: FrozenRoom): void {
  const room = RoomMixer.thaw(frozen, roomOptions(key));
  rooms.set(key, room);
  if (timer === undefined) startTicking(frozen.nextDue - FRAME_MS);
  pollBatchedSockets();
  const now = clock.now();
  for (const due of mixerClock.doneSince(frozen.nextDue)) mixRoom(key, room, now, due, 0);
}

port.on('message', (request: MixerRequest) => {
  void answer(request);
});

async function answer({ id, op, args }: MixerRequest): Promise<void> {
  try {
    const handler = handlers[op] as (args: unknown) => unknown;
    post({ type: 'answer', id, value: await handler(args) });
  } catch (error) {
    post({ type: 'refusal', id, failure: failureOf(error), message: toError(error).message });
  }
}

function failureOf(error: unknown): MixerFailure {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === 'EADDRINUSE' || code === 'EACCES') return 'PORT_TAKEN';
  if (code === 'INVALID_STATE' || code === 'MEDIA_UNAVAILABLE') return code;

  return typeof code === 'string' && /^E[A-Z]+$/.test(code) ? 'MEDIA_UNAVAILABLE' : 'INTERNAL';
}

/** Runs while there are rooms, so that an idle thread sleeps. */
function startTicking(at?: number): void {
  mixerClock.restart(at);
  timer = clock.setTimer(mixerClock.untilNext(), tick);
}

function tick(): void {
  // What has come is in this frame, not in the next.
  pollBatchedSockets();
  for (let owed = mixerClock.owed(), first = true; owed > 0; owed--, first = false) {
    const startedAt = clock.now();
    const skipped = first ? mixerClock.skipped : 0;
    const due = mixerClock.due - (owed - 1) * FRAME_MS;
    let from = startedAt;
    for (const [key, room] of rooms) {
      mixRoom(key, room, startedAt, due, skipped);
      const to = clock.now();
      loads.took(key, to - from);
      from = to;
    }
    histogram.observe((from - startedAt) / 1000);
  }
  if (clock.now() - reportedAt >= REPORT_MS) report();
  timer = rooms.size > 0 ? clock.setTimer(mixerClock.untilNext(), tick) : undefined;
}

/** One room's fault must not silence the others. */
function mixRoom(key: RoomKey, room: RoomMixer, now: number, due: number, skipped: number): void {
  try {
    room.tick(now, due, skipped);
  } catch (error) {
    const count = (faults.get(key) ?? 0) + 1;
    faults.set(key, count);
    if (count > MAX_FAULTS) return;
    const { stack, message } = toError(error);
    post({ type: 'fault', room: key, error: `${stack ?? message}\n${String(room)}` });
  }
}

function report(): void {
  reportedAt = clock.now();
  const counts = { ...past };
  for (const room of rooms.values()) addCounts(counts, room.counts());
  post({
    type: 'report',
    report: {
      rtpPacketsIn: counts.packetsIn,
      rtpPacketsOut: counts.packetsOut,
      rtpLost: counts.lost,
      mixerLateFrames: mixerClock.lateFrames,
      mixerFrameSeconds: histogram.value(),
      load: loads.next(performance.eventLoopUtilization(), mixerClock.lateFrames),
    },
  });
}

post({ type: 'ready' });
