import { hash } from 'node:crypto';
import type { Clock } from '../../../base/index.ts';
import type { Endpoint, TransportProtocol } from '../transport/index.ts';
import { maskSecrets } from './mask.ts';
import { OctetStore, type Stored } from './octet-store.ts';

export type CallState = 'ringing' | 'established' | 'ended';

export interface TracedMessage {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly direction: 'in' | 'out';
  readonly transport: TransportProtocol;
  /** "192.0.2.1:5060" */
  readonly remote: string;
  /** "INVITE", "180 Ringing" */
  readonly summary: string;
  /** The whole message, secrets masked. */
  readonly text: string;
}

export interface TracedCall {
  readonly id: string;
  readonly callId: string;
  readonly direction: 'in' | 'out';
  readonly from: string;
  readonly to: string;
  readonly state: CallState;
  /** Reason of what ended it (RFC 3326), else its status: "Q.850;cause=16", "486 Busy Here". */
  readonly reason?: string;
  readonly startedAt: number;
  readonly lastAt: number;
  /** Those that came or went; of many, the oldest after the first few are not kept. */
  readonly messageCount: number;
}

export interface WireTraceLimits {
  readonly maxCalls: number;
  readonly maxBytes: number;
  /** The first of a call are always kept, as they say what it is about. */
  readonly firstMessages: number;
  readonly lastMessages: number;
  /** How long an ended call can still be looked at. */
  readonly keepMs: number;
}

const DEFAULT_LIMITS: WireTraceLimits = {
  maxCalls: 2_000,
  maxBytes: 6 * 1024 * 1024,
  firstMessages: 20,
  lastMessages: 60,
  keepMs: 600_000,
};

interface Kept {
  readonly at: number;
  readonly direction: 'in' | 'out';
  readonly transport: TransportProtocol;
  readonly remote: Endpoint;
  readonly octets: Stored;
}

interface Call {
  readonly callId: string;
  readonly direction: 'in' | 'out';
  readonly startedAt: number;
  readonly kept: Kept[];
  state: CallState;
  reason?: string;
  lastAt: number;
  lastTick: number;
  messageCount: number;
}

/** What the head of a message says; all that a trace needs of it. */
interface Head {
  readonly start: string;
  readonly callId: string;
}

const HEAD_BYTES = 4_096;
const MAX_REASON = 200;
const SWEEP_MS = 10_000;

/** The messages of calls as they went over the wire, for the API's ladder; in bounded memory. */
export class WireTrace {
  readonly #clock: Clock;
  readonly #limits: WireTraceLimits;
  /** By Call-ID; the longest quiet first. */
  readonly #calls = new Map<string, Call>();
  readonly #store = new OctetStore();
  #sweptAt = 0;

  constructor(clock: Clock, limits: Partial<WireTraceLimits> = {}) {
    this.#clock = clock;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  get byteCount(): number {
    return this.#store.byteCount;
  }

  /** A TraceHook. What belongs to no call is passed over. */
  readonly record = (
    direction: 'in' | 'out',
    transport: TransportProtocol,
    remote: Endpoint,
    bytes: Uint8Array,
  ): void => {
    const head = readHead(bytes);
    if (head === undefined) return;
    const known = this.#calls.get(head.callId);
    const call = known ?? this.#begin(head, direction);
    if (call === undefined) return;
    const before = call.state;
    call.state = nextState(before, head.start, bytes);
    if (call.state !== 'ended') delete call.reason;
    else if (before !== 'ended') noteReason(call, head.start, bytes);
    call.lastAt = this.#clock.wallTime();
    call.lastTick = this.#clock.now();
    call.messageCount += 1;
    const octets = this.#store.put(bytes);
    this.#keep(call, { at: call.lastAt, direction, transport, remote, octets });
    this.#calls.delete(call.callId);
    this.#calls.set(call.callId, call);
    this.#evict();
    if (call.lastTick - this.#sweptAt > SWEEP_MS) this.#forgetOld();
  };

  /** Those that are not over, the newest first. */
  live(): TracedCall[] {
    this.#forgetOld();

    return [...this.#calls.values()]
      .filter(({ state }) => state !== 'ended')
      .map((call) => this.#view(call))
      .sort((a, b) => b.startedAt - a.startedAt);
  }

  /** One call, live or not long over, and its messages. */
  find(id: string): { call: TracedCall; messages: TracedMessage[] } | undefined {
    this.#forgetOld();
    for (const call of this.#calls.values()) {
      if (idOf(call) !== id) continue;

      return { call: this.#view(call), messages: call.kept.map((kept) => this.#message(kept)) };
    }

    return undefined;
  }

  /** The parties are read from the INVITE when somebody asks: the first message is always kept. */
  #view(call: Call): TracedCall {
    const { callId, direction, state, startedAt, lastAt, messageCount, kept } = call;
    const ended = call.reason === undefined ? {} : { reason: call.reason };
    const invite = kept[0] === undefined ? '' : this.#store.get(kept[0].octets).toString('utf8');
    const from = maskSecrets(field(invite, 'from|f'));
    const to = maskSecrets(field(invite, 'to|t'));
    const id = idOf(call);

    return { id, callId, direction, from, to, state, ...ended, startedAt, lastAt, messageCount };
  }

  #message({ at, direction, transport, remote, octets }: Kept): TracedMessage {
    const text = maskSecrets(this.#store.get(octets).toString('utf8'));
    const start = /^\s*([^\r\n]*)/.exec(text)?.[1] ?? '';
    const summary = start.startsWith('SIP/') ? start.slice(8) : (start.split(' ', 1)[0] ?? '');

    return { at, direction, transport, remote: `${remote.address}:${remote.port}`, summary, text };
  }

  #begin({ start, callId }: Head, direction: 'in' | 'out'): Call | undefined {
    if (!start.startsWith('INVITE ')) return undefined;
    const call: Call = {
      callId,
      direction,
      startedAt: this.#clock.wallTime(),
      kept: [],
      state: 'ringing',
      lastAt: 0,
      lastTick: 0,
      messageCount: 0,
    };

    return call;
  }

  #keep(call: Call, kept: Kept): void {
    const { firstMessages, lastMessages } = this.#limits;
    call.kept.push(kept);
    if (call.kept.length <= firstMessages + lastMessages) return;
    const [dropped] = call.kept.splice(firstMessages, 1);
    if (dropped !== undefined) this.#store.remove(dropped.octets);
  }

  #evict(): void {
    const { maxCalls, maxBytes } = this.#limits;
    for (const call of this.#calls.values()) {
      if (this.#calls.size <= maxCalls && this.byteCount <= maxBytes) return;
      this.#drop(call);
    }
  }

  #forgetOld(): void {
    const { keepMs } = this.#limits;
    const now = this.#clock.now();
    this.#sweptAt = now;
    for (const call of this.#calls.values()) {
      if (now - call.lastTick <= keepMs) return;
      if (call.state !== 'established') this.#drop(call);
    }
  }

  #drop(call: Call): void {
    this.#calls.delete(call.callId);
    for (const { octets } of call.kept) this.#store.remove(octets);
  }
}

function nextState(state: CallState, start: string, bytes: Uint8Array): CallState {
  if (state === 'ended') return start.startsWith('INVITE ') ? 'ringing' : state;
  if (start.startsWith('BYE ')) return 'ended';
  const status = Number(/^SIP\/2\.0 ([1-6][0-9]{2})/i.exec(start)?.[1] ?? 0);
  if (status < 200 || !/INVITE$/.test(field(headText(bytes), 'cseq'))) return state;
  if (status < 300) return 'established';

  // A refused re-INVITE leaves the call as it was.
  return state === 'ringing' ? 'ended' : state;
}

function noteReason(call: Call, start: string, bytes: Uint8Array): void {
  const status = /^SIP\/2\.0 (.*)/i.exec(start)?.[1] ?? '';
  const reason = field(headText(bytes), 'reason') || status;
  if (reason !== '') call.reason = ownCopy(maskSecrets(reason.slice(0, MAX_REASON)));
}

/** Each message of every call passes here: the usual spelling is looked for first, in the octets. */
function readHead(bytes: Uint8Array): Head | undefined {
  const view = viewOf(bytes);
  const callId = lineAfter(view, '\nCall-ID:') ?? field(headText(bytes), 'call-id|i');
  if (callId === '') return undefined;
  const first = skipBlank(view);

  return { start: view.toString('latin1', first, endOfLine(view, first)), callId };
}

function headText(bytes: Uint8Array): string {
  return viewOf(bytes).toString('latin1', 0, HEAD_BYTES);
}

/** What follows `name` on its line, a text of its own; undefined when it is not in the head. */
function lineAfter(view: Buffer, name: string): string | undefined {
  const at = view.indexOf(name, 0, 'latin1');
  const end = view.indexOf('\r\n\r\n', 0, 'latin1');
  if (at < 0 || at > HEAD_BYTES || at > end) return undefined;
  const start = at + name.length;

  return view.toString('latin1', start, endOfLine(view, start)).trim();
}

function skipBlank(view: Buffer): number {
  let at = 0;
  while (at < view.length && view[at]! <= 0x20) at++;

  return at;
}

function endOfLine(view: Buffer, start: number): number {
  const end = view.indexOf(0x0a, start);
  const stop = end < 0 ? Math.min(view.length, start + HEAD_BYTES) : end;

  return view[stop - 1] === 0x0d ? stop - 1 : stop;
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

const FIELDS = new Map<string, RegExp>();

function field(text: string, names: string): string {
  let pattern = FIELDS.get(names);
  if (pattern === undefined) {
    pattern = new RegExp(`\\n(?:${names})[ \\t]*:[ \\t]*([^\\r\\n]*)`, 'i');
    FIELDS.set(names, pattern);
  }

  return pattern.exec(text)?.[1]?.trim() ?? '';
}

/** A part of a text keeps all of the text in memory; this one does not. */
function ownCopy(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** Short, and without what a Call-ID may have of its host. */
function idOf({ callId }: Call): string {
  return hash('sha256', callId, 'hex').slice(0, 16);
}
