/** INFO inside a call (RFC 6086): keys and picture requests in the forms that older peers send. */
import type { TypedEmitter } from '../../../base/index.ts';
import { buildResponse, type ExtraHeaders, type SipRequest } from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import type { CallEvents } from './call.ts';
import { RECV_INFO } from './capabilities.ts';

const DTMF_RELAY = 'application/dtmf-relay';
const DTMF = 'application/dtmf';
const MEDIA_CONTROL = 'application/media_control+xml';

const ACCEPT_INFO: readonly [string, string] = [
  'Accept',
  [DTMF_RELAY, DTMF, MEDIA_CONTROL].join(', '),
];

/** Milliseconds of a key whose sender does not say, and of the longest that is believed. */
const USUAL_DURATION = 160;
const LONGEST_DURATION = 8000;

/** Some write the event numbers of RFC 4733 for the keys that are no digits. */
const KEY_NUMBERS: Readonly<Record<string, string>> = { '10': '*', '11': '#' };

interface Refusal {
  readonly status: number;
  readonly headers?: ExtraHeaders;
}

/** INFO never changes the dialog: whatever it says, only events come of it. */
export function receiveInfo(
  transaction: ServerTransaction,
  events: TypedEmitter<CallEvents>,
): void {
  const { request } = transaction;
  const refusal = read(request, events);
  const { status, headers } = refusal ?? { status: 200 };
  transaction.respond(buildResponse(request, status, { headers }));
}

function read(request: SipRequest, events: TypedEmitter<CallEvents>): Refusal | undefined {
  // 4.2.2: "If … the UA has not indicated willingness to receive" the package: 469.
  if (request.headers.has('Info-Package')) return { status: 469, headers: [RECV_INFO] };
  if (request.body.length === 0) return undefined;
  switch (request.contentType?.type) {
    case DTMF_RELAY:
      return readKey(/^\s*Signal\s*=\s*(\S+)/im.exec(request.bodyText)?.[1], request, events);
    case DTMF:
      return readKey(request.bodyText.trim(), request, events);
    case MEDIA_CONTROL:
      if (/<\s*picture_fast_update\b/.test(request.bodyText)) events.emit('keyframeWanted');

      return undefined;
    default:
      return { status: 415, headers: [ACCEPT_INFO] };
  }
}

function readKey(
  signal: string | undefined,
  { bodyText }: SipRequest,
  events: TypedEmitter<CallEvents>,
): Refusal | undefined {
  const key = KEY_NUMBERS[signal ?? ''] ?? signal?.toUpperCase();
  if (key === undefined || !/^[0-9A-D*#]$/.test(key)) return { status: 400 };
  const duration = /^\s*Duration\s*=\s*(\d{1,6})/im.exec(bodyText)?.[1];
  const milliseconds = duration === undefined ? USUAL_DURATION : Number(duration);
  events.emit('key', key, Math.min(milliseconds, LONGEST_DURATION));

  return undefined;
}
