import { createSocket, type Socket } from 'node:dgram';
import {
  buildRequest,
  buildResponse,
  formatHostPort,
  newBranch,
  newCallId,
  newTag,
  parseMessage,
  requireUri,
  serializeMessage,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../signaling/sip/message/index.ts';
import { WebRtcPeerSdp } from './webrtc-peer-sdp.ts';

/** RFC 3261 17.1.1.1. */
const T1 = 500;
const CALL_TIMEOUT = 40_000;

export interface WebRtcPeerOptions {
  readonly server: { readonly address: string; readonly port: number };
  readonly room: string;
  readonly name: string;
  readonly video: boolean;
}

/** A re-INVITE that the peer has answered. */
export interface SeenReinvite {
  /** Milliseconds of `performance.now()`; `ackedAt` once its ACK came. */
  readonly at: number;
  ackedAt?: number;
  readonly sdp: string;
}

/** The smallest phone that gets re-INVITEs: SIP over UDP, WebRTC in its SDP, no media behind it. */
export class WebRtcPeer {
  /** One for each offer, however often it was repeated. */
  readonly reinvites: SeenReinvite[] = [];
  /** The server ended the call. */
  isOver = false;
  /** The description that the server gave or offered last. */
  remoteSdp = '';
  readonly #options: WebRtcPeerOptions;
  readonly #socket: Socket;
  readonly #host: string;
  readonly #sdp: WebRtcPeerSdp;
  readonly #callId = newCallId();
  readonly #tag = newTag();
  readonly #callee: string;
  readonly #answered = new Map<string, SipResponse>();
  readonly #byNumber = new Map<number, SeenReinvite>();
  #onResponse: ((response: SipResponse) => void) | undefined;
  #ack: SipRequest | undefined;
  #remoteTag: string | undefined;
  #target: string;
  #cseq = 0;

  private constructor(options: WebRtcPeerOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    this.#sdp = new WebRtcPeerSdp(options.video);
    const { address, port } = socket.address();
    this.#host = formatHostPort(address, port);
    const { server, room } = options;
    this.#callee = `sip:${room}@${formatHostPort(server.address, server.port)}`;
    this.#target = this.#callee;
    socket.on('message', (data) => this.#receive(data));
  }

  static async open(options: WebRtcPeerOptions): Promise<WebRtcPeer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => {
      socket.bind(0, options.server.address, resolve);
    });

    return new WebRtcPeer(options, socket);
  }

  /** Resolves when its ACK is out; fails when it is refused, or not answered in time. */
  async call(): Promise<void> {
    const response = await this.#final(this.#request('INVITE', this.#sdp.offer()));
    if (response.status !== 200) throw new Error(`refused with ${response.status}`);
    this.#remoteTag = response.toTag;
    this.#target = /<([^>]+)>/.exec(response.headers.get('Contact') ?? '')?.[1] ?? this.#target;
    this.remoteSdp = response.bodyText;
    this.#ack = this.#request('ACK', undefined, response.cseq.sequence);
    this.#send(this.#ack);
  }

  async hangUp(): Promise<void> {
    await this.#final(this.#request('BYE'));
  }

  close(): void {
    this.#socket.close();
  }

  /** M-lines of the last description that carry a stream to the peer. */
  carried(kind: 'audio' | 'video'): number {
    return this.remoteSdp
      .split(/^(?=m=)/m)
      .filter((text) => text.startsWith(`m=${kind} `) && /^a=msid:/m.test(text)).length;
  }

  #receive(data: Buffer): void {
    const message = parseMessage(data, { stream: false });
    if (message.kind === 'response') {
      // A repeated 200 asks for the ACK again.
      const isLate = message.status === 200 && message.cseq.method === 'INVITE';
      if (isLate && this.#ack !== undefined) this.#send(this.#ack);
      else this.#onResponse?.(message);
    } else if (message.kind === 'request') {
      this.#take(message);
    }
  }

  #take(request: SipRequest): void {
    const { method } = request;
    if (method === 'ACK') {
      const reinvite = this.#byNumber.get(request.cseq.sequence);
      if (reinvite !== undefined) reinvite.ackedAt ??= performance.now();

      return;
    }
    const key = `${method} ${request.via.params.get('branch') ?? ''}`;
    const response = this.#answered.get(key) ?? this.#answer(request);
    this.#answered.set(key, response);
    this.#send(response);
  }

  #answer(request: SipRequest): SipResponse {
    if (request.method === 'BYE') this.isOver = true;
    if (request.method !== 'INVITE') return buildResponse(request, 200);
    const sdp = request.bodyText;
    const seen: SeenReinvite = { at: performance.now(), sdp };
    this.reinvites.push(seen);
    this.#byNumber.set(request.cseq.sequence, seen);
    this.remoteSdp = sdp;

    return buildResponse(request, 200, {
      contact: `<sip:peer@${this.#host}>`,
      body: { type: 'application/sdp', content: this.#sdp.answer(sdp) },
    });
  }

  #request(method: string, body?: string, sequence = (this.#cseq += 1)): SipRequest {
    const tag = this.#remoteTag === undefined ? '' : `;tag=${this.#remoteTag}`;
    const request = buildRequest({
      method,
      uri: requireUri(this.#target),
      from: `"${this.#options.name}" <sip:peer@${this.#host}>;tag=${this.#tag}`,
      to: `<${this.#callee}>${tag}`,
      callId: this.#callId,
      cseq: sequence,
      contact: `<sip:peer@${this.#host}>`,
      headers: [['User-Agent', 'Parley-Test-Peer']],
      body: body === undefined ? undefined : { type: 'application/sdp', content: body },
    });
    request.headers.prepend('Via', `SIP/2.0/UDP ${this.#host};branch=${newBranch()};rport`);

    return request;
  }

  /** Repeats the request until something comes back (17.1.1.2). */
  #final(request: SipRequest): Promise<SipResponse> {
    const branch = request.via.params.get('branch');
    this.#send(request);

    return new Promise((resolve, reject) => {
      let interval = T1;
      const repeat = (): void => {
        this.#send(request);
        interval *= 2;
        timer = setTimeout(repeat, interval);
      };
      let timer = setTimeout(repeat, interval);
      const limit = setTimeout(() => {
        clearTimeout(timer);
        reject(new Error(`no answer to ${request.method}`));
      }, CALL_TIMEOUT);
      this.#onResponse = (response) => {
        if (response.via.params.get('branch') !== branch) return;
        clearTimeout(timer);
        if (response.status < 200) return;
        clearTimeout(limit);
        this.#onResponse = undefined;
        resolve(response);
      };
    });
  }

  #send(message: SipMessage): void {
    const { port, address } = this.#options.server;
    this.#socket.send(serializeMessage(message), port, address);
  }
}
