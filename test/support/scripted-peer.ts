import {
  buildRequest,
  buildResponse,
  newBranch,
  requireUri,
  serializeMessage,
  type ExtraHeaders,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../signaling/sip/message/index.ts';
import type { Endpoint } from '../../signaling/sip/transport/index.ts';
import { keyOf, label, readMessage, type SipWire } from './sip-wire.ts';

export interface PeerRequest {
  readonly headers?: ExtraHeaders;
  readonly body?: string;
  readonly type?: string;
  readonly uri?: string;
  /** Without its tag. */
  readonly from?: string;
  readonly toTag?: string | undefined;
  readonly cseq?: number;
  readonly branch?: string;
  readonly callId?: string;
  readonly contact?: string | undefined;
}

/** A peer that does what the test tells it and nothing else: no retransmission, no ACK. */
export class ScriptedPeer {
  readonly at: Endpoint;
  readonly received: SipMessage[] = [];
  readonly #requests: SipRequest[] = [];
  readonly callId: string;
  readonly tag = 'peer-tag';
  readonly #wire: SipWire;
  readonly #remote: Endpoint;
  #cseq = 0;

  constructor(wire: SipWire, at: Endpoint, remote: Endpoint) {
    this.at = at;
    this.#wire = wire;
    this.#remote = remote;
    this.callId = `call-${keyOf(at)}`;
    wire.attach(at, (bytes) => this.received.push(readMessage(bytes)));
  }

  /** A request to the other side; its CSeq is the next one unless given. */
  request(method: string, parts: PeerRequest = {}): SipRequest {
    const sequence = parts.cseq ?? (this.#cseq += 1);
    const to = `<sip:1234@${keyOf(this.#remote)}>`;
    const request = buildRequest({
      method,
      uri: requireUri(parts.uri ?? `sip:1234@${keyOf(this.#remote)}`),
      from: `${parts.from ?? '"Peer" <sip:peer@example.com>'};tag=${this.tag}`,
      to: parts.toTag === undefined ? to : `${to};tag=${parts.toTag}`,
      callId: parts.callId ?? this.callId,
      cseq: sequence,
      contact: 'contact' in parts ? parts.contact : `<sip:peer@${keyOf(this.at)}>`,
      headers: parts.headers,
      body:
        parts.body === undefined
          ? undefined
          : { type: parts.type ?? 'application/sdp', content: parts.body },
    });
    const branch = parts.branch ?? newBranch();
    request.headers.prepend('Via', `SIP/2.0/UDP ${keyOf(this.at)};branch=${branch};rport`);
    this.#requests.push(request);
    this.send(request);

    return request;
  }

  /** ACK to a 2xx. */
  ack(response: SipResponse, body?: string): void {
    this.request('ACK', {
      cseq: response.cseq.sequence,
      toTag: response.toTag,
      ...(body !== undefined && { body }),
    });
  }

  /** CANCEL or ACK of a non-2xx: same branch as the INVITE (RFC 3261 9.1, 17.1.1.3). */
  companion(method: 'CANCEL' | 'ACK', invite: SipRequest, toTag?: string): void {
    this.request(method, {
      cseq: invite.cseq.sequence,
      branch: invite.via.params.get('branch')!,
      callId: invite.callId,
      toTag,
    });
  }

  respond(request: SipRequest, status: number, body?: string): void {
    this.send(
      buildResponse(request, status, {
        toTag: this.tag,
        contact: `<sip:peer@${keyOf(this.at)}>`,
        body: body === undefined ? undefined : { type: 'application/sdp', content: body },
      }),
    );
  }

  send(message: SipMessage): void {
    this.#wire.send(serializeMessage(message), this.at, this.#remote);
  }

  /** Its last request of this method. */
  sent(method: string): SipRequest {
    const found = this.#requests.findLast((request) => request.method === method);
    if (found === undefined) throw new Error(`no ${method} was sent`);

    return found;
  }

  labels(): string[] {
    return this.received.map(label);
  }

  /** The last response received that answers `method`. */
  response(method: string): SipResponse {
    const found = this.received.findLast(
      (message) => message.kind === 'response' && message.method === method,
    );
    if (found === undefined)
      throw new Error(`no response to ${method} among ${this.labels().join()}`);

    return found as SipResponse;
  }

  /** The last request received with this method. */
  requestOf(method: string): SipRequest {
    const found = this.received.findLast(
      (message) => message.kind === 'request' && message.method === method,
    );
    if (found === undefined) throw new Error(`no ${method} among ${this.labels().join()}`);

    return found as SipRequest;
  }
}
