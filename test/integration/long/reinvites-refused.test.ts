import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stopAllChildren } from '../../support/child-process.ts';
import { ParleyServer } from '../../support/parley-server.ts';
import { projectPath, scratchFolder } from '../../support/scratch.ts';
import { runScenario, scenarioMessages, type ScenarioResult } from '../../support/sipp.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WebRtcPeer } from '../../support/webrtc-peer.ts';

/** Timer B is 3.2 s with it, and who refuses is asked again after 0.4, 1.6 and 6.4 s. */
const T1_MS = 50;
const SECONDS = 28;
/** The first try and three more. */
const TRIES = 4;

interface Case {
  readonly id: string;
  readonly scenario: string;
  readonly status?: string;
  /** Whose streams bring the re-INVITEs. */
  readonly others: number;
  /** It is still in the room when all is done. */
  readonly stays: boolean;
  /** Re-INVITEs, repetitions of the same not counted. */
  readonly offers: number;
}

const CASES: readonly Case[] = [
  refusal('3261-14.1-b', '488 Not Acceptable Here'),
  refusal('3261-14.1-b', '500 Server Internal Error'),
  { ...refusal('3261-12.2.1.2-a', '405 Method Not Allowed'), offers: 1 },
  { ...refusal('3261-12.2.1.2-a', '408 Request Timeout'), stays: false, offers: 1 },
  { id: '3261-12.2.1.2-a', scenario: 'gone', others: 1, stays: false, offers: 1 },
  { id: '3261-17.1.1.2-b', scenario: 'silent', others: 1, stays: false, offers: 1 },
  { id: '3261-14.1-a', scenario: 'glare', others: 1, stays: true, offers: 3 },
  { id: '3264-6-a', scenario: 'fewer-lines', others: 2, stays: true, offers: 1 },
];

function refusal(id: string, status: string): Case {
  return { id, scenario: 'refuses', status, others: 1, stays: true, offers: TRIES };
}

/** SIPp takes a status from its script alone. */
function scenarioOf({ scenario, status }: Case, folder: string): string {
  const file = `reinvited/${scenario}.xml`;
  if (status === undefined) return file;
  const script = readFileSync(projectPath('test/fixtures/sipp', file), 'utf8');
  const own = path.join(folder, 'refuses.xml');
  writeFileSync(own, script.replace('488 Not Acceptable Here', status));

  return own;
}

/** One peer with the others of its room. */
interface Play extends Case {
  readonly room: string;
  readonly folder: string;
  readonly companions: WebRtcPeer[];
  readonly ended: Promise<ScenarioResult>;
}

/** The sequence numbers of the re-INVITEs that a peer got, in their order. */
function offersTo(folder: string): string[] {
  const numbers = scenarioMessages(folder).matchAll(
    /^INVITE sip:sipp@[^]*?^CSeq: (\d+) INVITE\r?$/gm,
  );

  return [...new Set([...numbers].map(([, number]) => number!))];
}

describe('a WebRTC phone that does not take our re-INVITE', () => {
  const folder = scratchFolder('reinvites');
  const plays: Play[] = [];
  let server: ParleyServer;

  async function others(play: Pick<Play, 'room' | 'others'>): Promise<WebRtcPeer[]> {
    const address = { address: '127.0.0.1', port: server.sipPort };

    return Promise.all(
      Array.from({ length: play.others }, async (_, index) => {
        const name = `other ${index}`;
        const peer = await WebRtcPeer.open({
          server: address,
          room: play.room,
          name,
          video: true,
        });
        await peer.call();

        return peer;
      }),
    );
  }

  async function start(each: Case, index: number): Promise<Play> {
    const room = String(700 + index);
    const ownFolder = path.join(folder, room);
    mkdirSync(ownFolder);
    const ended = runScenario({
      folder: ownFolder,
      scenario: scenarioOf(each, ownFolder),
      target: `127.0.0.1:${server.sipPort}`,
      user: room,
      port: 5200 + 2 * index,
      seconds: SECONDS,
    });
    await waitUntil(`${room} has its peer`, async () => {
      const rows = await server.participants(room).catch(() => []);

      return rows.length === 1 ? undefined : JSON.stringify(rows);
    });

    return { ...each, room, folder: ownFolder, companions: await others({ ...each, room }), ended };
  }

  beforeAll(async () => {
    server = await ParleyServer.start({ folder, env: { SIP_T1_MS: String(T1_MS) } });
    plays.push(...(await Promise.all(CASES.map(start))));
  });

  afterAll(async () => {
    for (const { companions } of plays) for (const each of companions) each.close();
    await stopAllChildren();
  });

  it.each(CASES.map((each, index) => [each.id, each.status ?? each.scenario, index] as const))(
    '%s: %s',
    async (_id, _what, index) => {
      const { room, folder: own, offers, stays, others: count, companions, ended } = plays[index]!;
      await waitUntil(`${offers} offers`, () => {
        const seen = offersTo(own);

        return seen.length === offers ? undefined : seen.join(' ');
      });
      await waitUntil('the room has whom it should', async () => {
        const rows = await server.participants(room);

        return rows.length === (stays ? 1 : 0) + count ? undefined : JSON.stringify(rows);
      });
      for (const other of companions) {
        expect(other.isOver).toBe(false);
        // A re-INVITE tells of who left; of refusals nothing does. Two who come together see each other.
        const told = stays ? count - 1 : 1;
        await waitUntil('the others know', () =>
          other.reinvites.length === told ? undefined : `${other.reinvites.length} re-INVITEs`,
        );
      }
      if (stays) await server.api('DELETE', `/rooms/${room}`);
      expect(await ended).toEqual({ exitCode: 0, errors: '' });
      expect(offersTo(own)).toHaveLength(offers);
    },
  );

  it('is counted by how it ended', async () => {
    const samples = await server.metrics();
    const count = (outcome: string): number | undefined =>
      samples.get(`parley_reinvites_total{reason="streams",outcome="${outcome}"}`);
    expect(count('refused')).toBe(2 * TRIES + 1);
    expect(count('ended')).toBe(3);
    expect(count('failed') ?? 0).toBe(0);
  });
});
