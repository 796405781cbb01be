/**
 * Sends what somebody else wrote to the running server, over real sockets, and collects what comes
 * back. Of a message nothing is changed but the sent-by of its topmost Via, so that answers come back.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { newBranch, newCallId } from '../../signaling/sip/message/index.ts';
import {
  parseMessage,
  StreamFramer,
  type SipMessage,
  type SipResponse,
} from '../../signaling/sip/message/index.ts';

export const FRAMINGS = ['datagram', 'stream', 'octets', 'segment'] as const;
export type Framing = (typeof FRAMINGS)[number];

const HOST = '127.0.0.1';
const ANSWER_MS = 20_000;
const NEXT_MS = 5_000;
/** A server transaction is remembered for 64*T1 (RFC 3261 Timers H, J, L), and a bit. */
const PORT_REST_MS = 40_000;
/** A valid request must be answered in this time, whatever came before it. */
export const ALIVE_MS = 1_000;

export interface Outcome {
  /** The final status, undefined when there was none. */
  readonly status: number | undefined;
  readonly response: SipResponse | undefined;
  /** All that came back to the message itself. */
  readonly responses: readonly SipResponse[];
  /** In one segment with another message: whether that one was answered on the same connection. */
  readonly nextAnswered: boolean;
  /** Milliseconds until a valid OPTIONS sent afterwards was answered. */
  readonly aliveAfterMs: number;
}

/** One socket to the server, with what came on it. */
export interface Line {
  readonly localPort: number;
  readonly received: SipMessage[];
  /** The server has not ended it. */
  readonly isOpen: boolean;
  send(bytes: Uint8Array): Promise<void>;
  close(): void;
}

export class SipProber {
  readonly port: number;
  /** Local ports of UDP and TCP alike that had a message, and when. */
  readonly #used = new Map<number, number>();

  constructor(port: number) {
    this.port = port;
  }

  /**
   * Sends one message in one framing and looks at the server's verdict and health. `isSilent`: no
   * answer is due, so that none is waited for.
   */
  async probe(bytes: Uint8Array, framing: Framing, isSilent = false): Promise<Outcome> {
    const line = await this.#freshLine(() => (framing === 'datagram' ? this.udp() : this.tcp()));
    const startLine = textOf(bytes).trimStart().split(/\r?\n/, 1)[0] ?? '';
    const wantsAnswer = !isSilent && !/^(SIP\/|ACK )/i.test(startLine);
    const message = withSentBy(bytes, line.localPort);
    const options = this.options(line.localPort, framing === 'datagram' ? 'UDP' : 'TCP');
    try {
      await sendAs(line, framing, message, options.bytes);
      const isOwn = (response: SipMessage): response is SipResponse =>
        response.kind === 'response' && response.headers.get('call-id') !== options.callId;
      const final = (): SipResponse | undefined =>
        line.received.filter(isOwn).find((response) => response.status >= 200);
      const isNext = (received: SipMessage): boolean =>
        received.headers.get('call-id') === options.callId;
      if (wantsAnswer) await until(() => final() !== undefined, ANSWER_MS);
      const aliveAfterMs = await this.alive();
      if (framing === 'segment' && !isSilent) {
        await until(() => line.received.some(isNext) || !line.isOpen, NEXT_MS);
      }
      const response = final();

      return {
        status: response?.status,
        response,
        responses: line.received.filter(isOwn),
        nextAnswered: line.received.some(isNext),
        aliveAfterMs,
      };
    } finally {
      line.close();
    }
  }

  /**
   * RFC 3261 17.2.3: branch, sent-by and method make the transaction, the transport does not. Examples
   * of RFCs share branches; from a port that another one had they would be its retransmission.
   */
  async #freshLine(open: () => Promise<Line>): Promise<Line> {
    for (;;) {
      const line = await open();
      const now = performance.now();
      const usedAt = this.#used.get(line.localPort);
      if (usedAt === undefined || now - usedAt > PORT_REST_MS) {
        this.#used.set(line.localPort, now);

        return line;
      }
      line.close();
    }
  }

  /** How long a valid OPTIONS, sent once, waits for its 200; Infinity when it waits in vain. */
  async alive(): Promise<number> {
    const line = await this.udp();
    const options = this.options(line.localPort, 'UDP');
    const started = performance.now();
    try {
      await line.send(options.bytes);
      const answered = await until(
        () =>
          line.received.some((message) => message.kind === 'response' && message.status === 200),
        ALIVE_MS,
      );

      return answered ? performance.now() - started : Infinity;
    } finally {
      line.close();
    }
  }

  options(localPort: number, transport: string): { bytes: Buffer; callId: string } {
    const callId = newCallId();
    const lines = [
      `OPTIONS sip:${HOST}:${this.port} SIP/2.0`,
      `Via: SIP/2.0/${transport} ${HOST}:${localPort};branch=${newBranch()}`,
      'Max-Forwards: 70',
      `From: <sip:probe@${HOST}>;tag=probe`,
      `To: <sip:${HOST}:${this.port}>`,
      `Call-ID: ${callId}`,
      'CSeq: 1 OPTIONS',
      'Content-Length: 0',
    ];

    return { bytes: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), callId };
  }

  async udp(): Promise<Line> {
    const socket: UdpSocket = createSocket('udp4');
    const received: SipMessage[] = [];
    socket.on('message', (bytes) => {
      keep(received, bytes);
    });
    socket.bind(0, HOST);
    await once(socket, 'listening');

    return {
      localPort: socket.address().port,
      received,
      isOpen: true,
      send: (bytes) =>
        new Promise((resolve, reject) => {
          socket.send(bytes, this.port, HOST, (error) => {
            if (error === null) resolve();
            else reject(error);
          });
        }),
      close: () => {
        socket.close();
      },
    };
  }

  async tcp(): Promise<Line> {
    const socket: Socket = connect({ host: HOST, port: this.port, noDelay: true });
    const framer = new StreamFramer();
    const received: SipMessage[] = [];
    // The server ends a stream that it cannot read any further.
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const frame of framer.push(chunk)) {
        if (frame.kind === 'message') keep(received, frame.bytes);
      }
    });
    await once(socket, 'connect');

    return {
      localPort: socket.localPort ?? 0,
      received,
      get isOpen() {
        return socket.readable;
      },
      send: (bytes) =>
        new Promise((resolve) => {
          if (socket.destroyed || !socket.writable) resolve();
          else {
            socket.write(bytes, () => {
              resolve();
            });
          }
        }),
      close: () => {
        socket.destroy();
      },
    };
  }
}

/** Long messages would take minutes octet by octet: those go in small pieces. */
const MAX_OCTETS = 4_096;
const PIECE = 64;

/** One message in one framing; `next` is the other message of the same segment. */
export async function sendAs(
  line: Line,
  framing: Framing,
  message: Buffer,
  next: Buffer,
): Promise<void> {
  if (framing === 'segment') await line.send(Buffer.concat([message, next]));
  else if (framing !== 'octets') await line.send(message);
  else {
    const size = message.length > MAX_OCTETS ? PIECE : 1;
    for (let at = 0; at < message.length; at += size) {
      const sent = line.send(message.subarray(at, at + size));
      if (at % PIECE === 0) await sent;
    }
  }
}

function keep(received: SipMessage[], bytes: Uint8Array): void {
  const message = parseMessage(bytes);
  // The Via of a damaged request comes back as damaged as it was sent.
  if (message.kind !== 'parse-error') received.push(message);
  else {
    const status = /^SIP\/2\.0 ([1-6][0-9]{2})/.exec(textOf(bytes))?.[1];
    if (status === undefined) return;
    const rest = parseMessage(Buffer.from(bareResponse(Number(status), textOf(bytes))));
    if (rest.kind === 'response') received.push(rest);
  }
}

/** The status and Call-ID of a response whose other fields repeat the faults of its request. */
function bareResponse(status: number, text: string): string {
  const callId = /^(?:call-id|i)[ \t]*:[ \t]*(\S+)/im.exec(text)?.[1] ?? 'none';

  return [
    `SIP/2.0 ${status} as received`,
    'Via: SIP/2.0/UDP unreadable.invalid',
    'From: <sip:unreadable.invalid>;tag=1',
    'To: <sip:unreadable.invalid>;tag=1',
    `Call-ID: ${callId}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

const TOP_VIA =
  /(^(?:via|v)[ \t]*:\s*SIP\s*\/\s*[^\s/]+\s*\/\s*[^\s;,]+\s+)(?:\[[^\]]*\]|[^\s;,:]+)(?:[ \t]*:[ \t]*\d+)?/im;

/** The same octets with our sent-by in the topmost Via; as they are when it cannot be found. */
export function withSentBy(bytes: Uint8Array, port: number): Buffer {
  const text = textOf(bytes);

  return Buffer.from(text.replace(TOP_VIA, `$1${HOST}:${port}`), 'latin1');
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** Whether it came true in time. */
export async function until(check: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (let round = 0; ; round++) {
    if (check()) return true;
    if (performance.now() > deadline) return false;
    await (round < 200 ? new Promise((resolve) => setImmediate(resolve)) : delay(2));
  }
}
