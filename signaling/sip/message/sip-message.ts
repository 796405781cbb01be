import { parseCSeq, type CSeq } from './cseq.ts';
import { SipHeaders } from './headers.ts';
import { parseDigits } from './lexer.ts';
import { parseMediaType, type MediaType } from './media-type.ts';
import { parseNameAddr, type NameAddr } from './name-addr.ts';
import { reasonPhrase } from './status-code.ts';
import { parseUri, type Uri } from './uri.ts';
import { parseVia, type Via } from './via.ts';

export const NO_BODY = new Uint8Array(0);

/**
 * What requests and responses share. Typed getters read a header when first asked; on a message that
 * came from the parser those of the mandatory headers never throw, since it has checked them.
 */
abstract class Message {
  readonly headers: SipHeaders;
  body: Uint8Array;

  constructor(headers: SipHeaders, body: Uint8Array) {
    this.headers = headers;
    this.body = body;
  }

  /** The topmost Via. */
  get via(): Via {
    const via = this.vias[0];
    if (via === undefined) throw new TypeError('the message has no Via');

    return via;
  }

  get vias(): readonly Via[] {
    return this.headers.typedList('via', parseVia) ?? [];
  }

  get from(): NameAddr {
    return required('From', this.headers.typed('from', parseNameAddr));
  }

  get to(): NameAddr {
    return required('To', this.headers.typed('to', parseNameAddr));
  }

  get fromTag(): string | undefined {
    return this.from.params.get('tag');
  }

  get toTag(): string | undefined {
    return this.to.params.get('tag');
  }

  get callId(): string {
    return required('Call-ID', this.headers.get('call-id'));
  }

  get cseq(): CSeq {
    return required('CSeq', this.headers.typed('cseq', parseCSeq));
  }

  /** The first Contact; undefined when there is none or it is "*". */
  get contact(): NameAddr | undefined {
    return this.contacts[0];
  }

  /** All Contacts; empty for "*". */
  get contacts(): readonly NameAddr[] {
    return this.hasWildcardContact ? [] : (this.headers.typedList('contact', parseNameAddr) ?? []);
  }

  /** `Contact: *` of a REGISTER that removes all bindings. */
  get hasWildcardContact(): boolean {
    return this.headers.get('contact') === '*';
  }

  get routes(): readonly NameAddr[] {
    return this.headers.typedList('route', parseNameAddr) ?? [];
  }

  get recordRoutes(): readonly NameAddr[] {
    return this.headers.typedList('record-route', parseNameAddr) ?? [];
  }

  get maxForwards(): number | undefined {
    return this.headers.typed('max-forwards', (value) => parseDigits(value, 255));
  }

  get contentLength(): number | undefined {
    return this.headers.typed('content-length', (value) => parseDigits(value, 2 ** 31));
  }

  get contentType(): MediaType | undefined {
    return this.headers.typed('content-type', parseMediaType);
  }

  /** The body as UTF-8 text. */
  get bodyText(): string {
    const { buffer, byteOffset, byteLength } = this.body;

    return Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
  }
}

export class SipRequest extends Message {
  readonly kind = 'request';
  readonly method: string;
  readonly uri: Uri;

  constructor(method: string, uri: Uri, headers = new SipHeaders(), body: Uint8Array = NO_BODY) {
    super(headers, body);
    this.method = method;
    this.uri = uri;
  }

  clone(): SipRequest {
    return new SipRequest(this.method, this.uri, this.headers.clone(), this.body);
  }
}

export class SipResponse extends Message {
  readonly kind = 'response';
  readonly status: number;
  readonly reason: string;

  constructor(
    status: number,
    reason = reasonPhrase(status),
    headers = new SipHeaders(),
    body: Uint8Array = NO_BODY,
  ) {
    super(headers, body);
    this.status = status;
    this.reason = reason;
  }

  /** The method of the request that this answers. */
  get method(): string {
    return this.cseq.method;
  }

  clone(): SipResponse {
    return new SipResponse(this.status, this.reason, this.headers.clone(), this.body);
  }
}

export type SipMessage = SipRequest | SipResponse;

function required<T>(name: string, value: T | undefined): T {
  if (value === undefined) throw new TypeError(`${name} is missing or malformed`);

  return value;
}

/** A URI that our own code wrote: malformed is a mistake of ours. */
export function requireUri(text: string): Uri {
  const uri = parseUri(text);
  if (uri === undefined) throw new TypeError(`not a URI: ${JSON.stringify(text)}`);

  return uri;
}
