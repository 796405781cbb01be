/**
 * A hundred WebRTC phones call one room, at once and within five seconds: how long until each has what it is
 * to have, with how many re-INVITEs, at what cost. Each with and without merging.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WebRtcPeer } from '../test/support/webrtc-peer.ts';
import type { BenchRow } from './bench-row.ts';
import { SERVER_MAIN, serverSettings, untilReady } from './bench-server.ts';
import { costOf, setSessionNice } from './process-cost.ts';

const PEERS = 100;
const ROOM = '100';
/** As many as a phone is given at most. */
const VIDEOS = 16;
/** Milliseconds without a re-INVITE after which the room is at rest. */
const REST = 2000;
/** Longer, and it never comes to rest; peers without ICE are put out after 30 s. */
const LIMIT = 25_000;
const USUAL_WINDOW = 250;
/** Milliseconds; at a human pace nothing would be left to merge. */
const SPREAD = 5000;
/** Before other work on the machine. */
const NICE = -15;

interface Storm {
  /** Seconds from the first INVITE. */
  lastJoin: number;
  lastAck: number;
  reinvites: readonly number[];
  cpu: number;
  unanswered: number;
  /** Videos that a peer has at the end, the fewest. */
  fewestVideos: number;
}

export async function benchStorm(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  setSessionNice(NICE);
  const plays = [0, SPREAD].flatMap((spread) =>
    [USUAL_WINDOW, 0].map((window) => ({ spread, window })),
  );
  for (const { spread, window } of plays) {
    const folder = mkdtempSync(path.join(tmpdir(), 'parley-bench-'));
    const server = await startServer(folder, window);
    try {
      const storm = await play(server, spread);
      const when = spread === 0 ? 'at once' : `within ${spread / 1000} s`;
      const how = window === 0 ? 'without merging' : `merged within ${window} ms`;
      const what = `${when}, ${how}`;
      console.log(`${what}: ${JSON.stringify({ ...storm, reinvites: undefined })}`);
      rows.push(...toRows(what, storm));
    } finally {
      server.kill('SIGTERM');
      await once(server, 'exit');
      rmSync(folder, { recursive: true, force: true });
    }
  }

  return rows;
}

function toRows(what: string, storm: Storm): BenchRow[] {
  const { lastJoin, lastAck, reinvites, cpu, unanswered, fewestVideos } = storm;
  const mean = reinvites.reduce((sum, count) => sum + count, 0) / reinvites.length;
  const row = (name: string, value: number, unit: string): BenchRow => ({
    bench: 'storm',
    what: `${PEERS} join ${what}: ${name}`,
    value: Number(value.toFixed(2)),
    unit,
  });

  return [
    row('last call is up', lastJoin, 's'),
    row('last ACK', lastAck, 's'),
    row('re-INVITEs to a peer, mean', mean, ''),
    row('re-INVITEs to a peer, most', Math.max(...reinvites), ''),
    row('re-INVITEs without an ACK', unanswered, ''),
    row('videos of a peer at the end, fewest', fewestVideos, ''),
    row('CPU of the server', cpu, 's'),
  ];
}

async function play(server: ChildProcess, spread: number): Promise<Storm> {
  const address = { address: '127.0.0.1', port: 5060 };
  const peers = await Promise.all(
    Array.from({ length: PEERS }, (_, index) =>
      WebRtcPeer.open({ server: address, room: ROOM, name: `peer ${index}`, video: true }),
    ),
  );
  const cpuBefore = costOf(server.pid!).cpu;
  const startedAt = performance.now();
  await Promise.all(
    peers.map(async (peer, index) => {
      await delay((index * spread) / PEERS);
      await peer.call();
    }),
  );
  const joinedAt = performance.now();
  const ofAll = (): WebRtcPeer['reinvites'] => peers.flatMap(({ reinvites }) => reinvites);
  const isFull = (): boolean => peers.every((peer) => peer.carried('video') === VIDEOS);
  for (let newest = joinedAt; performance.now() - startedAt < LIMIT; await delay(100)) {
    newest = Math.max(newest, ...ofAll().map(({ at }) => at));
    if (isFull() && performance.now() - newest > REST) break;
  }
  const cpu = costOf(server.pid!).cpu - cpuBefore;
  const acks = ofAll().map(({ ackedAt }) => ackedAt ?? 0);
  const storm = {
    lastJoin: (joinedAt - startedAt) / 1000,
    lastAck: (Math.max(joinedAt, ...acks) - startedAt) / 1000,
    reinvites: peers.map(({ reinvites }) => reinvites.length),
    cpu,
    unanswered: acks.filter((at) => at === 0).length,
    fewestVideos: Math.min(...peers.map((peer) => peer.carried('video'))),
  };
  await Promise.all(peers.map((peer) => peer.hangUp()));
  for (const peer of peers) peer.close();

  return storm;
}

async function startServer(folder: string, window: number): Promise<ChildProcess> {
  const server = spawn(process.execPath, [SERVER_MAIN], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      ...serverSettings(folder),
      SIP_RATE_LIMIT: '10000',
      REINVITE_WINDOW_MS: String(window),
    },
  });
  await untilReady(server);

  return server;
}
