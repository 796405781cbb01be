import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
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
import type { UdpPhone } from './udp-phone.ts';
import { waitUntil } from './wait-until.ts';

/** T1 of RFC 3261 17.1.1.1. */
const RETRY_MS = 500;

export interface SipCallerOptions {
  server: { address: string; port: number };
  room: string;
  phone: UdpPhone;
}

/**
 * A call of a `UdpPhone` to the real server over UDP: the smallest user agent whose audio a test has in
 * its own hands.
 */
export class SipCaller {
  readonly #options: SipCallerOptions;
  readonly #socket: Socket;
  readonly #host: string;
  readonly #callId = newCallId();
  readonly #tag = newTag();
  readonly #responses: SipResponse[] = [];
  #remoteTag: string | undefined;
  readonly #callee: string;
  #target: string;
  #cseq = 0;
  #version = 0;
  #rtpPort = 0;

  private constructor(options: SipCallerOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    const { address, port } = socket.address();
    this.#host = formatHostPort(address, port);
    const { server, room } = options;
    this.#callee = `sip:${room}@${formatHostPort(server.address, server.port)}`;
    this.#target = this.#callee;
    socket.on('message', (data) => {
      const message = parseMessage(data, { stream: false });
      if (message.kind === 'response') this.#responses.push(message);
      else if (message.kind === 'request' && message.method !== 'ACK') this.#accept(message);
    });
  }

  static async open(options: SipCallerOptions): Promise<SipCaller> {
    const { address } = options.server;
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    await new Promise<void>((resolve) => {
      socket.bind(0, address, resolve);
    });

    return new SipCaller(options, socket);
  }

  /** Calls, and sends its tone; fails when it is refused. */
  async call(): Promise<void> {
    const { status } = await this.invite();
    if (status !== 200) throw new Error(`the call was refused with ${status}`);
    this.talk();
  }

  /** Sends the tone of its phone, once the call stands. */
  talk(): void {
    this.#options.phone.start(this.#rtpPort);
  }

  /** A call, or a change of it to where the phone is now; answers the final response. */
  async invite(): Promise<SipResponse> {
    const invite = this.#request('INVITE', this.#offer());
    const response = await this.#final(invite);
    this.#remoteTag ??= response.status < 300 ? response.toTag : undefined;
    this.#target = /<([^>]+)>/.exec(response.headers.get('Contact') ?? '')?.[1] ?? this.#target;
    this.#rtpPort = Number(/^m=audio (\d+)/m.exec(response.bodyText)?.[1] ?? this.#rtpPort);
    // A refusal is sent a few times more, which nobody minds here.
    if (response.status < 300) this.#request('ACK', undefined, invite.cseq.sequence);

    return response;
  }

  async hangUp(): Promise<void> {
    this.#options.phone.stop();
    await this.#final(this.#request('BYE'));
  }

  close(): void {
    this.#socket.close();
  }

  #offer(): string {
    const { phone } = this.#options;
    const { remoteAddress, remoteRtpPort, remoteRtcpAddress, remoteRtcpPort } = phone.audio();
    const family = isIPv6(remoteAddress) ? 'IP6' : 'IP4';
    const { payloadType, name, clockRate, channels } = phone.codec;

    return [
      'v=0',
      `o=- 1 ${++this.#version} IN ${family} ${remoteAddress}`,
      's=-',
      `c=IN ${family} ${remoteAddress}`,
      't=0 0',
      `m=audio ${remoteRtpPort} RTP/AVP ${payloadType}`,
      `a=rtpmap:${payloadType} ${name}/${clockRate}${channels === 1 ? '' : `/${channels}`}`,
      `a=rtcp:${remoteRtcpPort} IN ${family} ${remoteRtcpAddress}`,
      'a=rtcp-xr:voip-metrics',
      '',
    ].join('\r\n');
  }

  #request(method: string, body?: string, sequence = (this.#cseq += 1)): SipRequest {
    const tag = this.#remoteTag === undefined ? '' : `;tag=${this.#remoteTag}`;
    const request = buildRequest({
      method,
      uri: requireUri(this.#target),
      from: `<sip:caller@${this.#host}>;tag=${this.#tag}`,
      to: `<${this.#callee}>${tag}`,
      callId: this.#callId,
      cseq: sequence,
      contact: `<sip:caller@${this.#host}>`,
      headers: undefined,
      body: body === undefined ? undefined : { type: 'application/sdp', content: body },
    });
    request.headers.prepend('Via', `SIP/2.0/UDP ${this.#host};branch=${newBranch()};rport`);
    this.#send(request);

    return request;
  }

  async #final(request: SipRequest): Promise<SipResponse> {
    const branch = request.via.params.get('branch');
    let found: SipResponse | undefined;
    let sentAt = Date.now();
    await waitUntil(`${request.method} is answered`, () => {
      const answers = this.#responses.filter(({ via }) => via.params.get('branch') === branch);
      found = answers.find(({ status }) => status >= 200);
      if (answers.length === 0 && Date.now() - sentAt > RETRY_MS) {
        sentAt = Date.now();
        this.#send(request);
      }

      return found === undefined ? 'waiting' : undefined;
    });

    return found!;
  }

  #accept(request: SipRequest): void {
    this.#send(buildResponse(request, 200, { toTag: this.#tag }));
  }

  #send(message: SipMessage): void {
    const { port, address } = this.#options.server;
    this.#socket.send(serializeMessage(message), port, address);
  }
}
