/** What SIPp plays in test/integration/sipp-scenarios.test.ts, and what comes of it. */
import path from 'node:path';
import { writeKeysPcap, writeTonePcap } from './rtp-pcap.ts';
import { writeMuLaw, type ScenarioOptions } from './sipp.ts';

/** What a scenario needs beyond the usual. */
export type Play = Partial<
  Omit<ScenarioOptions, 'folder' | 'scenario' | 'target' | 'port' | 'cwd'>
>;

/** Room, host PIN and all that the callers need. */
export const ROOM = '600';
/** In this one somebody listens. */
export const LISTENED_ROOM = '640';
export const ACCOUNT = { username: 'desk', password: 'desk-secret' };
/** Whom the host transfers to. */
export const DESK_PORT = 5390;
export const LONGEST_MS = 80_000;

/** What each shows is said on top of its file in test/fixtures/sipp; the long ones come first. */
export const CALLERS: readonly (readonly [id: string, scenario: string, options?: Play])[] = [
  ['4028-10-a', 'server-refreshes', { seconds: 70 }],
  ['4028-10-a', 'callers/session-timer-peer-refresh', { seconds: 70 }],
  ['3261-13.3.1.4-a', 'callers/no-ack', { seconds: 60 }],
  ['3515-2.4.2-a', 'callers/refer', { user: `${ROOM}*4711` }],
  ['3264-8.4-a', 'hold-in-every-form'],
  ['3264-8.4-a', 'callers/hold'],
  ['3311-5.2-b', 'hold-by-update'],
  ['3311-5.1-a', 'callers/update'],
  ['3262-3-a', 'reliable-provisional'],
  ['3262-5-a', 'offer-in-reliable-provisional'],
  ['3262-3-b', 'callers/prack'],
  ['4028-9-b', 'session-timer'],
  ['4028-9-b', 'callers/session-timer'],
  ['4028-9-a', 'session-interval-too-small'],
  ['4028-9-a', 'callers/session-timer-422'],
  ['legacy-info-a', 'keys-by-info'],
  ['legacy-info-a', 'callers/info-dtmf'],
  ['4733-2.5.1.4-a', 'callers/dtmf'],
  ['3261-13.2.1-a', 'delayed-offer'],
  ['3261-13.2.1-a', 'callers/delayed-offer'],
  ['3264-8-a', 'codec-change'],
  ['3264-8-a', 'callers/codec-change', { user: LISTENED_ROOM }],
  ['', 'callers/ssrc-change', { user: LISTENED_ROOM }],
  ['3264-8-a', 'callers/add-video'],
  ['3264-6-a', 'callers/488'],
  ['3261-13.3.1.4-a', 'lost-ack'],
  ['3261-13.3.1.4-a', 'callers/lost-ack'],
  ['5407-3.1.2', 'crossing-requests'],
  ['6026-7.1-a', 'callers/dup-invite'],
  ['3261-9.2-a', 'callers/cancel'],
  ['3261-9.2-a', 'callers/cancel-race', { takesCrossing: true }],
  ['', 'callers/message', { user: '641' }],
  ['', 'callers/message-of-stranger'],
  ['3261-11.2-a', 'callers/options'],
  ['3261-8.2.1-a', 'callers/unknown-method'],
  ['3261-10.3-3', 'callers/register', { account: ACCOUNT }],
  ['3261-22.2-a', 'callers/register-badpw', { account: { ...ACCOUNT, password: 'not-it' } }],
  ['', 'callers/call-pcap'],
  ['', 'callers/call-rtpstream'],
];

/** What the call out of the room comes to, as the API shows it. */
export interface CallRow {
  id: string;
  state: string;
  status?: number;
  reason?: string;
}

/** How the test ends a call that the scenario leaves standing or ringing. */
export interface Called {
  readonly id: string;
  readonly scenario: string;
  /** The room is closed when this shows. */
  readonly closesWhen?: { state: string } | { sees: RegExp };
  readonly ends: Partial<CallRow>;
  readonly options?: Play;
  /** It is called as a trunk's host. */
  readonly trunk?: boolean;
}

const ANSWERED = { closesWhen: { state: 'answered' }, ends: { reason: 'room-ended' } };
const RINGING = { closesWhen: { state: 'ringing' }, ends: { reason: 'room-ended' } };

export const CALLED: readonly Called[] = [
  {
    id: '4028-10-a',
    scenario: 'session-timer',
    // The request and our phone's answer: a BYE between the two would meet a phone that is not waiting for it.
    closesWhen: { sees: /(^CSeq: *\d+ UPDATE[^]*){2}/m },
    ends: { reason: 'room-ended' },
    options: { seconds: 70 },
  },
  {
    id: '3261-14.1-a',
    scenario: '491-once',
    // The third INVITE, and its ACK.
    closesWhen: { sees: /(^INVITE [^]*){3}^ACK /m },
    ends: { reason: 'room-ended' },
    options: { seconds: 75 },
  },
  { id: '3261-13.2.2.4-a', scenario: 'answer', ...ANSWERED },
  { id: '3261-13.2.1-a', scenario: 'early-media', ...ANSWERED },
  { id: '3261-17.1.1.2-a', scenario: 'lost-200', ...ANSWERED },
  { id: '3262-5-a', scenario: 'prack', ...ANSWERED },
  { id: '4028-7.3-a', scenario: '422-once', ...ANSWERED },
  { id: '8760-2.4-a', scenario: 'trunk-auth', ...ANSWERED, trunk: true, options: { calls: 2 } },
  { id: '8760-2.4-a', scenario: 'trunk-auth407', ...ANSWERED, trunk: true, options: { calls: 2 } },
  {
    id: '3261-15.1.2-a',
    scenario: 'bye-after',
    ends: { reason: 'left' },
    options: { pause: 1000 },
  },
  { id: '', scenario: 'busy', ends: { status: 486 } },
  { id: '', scenario: 'decline', ends: { status: 603 } },
  { id: '', scenario: 'unavailable', ends: { status: 503 } },
  {
    id: '',
    scenario: 'redirect',
    ends: { status: 302 },
    options: { keys: { redirect_to: 'sip:elsewhere@127.0.0.1:5999' } },
  },
  { id: '3261-9.1-a', scenario: 'noanswer', ...RINGING },
  { id: '3261-13.2.2.4-a', scenario: 'cancel-race', ...RINGING },
];

/** What the scenarios play. */
export function writeMedia(folder: string): void {
  const seconds = 8;
  const file = (name: string): string => path.join(folder, name);
  const tone = { codec: 'PCMU', seconds } as const;
  writeTonePcap(file('tone440.pcap'), { ...tone, hertz: 440, ssrc: 0x440 });
  writeTonePcap(file('tone440_3s.pcap'), { ...tone, seconds: 3, hertz: 440, ssrc: 0x440 });
  writeTonePcap(file('tone1010_ssrc2.pcap'), { ...tone, hertz: 1010, ssrc: 0x2222 });
  writeTonePcap(file('tone660.pcap'), { ...tone, hertz: 660, ssrc: 0x660 });
  writeTonePcap(file('tone660_pcma.pcap'), { ...tone, codec: 'PCMA', hertz: 660, ssrc: 0x660 });
  writeKeysPcap(file('dtmf_123.pcap'), '123#', 101, 0x440);
  writeMuLaw(file('tone440.ul'), 440);
}
