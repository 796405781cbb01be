/**
 * The SIP front end with no media behind it: every call is let in and gets a port that nobody reads.
 * What the `sip` benchmark holds against the whole server, to tell the cost of signalling from that
 * of media.
 */
import { silentLogger, SystemClock, TypedEmitter, type RoomNumber } from '../base/index.ts';
import type { AccountBook, Participant, RoomManagerEvents, TrunkBook } from '../server/index.ts';
import { SipFrontEnd } from '../signaling/sip/index.ts';

const nothing = (): void => undefined;
const done = async (): Promise<void> => undefined;

const participant = {
  phoneLeg: { rtpPort: 40_000, configure: done },
  activate: nothing,
  leave: done,
} as unknown as Participant;

const accounts = { events: new TypedEmitter() } as unknown as AccountBook;
const trunks = {
  events: new TypedEmitter(),
  list: () => [],
  ofAddress: nothing,
  ofDid: nothing,
} as unknown as TrunkBook;

const frontEnd = new SipFrontEnd({
  hosts: ['127.0.0.1'],
  port: Number(process.argv[2]),
  tlsPort: 0,
  rateLimit: 1_000_000,
  trunkProbeMs: 30_000,
  publicAddress: '127.0.0.1',
  t1Ms: 500,
  reinviteWindowMs: 250,
  domain: '127.0.0.1',
  guests: true,
  dialOutLimits: { perRoom: 0, perAccount: 0, trunkPerRoomAndHour: 0 },
  digestAlgorithms: ['MD5'],
  accounts,
  trunks,
  product: 'Parley/bench',
  rooms: {
    join: () => Promise.resolve(participant),
    get: () => undefined,
    refusalOf: () => Promise.resolve(undefined),
    freeNumber: () => '1' as RoomNumber,
    createWaitingLeg: () => Promise.reject(new Error('nobody is asked')),
    createDoor: () => Promise.reject(new Error('nobody speaks WebRTC')),
    languageOf: () => undefined,
    events: new TypedEmitter<RoomManagerEvents>(),
  },
  voice: { sounds: () => [], music: [] },
  conferenceFactory: 'conference',
  counters: {
    requestIn: nothing,
    requestOut: nothing,
    responseIn: nothing,
    responseOut: nothing,
    malformed: nothing,
    callSetup: nothing,
    reinvite: nothing,
    authentication: nothing,
    dialOut: nothing,
  },
  clock: new SystemClock(),
  logger: silentLogger,
});
await frontEnd.listen();
