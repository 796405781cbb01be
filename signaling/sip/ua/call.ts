/** What calls look like to the layer above, whoever made them. */
import type { ExtraHeaders, SipMessage, SipRequest } from '../message/index.ts';
import type { EndCause } from '../dialog/index.ts';
import type { SdpSession } from '../../sdp/index.ts';

export interface CallEnd {
  /** `remote` also for a peer that went silent. */
  readonly by: 'remote' | 'local';
  readonly cause: EndCause;
  /** The BYE, CANCEL or final response that ended it, when the far end sent one. */
  readonly message?: SipMessage;
}

/** What a refusal may say beside its status. */
export interface RejectOptions {
  readonly reason?: string;
  /** warn-code and text (RFC 3261 20.43). */
  readonly warning?: { readonly code: number; readonly text: string };
  readonly headers?: ExtraHeaders;
}

/** The answer to a re-INVITE: a description, or a status of 300 or more. */
export type ReofferAnswer =
  { readonly sdp: SdpSession } | ({ readonly status: number } & RejectOptions);

/**
 * Takes the re-INVITEs of a call. `offer` is undefined when the far end wants ours; its answer then
 * comes as the event `answered`.
 */
export type ReofferHandler = (
  offer: SdpSession | undefined,
  request: SipRequest,
) => ReofferAnswer | Promise<ReofferAnswer>;

export interface CallEvents {
  /** The ACK came (a call that came in) or went (one of ours); `answer` when our side made the offer. */
  established: [answer: SdpSession | undefined];
  /** The answer to an offer that a re-INVITE or a reliable provisional response brought them. */
  answered: [answer: SdpSession];
  /** A key in an INFO. */
  key: [key: string, durationMs: number];
  /** An INFO asks for a whole picture (RFC 5168). */
  keyframeWanted: [];
  /** Once, and nothing after it. */
  ended: [CallEnd];
}

/** The value of a Warning header; the agent is a pseudonym (RFC 3261 20.43). */
export function warningHeader({ code, text }: { code: number; text: string }): [string, string] {
  return ['Warning', `${String(code)} parley "${text.replace(/["\\]/g, "'")}"`];
}

export function rejectHeaders({ warning, headers }: RejectOptions): [string, string][] {
  const all = [...(headers ?? [])].map(([name, value]): [string, string] => [name, value]);
  if (warning !== undefined) all.push(warningHeader(warning));

  return all;
}
