import type { SipRequest } from '../message/index.ts';

/** A transaction, as far as copies of its request go. */
interface Original {
  /** Undefined for a request inside a dialog. */
  readonly mergeKey: string | undefined;
  /** It had its final response, and no 2xx. */
  readonly isRefused: boolean;
}

/**
 * "If the request has no tag in the To header field … and the From tag, Call-ID, and CSeq exactly match
 * those associated with an ongoing transaction, but the request does not match that transaction", it came
 * here twice by a fork (RFC 3261 8.2.2.2).
 */
export class ForkedRequests {
  readonly #originals = new Map<string, Original>();

  add(original: Original): void {
    if (original.mergeKey !== undefined) this.#originals.set(original.mergeKey, original);
  }

  remove(original: Original): void {
    const { mergeKey } = original;
    if (mergeKey !== undefined && this.#originals.get(mergeKey) === original) {
      this.#originals.delete(mergeKey);
    }
  }

  /** One that was refused leaves its place: a proxy may try number after number, and all be ours. */
  isMerged(request: SipRequest): boolean {
    const mergeKey = mergeKeyOf(request);
    const original = mergeKey === undefined ? undefined : this.#originals.get(mergeKey);

    return original !== undefined && !original.isRefused;
  }
}

/** What copies have in common; CANCEL goes hop by hop, so that of a second copy is none of the first. */
export function mergeKeyOf(request: SipRequest): string | undefined {
  if (request.toTag !== undefined || request.method === 'CANCEL') return undefined;
  const { sequence, method } = request.cseq;

  return [request.callId, request.fromTag ?? '', String(sequence), method].join('\n');
}
