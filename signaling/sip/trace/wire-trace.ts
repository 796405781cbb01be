import { createHash } from 'node:crypto';
import type { Clock } from '../../../base/index.ts';
import type { Endpoint, TransportProtocol } from '../transport/index.ts';
import { maskSecrets } from './mask.ts';

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
  readonly bytes: Uint8Array;
}

interface Call {
  readonly id: string;
  readonly callId: string;
  readonly direction: 'in' | 'out';
  readonly from: string;
  readonly to: string;
  readonly startedAt: number;
  readonly kept: Kept[];
  state: CallState;
  reason?: string;
  lastAt: number;
  lastTick: number;
  messageCount: number;
  bytes: number;
}

/** What the head of a message says; all that a trace needs of it. */
interface Head {
  readonly start: string;
  readonly callId: string;
  readonly cseqMethod: string;
  readonly text: string;
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
  #bytes = 0;
  #sweptAt = 0;

  constructor(clock: Clock, limits: Partial<WireTraceLimits> = {}) {
    this.#clock = clock;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  get byteCount(): number {
    return this.#bytes;
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
    call.state = nextState(before, head);
    if (call.state !== 'ended') delete call.reason;
    else if (before !== 'ended') noteReason(call, head);
    call.lastAt = this.#clock.wallTime();
    call.lastTick = this.#clock.now();
    call.messageCount += 1;
    this.#keep(call, { at: call.lastAt, direction, transport, remote, bytes });
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
      .map(view)
      .sort((a, b) => b.startedAt - a.startedAt);
  }

  /** One call, live or not long over, and its messages. */
  find(id: string): { call: TracedCall; messages: TracedMessage[] } | undefined {
    this.#forgetOld();
    for (const call of this.#calls.values()) {
      if (call.id === id) return { call: view(call), messages: call.kept.map(message) };
    }

    return undefined;
  }

  #begin({ start, callId, text }: Head, direction: 'in' | 'out'): Call | undefined {
    if (!start.startsWith('INVITE ')) return undefined;
    const call: Call = {
      id: createHash('sha256').update(callId).digest('hex').slice(0, 16),
      callId: ownCopy(callId, 'latin1'),
      direction,
      from: ownCopy(maskSecrets(field(text, 'from|f'))),
      to: ownCopy(maskSecrets(field(text, 'to|t'))),
      startedAt: this.#clock.wallTime(),
      kept: [],
      state: 'ringing',
      lastAt: 0,
      lastTick: 0,
      messageCount: 0,
      bytes: 0,
    };

    return call;
  }

  #keep(call: Call, kept: Kept): void {
    const { firstMessages, lastMessages } = this.#limits;
    call.kept.push(kept);
    this.#count(call, kept.bytes.length);
    if (call.kept.length <= firstMessages + lastMessages) return;
    const [dropped] = call.kept.splice(firstMessages, 1);
    this.#count(call, -(dropped?.bytes.length ?? 0));
  }

  #count(call: Call, bytes: number): void {
    call.bytes += bytes;
    this.#bytes += bytes;
  }

  #evict(): void {
    const { maxCalls, maxBytes } = this.#limits;
    for (const call of this.#calls.values()) {
      if (this.#calls.size <= maxCalls && this.#bytes <= maxBytes) return;
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
    this.#bytes -= call.bytes;
  }
}

function nextState(state: CallState, { start, cseqMethod }: Head): CallState {
  if (state === 'ended') return start.startsWith('INVITE ') ? 'ringing' : state;
  if (start.startsWith('BYE ')) return 'ended';
  const status = Number(/^SIP\/2\.0 ([1-6][0-9]{2})/i.exec(start)?.[1] ?? 0);
  if (cseqMethod !== 'INVITE' || status < 200) return state;
  if (status < 300) return 'established';

  // A refused re-INVITE leaves the call as it was.
  return state === 'ringing' ? 'ended' : state;
}

function noteReason(call: Call, { start, text }: Head): void {
  const status = /^SIP\/2\.0 (.*)/i.exec(start)?.[1] ?? '';
  const reason = field(text, 'reason') || status;
  if (reason !== '') call.reason = ownCopy(maskSecrets(reason.slice(0, MAX_REASON)));
}

function readHead(bytes: Uint8Array): Head | undefined {
  const size = Math.min(bytes.length, HEAD_BYTES);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, size).toString('latin1');
  const callId = field(text, 'call-id|i');
  if (callId === '') return undefined;
  const start = /^\s*([^\r\n]*)/.exec(text)?.[1] ?? '';
  const cseqMethod = /\S+$/.exec(field(text, 'cseq'))?.[0] ?? '';

  return { start, callId, cseqMethod, text };
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
function ownCopy(text: string, encoding: 'latin1' | 'utf8' = 'utf8'): string {
  return Buffer.from(text, 'latin1').toString(encoding);
}

function view({ id, callId, direction, from, to, state, reason, ...rest }: Call): TracedCall {
  const { startedAt, lastAt, messageCount } = rest;
  const ended = reason === undefined ? {} : { reason };

  return { id, callId, direction, from, to, state, ...ended, startedAt, lastAt, messageCount };
}

function message({ at, direction, transport, remote, bytes }: Kept): TracedMessage {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const text = maskSecrets(raw);
  const start = /^\s*([^\r\n]*)/.exec(text)?.[1] ?? '';
  const summary = start.startsWith('SIP/') ? start.slice(8) : (start.split(' ', 1)[0] ?? '');

  return { at, direction, transport, remote: `${remote.address}:${remote.port}`, summary, text };
}
