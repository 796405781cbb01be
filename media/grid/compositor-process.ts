/**
 * Entry of a compositor's process, started for one room. It ends when the server does: the channel
 * between them is all that keeps it.
 */
import { createSocket } from 'node:dgram';
import { SystemClock, TimerSet, toError } from '../../base/index.ts';
import { loadAvLibrary } from './av-library.ts';
import { Compositor } from './compositor.ts';
import type { GridMessage, GridScene, GridSettings } from './grid-protocol.ts';

const LOOPBACK = '127.0.0.1';
/** Octets: nine key frames that come while a picture is made. */
const RECEIVE_BUFFER = 4_000_000;
const REPORT_INTERVAL = 1000;

const clock = new SystemClock();
const timers = new TimerSet<'tick' | 'report'>(clock);

function tell(message: GridMessage): void {
  if (process.connected) process.send?.(message);
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();

  return (user + system) / 1e6;
}

async function run(settings: GridSettings): Promise<void> {
  const av = await loadAvLibrary();
  const socket = createSocket('udp4');
  const compositor = new Compositor(av, settings, {
    now: () => clock.now(),
    cpuSeconds,
    // A packet that does not go is a lost one.
    send: (packet, port) => {
      socket.send(packet, port, LOOPBACK, () => undefined);
    },
  });
  socket.on('error', () => undefined);
  socket.on('message', (data, from) => {
    compositor.receive(data, from.port);
  });
  process.on('message', (scene: GridScene) => {
    compositor.show(scene).catch(fail);
  });
  const interval = 1000 / settings.framesPerSecond;
  let due = clock.now();
  const tick = (): void => {
    compositor.tick();
    // Pictures that are late are left out, not caught up with.
    due = Math.max(due + interval, clock.now());
    timers.start('tick', due - clock.now(), tick);
  };
  const report = (): void => {
    tell(compositor.report());
    timers.start('report', REPORT_INTERVAL, report);
  };
  socket.bind(0, LOOPBACK, () => {
    socket.setRecvBufferSize(RECEIVE_BUFFER);
    tell({ type: 'ready', port: socket.address().port });
    tick();
    report();
  });
}

/** The server starts another one; what was wrong stands in its log. */
function fail(error: unknown): void {
  console.error(toError(error).message);
  process.exit(1);
}

// Ctrl-C on a terminal reaches this process too; the server tells it when its work is done.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => process.exit(0));

run(JSON.parse(process.argv[2] ?? '{}') as GridSettings).catch((error: unknown) => {
  tell({ type: 'unusable', reason: toError(error).message });
  process.disconnect();
});
