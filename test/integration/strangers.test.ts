import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BaresipPhone } from '../support/baresip-phone.ts';
import { Child, stopAllChildren } from '../support/child-process.ts';
import { ParleyServer } from '../support/parley-server.ts';
import { writeTonePcap } from '../support/rtp-pcap.ts';
import { scratchFolder } from '../support/scratch.ts';
import { runScenario } from '../support/sipp.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Where the phone is: another host than the scanner's, as far as the server can see. */
const PHONE_HOST = '127.0.0.2';
/** It waits for answers 10 s by default. */
const TERSE = ['--maximumtime=2', '-t', '0.01'];
const ACCOUNT = { username: '1001', password: 'correct-horse' };

interface Ladder {
  id: string;
  state: string;
  messageCount: number;
  ladder: { direction: string; summary: string; text: string }[];
}

describe('a server that lets in accounts alone', () => {
  const folder = scratchFolder('strangers');
  let server: ParleyServer;

  beforeAll(async () => {
    mkdirSync(path.join(folder, 'media'));
    writeTonePcap(path.join(folder, 'media/tone440.pcap'), {
      codec: 'PCMU',
      hertz: 440,
      seconds: 4,
      ssrc: 0x440,
    });
    server = await ParleyServer.start({ folder, env: { SIP_GUESTS: 'false' } });
    await server.api('POST', '/accounts', ACCOUNT);
  });

  afterAll(async () => {
    await stopAllChildren();
  });

  async function outcomes(outcome: string): Promise<number> {
    const name = `parley_sip_authentications_total{outcome="${outcome}"}`;

    return (await server.metrics()).get(name) ?? 0;
  }

  /** All of it but what is drawn anew each time. */
  async function answerTo(method: string, user: string): Promise<string> {
    const socket = createSocket('udp4');
    const lines = [
      `${method} sip:${method === 'REGISTER' ? '' : `${user}@`}127.0.0.1 SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK${method}${user}`,
      `From: <sip:${user}@127.0.0.1>;tag=1`,
      `To: <sip:${user}@127.0.0.1>`,
      `Call-ID: ${method}-${user}`,
      `CSeq: 1 ${method}`,
      `Contact: <sip:${user}@127.0.0.1:9>`,
      'Event: conference',
      'Max-Forwards: 70',
      'Content-Length: 0',
    ];
    socket.send(`${lines.join('\r\n')}\r\n\r\n`, server.sipPort, '127.0.0.1');
    let answer = '';
    while (answer === '' || answer.startsWith('SIP/2.0 100')) {
      const [bytes] = (await once(socket, 'message')) as [Buffer];
      answer = bytes.toString();
    }
    socket.close();

    return answer
      .replaceAll(user, 'USER')
      .replaceAll(/(tag|nonce)="?[^";,\r]+/g, '$1')
      .replaceAll(/rport=\d+|^Date: .*$/gm, '');
  }

  /** One of sipvicious' tools, to its end; what it printed. */
  async function tool(command: string, ...args: string[]): Promise<string> {
    const child = startTool(command, ...args);
    await child.exited;

    return child.output;
  }

  function startTool(command: string, ...args: string[]): Child {
    return new Child({
      name: command,
      command,
      args: [...args, '127.0.0.1'],
      logFile: path.join(folder, `${command}-${args.join('')}.log`.replaceAll('/', '_')),
      cwd: folder,
      env: { HOME: folder, TERM: 'dumb', PYTHONUNBUFFERED: '1' },
    });
  }

  it('3261-22.2-a a call with digest, its messages to be read meanwhile and afterwards', async () => {
    const calling = runScenario({
      folder,
      scenario: 'callers/invite-auth.xml',
      target: `127.0.0.1:${server.sipPort}`,
      user: '720',
      port: 5200,
      seconds: 30,
      pause: 3000,
      account: ACCOUNT,
    });
    let id = '';
    await waitUntil('the call stands', async () => {
      const [call] = await server.api<Ladder[]>('GET', '/calls');
      id = call?.id ?? '';

      return call?.state === 'established' ? undefined : `${JSON.stringify(call)}`;
    });
    let during!: Ladder;
    await waitUntil('the 200 has its ACK', async () => {
      during = await server.api<Ladder>('GET', `/calls/${id}`);

      return during.ladder.at(-1)?.summary === 'ACK' ? undefined : JSON.stringify(during);
    });
    expect(await calling).toEqual({ exitCode: 0, errors: '' });
    const after = await server.api<Ladder>('GET', `/calls/${id}`);

    const steps = (ladder: Ladder['ladder']): string[] =>
      ladder
        .map(({ direction, summary }) => `${direction} ${summary}`)
        .filter((step) => !step.endsWith('100 Trying'));
    const setup = [
      'in INVITE',
      'out 401 Unauthorized',
      'in ACK',
      'in INVITE',
      'out 200 OK',
      'in ACK',
    ];
    expect(steps(during.ladder)).toEqual(setup);
    expect(steps(after.ladder)).toEqual([...setup, 'in BYE', 'out 200 OK']);
    expect(after.state).toBe('ended');
    expect(await server.api<Ladder[]>('GET', '/calls')).toEqual([]);
    expect(
      after.ladder[3]!.summary === 'INVITE' ? after.ladder[3]!.text : JSON.stringify(after.ladder),
    ).toMatch(/^Authorization: Digest \*\*\*\r?$/m);
    expect(JSON.stringify(after)).not.toMatch(/response=|correct-horse/);
    expect(server.log).not.toMatch(/response=.?"?[0-9a-f]{32}|correct-horse/);
  });

  it('svmap finds it; svwar learns no account from it', async () => {
    expect(await tool('svmap')).toMatch(/127\.0\.0\.1:5060 .*Parley/);
    const register = tool('svwar', ...TERSE, '--force', '-m', 'REGISTER', '-e', '990-1010');
    // A 401 to an INVITE it takes for a find, whoever was asked for.
    const [known, unknown] = await Promise.all(
      ['1001', '1002'].map(async (name) => {
        const text = await tool('svwar', ...TERSE, '--force', '-m', 'INVITE', '-e', name);

        return text
          .match(new RegExp(`^\\| ${name} .*$`, 'gm'))
          ?.join()
          .replaceAll(name, 'NAME');
      }),
    );
    expect(known).toBe(unknown);
    expect(await register).toContain('found nothing');
  });

  it.each(['REGISTER', 'INVITE', 'MESSAGE', 'SUBSCRIBE', 'OPTIONS'])(
    'a %s that names an account is answered like one that names none',
    async (method) => {
      const [known, unknown] = [await answerTo(method, '1001'), await answerTo(method, '1002')];
      expect(known).toEqual(unknown);
    },
  );

  it('svcrack is stopped before it comes to the password', async () => {
    const words = Array.from({ length: 60 }, (_, i) => `guess${i}`);
    words.splice(30, 0, ACCOUNT.password);
    writeFileSync(path.join(folder, 'words'), `${words.join('\n')}\n`);
    const [refused, limited] = [await outcomes('refused'), await outcomes('limited')];
    const svcrack = startTool('svcrack', '-u', ACCOUNT.username, '-d', path.join(folder, 'words'));
    // It goes on for half a minute after its last word.
    await waitUntil('it is past the password', async () => {
      const since = (await outcomes('limited')) - limited;

      return since > 30 || !svcrack.running ? undefined : `${since} attempts limited`;
    });
    await svcrack.stop();
    expect(svcrack.output).not.toContain(ACCOUNT.password);
    expect((await outcomes('limited')) - limited).toBeGreaterThan(30);
    expect((await outcomes('refused')) - refused).toBe(10);
  });

  it('the phone of the account still registers and calls', async () => {
    const phone = await BaresipPhone.start({
      folder: path.join(folder, 'phone'),
      name: ACCOUNT.username,
      address: PHONE_HOST,
      port: 5070,
      account: { server: `127.0.0.1:${server.sipPort}`, password: ACCOUNT.password },
    });
    await waitUntil('it is registered', async () => {
      const { registrations } = await server.api<{ registrations: object[] }>(
        'GET',
        `/accounts/${ACCOUNT.username}`,
      );

      return registrations.length === 1 ? undefined : 'not yet';
    });
    await phone.call(server.sipUri('720'));
    await phone.hangUp();
    await phone.stop();
  });

  it('what it counts has moved, and all that was promised is there', async () => {
    const socket = createSocket('udp4');
    socket.send(
      'INVITE sip:720@127.0.0.1 SIP/2.0\r\nVia: none\r\n\r\n',
      server.sipPort,
      '127.0.0.1',
    );
    await waitUntil('the malformed message is counted', async () => {
      const count =
        (await server.metrics()).get('parley_sip_malformed_total{transport="udp"}') ?? 0;

      return count > 0 ? undefined : 'not counted';
    });
    socket.close();
    const metrics = await server.metrics();
    const moved = [
      'parley_sip_requests_total{method="INVITE",direction="in"}',
      'parley_sip_requests_total{method="REGISTER",direction="in"}',
      'parley_sip_responses_total{code="200",direction="out"}',
      'parley_sip_responses_total{code="401",direction="out"}',
      'parley_call_setup_seconds_count',
      'parley_rtp_packets_total{direction="in"}',
      'parley_rtp_packets_total{direction="out"}',
      'parley_mixer_frame_seconds_count',
    ];
    const there = [
      'parley_rooms',
      'parley_participants{kind="browser"}',
      'parley_participants{kind="phone"}',
      'parley_sip_transactions',
      'parley_sip_dialogs',
      'parley_rtp_lost_total',
      'parley_mixer_late_frames_total',
      'parley_media_worker_deaths_total',
    ];
    expect(moved.filter((name) => !((metrics.get(name) ?? 0) > 0))).toEqual([]);
    expect(there.filter((name) => !metrics.has(name))).toEqual([]);
  });
});
