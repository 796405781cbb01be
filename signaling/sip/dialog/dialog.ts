import {
  buildRequest,
  isSipUri,
  withTag,
  type ExtraHeaders,
  type MessageBody,
  type NameAddr,
  type SipRequest,
  type SipResponse,
  type Uri,
} from '../message/index.ts';
import type { RemoteFlow } from '../transport/index.ts';
import type { DialogId } from './dialog-id.ts';

interface DialogParts {
  readonly id: DialogId;
  readonly isCaller: boolean;
  readonly local: NameAddr;
  readonly remote: NameAddr;
  readonly remoteTarget: Uri;
  readonly routeSet: readonly NameAddr[];
  readonly localSequence: number;
  readonly remoteSequence: number | undefined;
  readonly flow: RemoteFlow | undefined;
  readonly isDirect: boolean;
}

export interface DialogRequestParts {
  readonly contact?: string | undefined;
  readonly headers?: ExtraHeaders | undefined;
  readonly body?: MessageBody | undefined;
}

/** The state of one peer-to-peer relation (RFC 3261 12): identities, sequence numbers, way there. */
export class Dialog {
  readonly id: DialogId;
  /** We sent the INVITE: the "owner of the Call-ID" of RFC 3261 14.1. */
  readonly isCaller: boolean;
  /** From of our requests, tag included. */
  readonly local: NameAddr;
  readonly remote: NameAddr;
  /** No proxy stands between: the peer itself is at the other end of the flow. */
  readonly isDirect: boolean;
  #routeSet: readonly NameAddr[];
  #remoteTarget: Uri;
  #localSequence: number;
  #remoteSequence: number | undefined;
  #flow: RemoteFlow | undefined;

  private constructor(parts: DialogParts) {
    this.id = parts.id;
    this.isCaller = parts.isCaller;
    this.local = parts.local;
    this.remote = parts.remote;
    this.isDirect = parts.isDirect;
    this.#routeSet = parts.routeSet;
    this.#remoteTarget = parts.remoteTarget;
    this.#localSequence = parts.localSequence;
    this.#remoteSequence = parts.remoteSequence;
    this.#flow = parts.flow;
  }

  /** RFC 3261 12.1.1: "The route set MUST be set to the list of URIs in the Record-Route … in order". */
  static fromRequest(request: SipRequest, localTag: string, flow: RemoteFlow): Dialog {
    return new Dialog({
      id: { callId: request.callId, localTag, remoteTag: request.fromTag ?? '' },
      isCaller: false,
      local: withTag(request.to, localTag),
      remote: request.from,
      // An INVITE without Contact breaks RFC 3261 8.1.1.8; peers of RFC 2543 are reached by From.
      remoteTarget: (request.contact ?? request.from).uri,
      routeSet: request.recordRoutes,
      localSequence: 0,
      remoteSequence: request.cseq.sequence,
      flow,
      isDirect: request.vias.length === 1,
    });
  }

  /** RFC 3261 12.1.2: the route set is taken "in reverse order". */
  static fromResponse(request: SipRequest, response: SipResponse, flow?: RemoteFlow): Dialog {
    const routeSet = [...response.recordRoutes].reverse();

    return new Dialog({
      id: {
        callId: request.callId,
        localTag: request.fromTag ?? '',
        remoteTag: response.toTag ?? '',
      },
      isCaller: true,
      local: request.from,
      remote: response.to,
      remoteTarget: response.contact?.uri ?? request.uri,
      routeSet,
      localSequence: request.cseq.sequence,
      remoteSequence: undefined,
      flow,
      isDirect: routeSet.length === 0,
    });
  }

  get routeSet(): readonly NameAddr[] {
    return this.#routeSet;
  }

  get remoteTarget(): Uri {
    return this.#remoteTarget;
  }

  get localSequence(): number {
    return this.#localSequence;
  }

  /** How the far end's last INVITE came, or the flow that ours went down; undefined without either. */
  get flow(): RemoteFlow | undefined {
    return this.#flow;
  }

  /**
   * "If the remote sequence number was not empty, but the sequence number of the request is lower …
   * the request is out of order and MUST be rejected with a 500" (RFC 3261 12.2.2). Gaps are fine.
   */
  acceptSequence(request: SipRequest): boolean {
    const { sequence } = request.cseq;
    if (this.#remoteSequence !== undefined && sequence < this.#remoteSequence) return false;
    this.#remoteSequence = sequence;

    return true;
  }

  /** A target refresh that succeeded: "the UAS MUST replace the dialog's remote target URI" (12.2.2). */
  refreshTarget(message: SipRequest | SipResponse, flow?: RemoteFlow): void {
    if (message.contact !== undefined) this.#remoteTarget = message.contact.uri;
    if (flow !== undefined) this.#flow = flow;
  }

  /** The 2xx to our INVITE: "the route set … MUST be recomputed based on the 2xx" (13.2.2.4). */
  confirm(response: SipResponse): void {
    this.#routeSet = [...response.recordRoutes].reverse();
    this.refreshTarget(response);
  }

  /** A request of ours with the next sequence number (12.2.1.1). */
  createRequest(method: string, parts: DialogRequestParts = {}): SipRequest {
    this.#localSequence += 1;

    return this.#build(method, this.#localSequence, parts);
  }

  /** The sequence number for a request of ours that is sent once more, with credentials. */
  takeSequence(): number {
    this.#localSequence += 1;

    return this.#localSequence;
  }

  /** The ACK of a 2xx: "the sequence number … MUST be the same as the INVITE being acknowledged". */
  createAck(sequence: number, parts: DialogRequestParts = {}): SipRequest {
    return this.#build('ACK', sequence, parts);
  }

  #build(method: string, cseq: number, parts: DialogRequestParts): SipRequest {
    const [first, ...rest] = this.#routeSet;
    // "If the route set is not empty, and its first URI does not contain the lr parameter, the UAC
    // MUST place the first URI … into the Request-URI" and the remote target last (12.2.1.1).
    const isStrict = first !== undefined && isSipUri(first.uri) && !first.uri.params.has('lr');
    const target: NameAddr = {
      displayName: undefined,
      uri: this.#remoteTarget,
      params: new Map<string, string | undefined>(),
    };

    return buildRequest({
      method,
      uri: isStrict ? first.uri : this.#remoteTarget,
      routes: isStrict ? [...rest, target] : this.#routeSet,
      from: this.local,
      to: this.remote,
      callId: this.id.callId,
      cseq,
      contact: parts.contact,
      headers: parts.headers,
      body: parts.body,
    });
  }
}
