import {
  buildRequest,
  parseMessage,
  serializeMessage,
  type MessageBody,
  type RequestParts,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../signaling/sip/message/index.ts';

/** A request with all that it must have; `parts` replaces what a test is about. */
export function aRequest(method: string, parts: Partial<RequestParts> = {}): SipRequest {
  return buildRequest({
    method,
    uri: 'sip:100@parley.example',
    from: '<sip:alice@phone.example>;tag=alice-tag',
    to: '<sip:100@parley.example>',
    callId: 'call-1@phone.example',
    cseq: 1,
    ...parts,
  });
}

export function anInvite(parts: Partial<RequestParts> = {}): SipRequest {
  return aRequest('INVITE', { contact: '<sip:alice@192.0.2.1:5062>', ...parts });
}

/** As it comes from a phone: with a Via of its own. */
export function received(
  request: SipRequest,
  via = 'SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKphone1;rport',
): SipRequest {
  const copy = request.clone();
  copy.headers.prepend('Via', via);

  return copy;
}

export const SOME_SDP: MessageBody = { type: 'application/sdp', content: 'v=0\r\ns=-\r\n' };

export function bytesOf(message: SipMessage): Uint8Array {
  return serializeMessage(message);
}

export function textOf(message: SipMessage): string {
  return Buffer.from(serializeMessage(message)).toString('utf8');
}

/** Bytes that must be a message. */
export function parsed(bytes: Uint8Array | string): SipMessage {
  const message = parseMessage(typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes);
  if (message.kind === 'parse-error') throw new Error(`not a message: ${message.reason}`);

  return message;
}

export function parsedRequest(bytes: Uint8Array | string): SipRequest {
  const message = parsed(bytes);
  if (message.kind !== 'request') throw new Error('not a request');

  return message;
}

export function parsedResponse(bytes: Uint8Array | string): SipResponse {
  const message = parsed(bytes);
  if (message.kind !== 'response') throw new Error('not a response');

  return message;
}

/** Lines joined as on the wire, with the empty line after the header fields. */
export function wire(...lines: string[]): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8');
}
