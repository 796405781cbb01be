export { NO_BODY, requireUri, SipRequest, SipResponse } from './sip-message.ts';
export type { SipMessage } from './sip-message.ts';
export { SipHeaders } from './headers.ts';
export type { HeaderField } from './headers.ts';
export {
  buildRequest,
  buildResponse,
  derivedToTag,
  newBranch,
  newCallId,
  newTag,
} from './builders.ts';
export { bodyParts, isMultipart, type BodyPart } from './multipart.ts';
export type { ExtraHeaders, MessageBody, RequestParts, ResponseParts } from './builders.ts';
export { ParseError } from './parse-error.ts';
export { isSipUri, makeSipUri, parseUri, percentDecode, uriEquals } from './uri.ts';
export type { OtherUri, SipUri, SipUriParts, TelUri, Uri } from './uri.ts';
export { formatNameAddr, parseNameAddr, withTag } from './name-addr.ts';
export type { NameAddr } from './name-addr.ts';
export { BRANCH_COOKIE, formatVia, parseVia, viaBranch } from './via.ts';
export type { Via } from './via.ts';
export { formatCSeq, parseCSeq } from './cseq.ts';
export type { CSeq } from './cseq.ts';
export { parseMediaType } from './media-type.ts';
export type { MediaType } from './media-type.ts';
export { formatHeaderParams, NO_PARAMS, parseHeaderParams } from './params.ts';
export type { Params } from './params.ts';
export { formatHost, formatHostPort, parseHostPort } from './host-port.ts';
export type { HostPort } from './host-port.ts';
export { isFinal, isProvisional, isSuccess, reasonPhrase } from './status-code.ts';
export { isToken, quote, splitList, unquote } from './lexer.ts';
export { MAX_MESSAGE_BYTES, parseMessage } from './parser.ts';
export type { ParseOptions } from './parser.ts';
export { serializeMessage } from './serializer.ts';
export { StreamFramer } from './stream-framer.ts';
export type { Frame } from './stream-framer.ts';
