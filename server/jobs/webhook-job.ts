import { createHmac } from 'node:crypto';
import type { ParticipantId, RoomNumber } from '../../base/index.ts';
import type { CloseReason } from '../close-reason.ts';
import type { ParticipantView } from '../ports.ts';

export const WEBHOOK_EVENTS = [
  'room.started',
  'room.ended',
  'participant.joined',
  'participant.left',
] as const;
export type WebhookEventType = (typeof WEBHOOK_EVENTS)[number];

/** What is posted. A receiver that has seen `id` before ignores it: delivery is at least once. */
export interface WebhookEvent {
  id: string;
  type: WebhookEventType;
  /** ISO 8601, when it happened; a delivery may come later. */
  timestamp: string;
  room: { number: RoomNumber; name: string };
  participant?: ParticipantView & { id: ParticipantId };
  reason?: CloseReason;
}

export interface WebhookTarget {
  url: URL;
  secret: string;
}

const TIMEOUT_MS = 10_000;
const MAX_BODY_BYTES = 65_536;

/** `sha256=` and the HMAC of the exact bytes of the body, in hex. */
export function signature(secret: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/**
 * Posts one event; rejects unless the answer is 2xx. A redirect counts as a failure: the event was meant
 * for the configured address and for no other.
 */
export async function deliver(
  target: WebhookTarget,
  event: WebhookEvent,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  const body = JSON.stringify(event);
  if (Buffer.byteLength(body) > MAX_BODY_BYTES) throw new Error('the event is too large to post');
  const response = await fetch(withoutCredentials(target.url), {
    method: 'POST',
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Parley',
      'x-parley-event': event.type,
      'x-parley-delivery': event.id,
      'x-parley-signature': signature(target.secret, body),
      ...basicAuthorization(target.url),
    },
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the webhook receiver answered ${response.status}`);
}

/** `fetch` refuses URLs with a user name in them; it goes into a header instead. */
function withoutCredentials(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';

  return bare;
}

function basicAuthorization(url: URL): { authorization?: string } {
  if (url.username === '' && url.password === '') return {};
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;

  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}
