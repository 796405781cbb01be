/**
 * Bounds of what a browser may send us in one request; the form itself is checked by mediasoup.
 */
import type { types as mediasoup } from 'mediasoup';
import { AppError } from '../../base/index.ts';
import type { MediaKind } from '../media-api.ts';

/** A browser uses one of each, and a second one only while it replaces the first. */
export const MAX_TRANSPORTS_PER_DIRECTION = 2;
/** Every stream of a full room with cameras, and then some. */
export const MAX_CONSUMERS = 2048;
/** Simulcast sends three layers; more would be a mistake. */
const MAX_ENCODINGS = 4;
const MAX_PRODUCER_CODECS = 16;
const MAX_CAPABILITY_CODECS = 128;
const MAX_HEADER_EXTENSIONS = 64;
const MAX_FINGERPRINTS = 16;

export function checkRtpParameters(kind: MediaKind, parameters: mediasoup.RtpParameters): void {
  bounded('codecs', parameters.codecs, MAX_PRODUCER_CODECS);
  bounded('encodings', parameters.encodings, kind === 'audio' ? 1 : MAX_ENCODINGS);
  bounded('headerExtensions', parameters.headerExtensions, MAX_HEADER_EXTENSIONS);
  if (parameters.codecs === undefined) throw new AppError('BAD_REQUEST', 'codecs are missing');
  for (const codec of parameters.codecs) {
    if (!String(codec.mimeType).toLowerCase().startsWith(`${kind}/`)) {
      throw new AppError('BAD_REQUEST', `${String(codec.mimeType)} is not ${kind}`);
    }
  }
}

export function checkRtpCapabilities(capabilities: mediasoup.RtpCapabilities): void {
  bounded('codecs', capabilities.codecs, MAX_CAPABILITY_CODECS);
  bounded('headerExtensions', capabilities.headerExtensions, MAX_HEADER_EXTENSIONS);
}

export function checkDtlsParameters(parameters: mediasoup.DtlsParameters): void {
  bounded('fingerprints', parameters.fingerprints, MAX_FINGERPRINTS);
}

function bounded(name: string, list: unknown, max: number): void {
  if (list === undefined) return;
  if (!Array.isArray(list)) throw new AppError('BAD_REQUEST', `${name} must be a list`);
  if (list.length > max) throw new AppError('BAD_REQUEST', `${name}: at most ${max}`);
}
