import { DigestClient } from '../../signaling/sip/auth/index.ts';
import {
  buildRequest,
  buildResponse,
  newBranch,
  newCallId,
  newTag,
  parseNameAddr,
  serializeMessage,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../signaling/sip/message/index.ts';
import { sdpText } from '../support/sip-wire.ts';
import { until, type Line } from './sip-prober.ts';

/** NOTIFYs of the roster are merged to at most one in 5 s (RFC 4575 3.5). */
const WAIT_MS = 30_000;

/** Everything of one dialog that its next request needs. */
interface PeerDialog {
  readonly callId: string;
  readonly localTag: string;
  readonly address: string;
  remoteTag: string | undefined;
  target: string;
  sequence: number;
}

export interface Ask {
  /** Request-URI and To of a request outside dialogs. */
  readonly uri: string;
  readonly headers?: readonly (readonly [string, string])[];
  /** Direction of the description; undefined: none is sent. */
  readonly sdp?: string | undefined;
}

/** One end of a ladder: sends what the ladder says, and tells what came in its place. */
export class LadderPeer {
  readonly name: string;
  readonly #line: Line;
  readonly #inbox: SipMessage[] = [];
  readonly #seen = new Set<string>();
  readonly #dialogs = new Map<string, PeerDialog>();
  /** Requests of the server that wait for their final answer. */
  readonly #pending: SipRequest[] = [];
  readonly #client: DigestClient;
  #read = 0;
  /** Of the INVITE: the ACK bears an answer when it had no offer. */
  #invited: { request: SipRequest; response?: SipResponse } | undefined;
  #version = 0;
  #last: SipRequest | undefined;

  constructor(line: Line, who: { name: string; username: string; password: string }) {
    this.name = who.name;
    this.#line = line;
    this.#client = new DigestClient(who);
  }

  get uri(): string {
    return `sip:peer@127.0.0.1:${this.#line.localPort}`;
  }

  close(): void {
    this.#line.close();
  }

  /** Inside the dialog of the call where there is one, but for what makes a dialog of its own. */
  async send(method: string, ask: Ask): Promise<void> {
    if (method === 'ACK') return this.#ack();
    const isOwn = method === 'SUBSCRIBE' || method === 'REGISTER' || method === 'OPTIONS';
    const kind = isOwn ? method : 'call';
    const dialog = this.#dialogs.get(kind) ?? this.#open(kind, ask.uri);
    dialog.sequence += 1;
    const isRegister = method === 'REGISTER';
    const own = isRegister ? ask.uri.replace(/^sip:[^@]+@/, 'sip:') : dialog.target;
    const request = buildRequest({
      method,
      uri: own,
      from: `<${isRegister ? ask.uri : this.uri}>;tag=${dialog.localTag}`,
      to: `<${dialog.address}>${dialog.remoteTag === undefined ? '' : `;tag=${dialog.remoteTag}`}`,
      callId: dialog.callId,
      cseq: dialog.sequence,
      contact: `<${this.uri}>`,
      headers: ask.headers,
      ...(ask.sdp !== undefined && { body: this.#description(ask.sdp) }),
    });
    for (const [name, value] of this.#client.headersFor(request)) {
      request.headers.append(name, value);
    }
    this.#sign(request, newBranch());
    if (method === 'INVITE') this.#invited = { request };
    this.#last = request;
    await this.#put(request);
  }

  /** The answer to the oldest request of the server that has none yet. */
  async respond(status: number): Promise<void> {
    const request = this.#pending[0];
    if (request === undefined) throw new Error(`${this.name}: nothing to answer with ${status}`);
    if (status >= 200) this.#pending.shift();
    const hasDescription = request.method === 'INVITE' && status < 300 && status >= 200;
    const dialog = request.method === 'INVITE' ? this.#dialogs.get('call') : undefined;
    const response = buildResponse(request, status, {
      toTag: dialog?.localTag ?? 'peer',
      contact: `<${this.uri}>`,
      ...(hasDescription && { body: this.#description('sendrecv') }),
    });
    await this.#put(response);
  }

  /**
   * The next message, as "INVITE", "200", "NOTIFY refer" … Provisional answers are anybody's choice
   * (RFC 3261 13.3.1.1), and the roster tells of more changes than a ladder draws.
   */
  async next(expected: string): Promise<string> {
    let found = '';
    const isThere = (): boolean => {
      this.#collect();
      while (found === '' && this.#inbox.length > 0) {
        const message = this.#inbox.shift()!;
        const label = labelOf(message);
        if (label === 'NOTIFY conference' && expected !== label) {
          void this.#put(buildResponse(message as SipRequest, 200));
        } else {
          found = label;
          this.#take(message);
        }
      }

      return found !== '';
    };

    return (await until(isThere, WAIT_MS)) ? found : 'nothing';
  }

  #open(kind: string, address: string): PeerDialog {
    const dialog: PeerDialog = {
      callId: newCallId(),
      localTag: newTag(),
      address,
      remoteTag: undefined,
      target: address,
      sequence: 0,
    };
    this.#dialogs.set(kind, dialog);

    return dialog;
  }

  #collect(): void {
    const { received } = this.#line;
    for (; this.#read < received.length; this.#read++) {
      const message = received[this.#read]!;
      const isProvisional = message.kind === 'response' && message.status < 200;
      const branch = message.via.params.get('branch') ?? '';
      const key = `${message.kind} ${branch} ${message.cseq.sequence} ${message.cseq.method}`;
      const isAck = message.kind === 'request' && message.method === 'ACK';
      if (isProvisional || this.#seen.has(isAck ? `${key}!` : key)) continue;
      this.#seen.add(isAck ? `${key}!` : key);
      this.#inbox.push(message);
    }
  }

  #take(message: SipMessage): void {
    if (message.kind === 'request') this.#takeRequest(message);
    else this.#takeResponse(message);
  }

  #takeRequest(request: SipRequest): void {
    if (request.method !== 'ACK') this.#pending.push(request);
    if (request.method !== 'INVITE' || this.#dialogs.has('call')) return;
    const contact = parseNameAddr(request.headers.get('contact') ?? '');
    this.#dialogs.set('call', {
      callId: request.callId,
      localTag: newTag(),
      address: request.from.uri.text,
      remoteTag: request.fromTag,
      target: contact?.uri.text ?? '',
      sequence: 0,
    });
  }

  #takeResponse(response: SipResponse): void {
    const { method, status } = response;
    if (status === 401) this.#client.challenged(this.#last!, response);
    if (method === 'INVITE' && this.#invited !== undefined) this.#invited.response = response;
    const dialog = this.#dialogs.get(method === 'SUBSCRIBE' ? method : 'call');
    if (dialog?.callId !== response.callId || status >= 300) return;
    dialog.remoteTag ??= response.toTag;
    const contact = parseNameAddr(response.headers.get('contact') ?? '');
    if (contact !== undefined) dialog.target = contact.uri.text;
  }

  async #ack(): Promise<void> {
    const { request, response } = this.#invited ?? {};
    const dialog = this.#dialogs.get('call');
    if (request === undefined || response === undefined || dialog === undefined) {
      throw new Error(`${this.name}: nothing to acknowledge`);
    }
    const isSuccess = response.status < 300;
    const ack = buildRequest({
      method: 'ACK',
      uri: isSuccess ? dialog.target : request.uri,
      from: request.headers.get('from') ?? '',
      to: response.headers.get('to') ?? '',
      callId: request.callId,
      cseq: request.cseq.sequence,
      ...(isSuccess && request.body.length === 0 && { body: this.#description('sendrecv') }),
    });
    this.#sign(ack, isSuccess ? newBranch() : (request.via.params.get('branch') ?? ''));
    await this.#put(ack);
  }

  #sign(request: SipRequest, branch: string): void {
    const via = `SIP/2.0/UDP 127.0.0.1:${this.#line.localPort};branch=${branch}`;
    request.headers.prepend('Via', via);
  }

  #description(direction: string): { type: string; content: string } {
    this.#version += 1;
    const text = sdpText({ version: this.#version, direction, port: this.#line.localPort });

    return { type: 'application/sdp', content: text.replaceAll('10.0.0.9', '127.0.0.1') };
  }

  #put(message: SipMessage): Promise<void> {
    return this.#line.send(serializeMessage(message));
  }
}

function labelOf(message: SipMessage): string {
  if (message.kind === 'response') return String(message.status);
  if (message.method !== 'NOTIFY') return message.method;

  if (message.headers.get('event')?.startsWith('refer') === true) return 'NOTIFY refer';
  const isOver = message.headers.get('subscription-state')?.startsWith('terminated') === true;

  return isOver ? 'NOTIFY terminated' : 'NOTIFY conference';
}
