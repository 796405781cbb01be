/**
 * Offers and requests that another project's regression tests send, with what they expect in return. What
 * they expect of settings and codecs that a conference has not is read as policy: `OURS` says what we do.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newBranch, type SipResponse } from '../../signaling/sip/message/index.ts';
import { stopAllChildren } from '../support/child-process.ts';
import { CORPORA, missing } from './corpora.ts';
import { startServer, type ServerUnderTest } from './server-under-test.ts';
import { ALIVE_MS, until, withSentBy, type Line } from './sip-prober.ts';

interface Case {
  readonly name: string;
  readonly file: string;
  readonly sdp: string;
  readonly resp_code: number;
  readonly resp_inc?: readonly string[];
  readonly resp_exc?: readonly string[];
  readonly extra_headers?: string;
  readonly complete_msg?: string;
}

const ANSWER_MS = 20_000;

interface Policy {
  readonly files: RegExp;
  readonly statuses: readonly number[];
}

/** Where we decide otherwise, and why; the patterns of a case go with its own status. */
const OURS: readonly Policy[] = [
  // RFC 3261 8.2.1: a method that is not recognised is 501, not 405.
  { files: /^001_torture_4475_3_1_1_2$/, statuses: [501] },
  // The user part is no room's.
  { files: /^(001_torture_4475_3_1_1_3|159_no_rport.*)$/, statuses: [404] },
  // No empty line ends these two as they are stored; the set of RFC 4475 has them whole.
  { files: /^001_torture_4475_3_1_1_[45]$/, statuses: [400] },
  // RFC 3264 5: a description without media is well formed.
  { files: /^152_err_sdp_no_media$/, statuses: [488] },
  // Our minimum is 90 s, and a session that may be refreshed is.
  { files: /^17[24]_timer_/, statuses: [200] },
  // RFC 8217: one of its Contacts is a URI with a question mark and without brackets.
  { files: /^363_non_sip_uri_subscribe$/, statuses: [400] },
  // Codecs that a conference has not.
  { files: /^4\d\d_fmtp_/, statuses: [488] },
  // RFC 3264 6: what cannot be had is 488; 406 is about the Accept header. Keys offered with RTP/AVP are no
  // more than an invitation.
  { files: /^3\d\d_srtp/, statuses: [200, 488] },
  // Candidates are taken where ICE is spoken, and passed over elsewhere.
  { files: /^200_ice_success/, statuses: [200] },
];

let parley: ServerUnderTest;

beforeAll(async () => {
  parley = await startServer('conformance-sendto', { ROOM_AUTO_CREATE: 'true' });
});

afterAll(async () => {
  await stopAllChildren();
});

const absent = missing('pjsip-sendto');
describe(absent === undefined ? 'sendto cases' : `sendto cases: skipped, ${absent}`, () => {
  if (absent !== undefined) {
    it('has nothing to send', () => {
      expect(absent).toMatch(/beside the checkout/);
    });

    return;
  }
  const cases = JSON.parse(
    readFileSync(path.join(CORPORA, 'pjsip-sendto/cases.json'), 'utf8'),
  ) as Case[];

  it.each(cases)('$file: $name', async (sent) => {
    const line = await parley.prober.udp();
    try {
      const final = await ask(line, sent);
      expect(final).toBeDefined();
      expectVerdict(sent, final!);
      await finish(line, final!);
    } finally {
      line.close();
    }
    expect(await parley.prober.alive()).toBeLessThan(ALIVE_MS);
  });
});

function expectVerdict(sent: Case, final: SipResponse): void {
  const policy = OURS.find(({ files }) => files.test(sent.file));
  expect(policy?.statuses ?? [sent.resp_code]).toContain(final.status);
  if (final.status < 300) expectSafeAnswer(final.bodyText);
  if (policy !== undefined) return;
  const text = [...final.headers]
    .map(({ name, value }) => `${name}: ${value}`)
    .concat('', ...final.bodyText.split('\r\n'))
    .join('\n');
  for (const pattern of sent.resp_inc ?? []) expect(text).toMatch(new RegExp(pattern));
  for (const pattern of sent.resp_exc ?? []) expect(text).not.toMatch(new RegExp(pattern));
}

/** RFC 4568 5.1.2: a key where it is SAVP, and "exactly one"; one without the other gives no sound. */
function expectSafeAnswer(sdp: string): void {
  for (const section of sdp.split(/^(?=m=)/m).slice(1)) {
    const isOn = !/^m=\S+ 0 /.test(section);
    const keys = section.match(/^a=crypto:/gm)?.length ?? 0;
    if (isOn && /^m=\S+ \d+ RTP\/SAVPF? /.test(section)) expect(keys).toBe(1);
    else expect(keys).toBeLessThanOrEqual(isOn ? 1 : 0);
  }
}

async function ask(line: Line, sent: Case): Promise<SipResponse | undefined> {
  const callId = `${sent.file}-${line.localPort}`;
  const bytes =
    sent.complete_msg === undefined
      ? inviteWith(sent, line.localPort, callId)
      : fillIn(sent.complete_msg, line.localPort, callId);
  await line.send(bytes);
  const finals = (): SipResponse[] =>
    line.received.filter(
      (message): message is SipResponse => message.kind === 'response' && message.status >= 200,
    );
  await until(() => finals().length > 0, ANSWER_MS);

  return finals()[0];
}

function inviteWith({ sdp, extra_headers: extra }: Case, port: number, callId: string): Buffer {
  const body = sdp.replace(/\r?\n/g, '\r\n');
  const lines = [
    `INVITE sip:100@127.0.0.1:${parley.prober.port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=${newBranch()}`,
    'Max-Forwards: 70',
    `From: <sip:probe@127.0.0.1:${port}>;tag=probe`,
    `To: <sip:100@127.0.0.1:${parley.prober.port}>`,
    `Call-ID: ${callId}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:probe@127.0.0.1:${port}>`,
    ...(extra ?? '').split(/\r?\n/).filter((header) => header !== ''),
    'Content-Type: application/sdp',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];

  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

function fillIn(template: string, port: number, callId: string): Buffer {
  const text = template
    .replace(/\r?\n/g, '\r\n')
    .replaceAll('$LOCAL_IP', '127.0.0.1')
    .replaceAll('$LOCAL_PORT', String(port))
    .replaceAll('$FROM_TAG', 'probe')
    .replaceAll('$BRANCH', newBranch())
    .replaceAll('$CALL_ID', callId);

  return withSentBy(Buffer.from(text), port);
}

async function finish(line: Line, final: SipResponse): Promise<void> {
  if (final.method !== 'INVITE') return;
  const to = final.headers.get('to') ?? '';
  const bye = final.status < 300;
  for (const method of bye ? ['ACK', 'BYE'] : ['ACK']) {
    const via = bye ? newBranch() : (final.via.params.get('branch') ?? '');
    const lines = [
      `${method} sip:100@127.0.0.1:${parley.prober.port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${line.localPort};branch=${via}`,
      'Max-Forwards: 70',
      `From: ${final.headers.get('from') ?? ''}`,
      `To: ${to}`,
      `Call-ID: ${final.callId}`,
      `CSeq: ${final.cseq.sequence + (method === 'BYE' ? 1 : 0)} ${method}`,
      'Content-Length: 0',
    ];
    await line.send(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
  }
}
