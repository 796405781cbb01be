/**
 * Who may publish what and who may receive whom: decisions alone, without a stream in sight.
 */
import type { ErrorCode, LegId } from '../../base/index.ts';
import type { MediaKind, MediaSource, ProducerInfo } from '../media-api.ts';

export interface Refusal {
  code: ErrorCode;
  message: string;
}

/** What each source can be made of; a shared screen may come with its sound. */
const KINDS: Record<MediaSource, readonly MediaKind[]> = {
  microphone: ['audio'],
  camera: ['video'],
  screen: ['video', 'audio'],
};

/** What is to be published; `alternative`: the same picture in another codec. */
export interface Publication extends Pick<ProducerInfo, 'kind' | 'source'> {
  alternative?: boolean;
}

/** Undefined: it may. A leg has at most one stream of each source and kind, and one alternative to each picture. */
export function refuseProduce(
  wanted: Publication,
  published: Iterable<Publication>,
): Refusal | undefined {
  const isAlternative = wanted.alternative === true;
  if (isAlternative && wanted.kind !== 'video') {
    return { code: 'BAD_REQUEST', message: 'only video has an alternative' };
  }
  if (!KINDS[wanted.source].includes(wanted.kind)) {
    return { code: 'BAD_REQUEST', message: `a ${wanted.source} cannot be ${wanted.kind}` };
  }
  for (const { kind, source, alternative } of published) {
    const isAsWell = (alternative === true) === isAlternative;
    if (kind === wanted.kind && source === wanted.source && isAsWell) {
      return { code: 'INVALID_STATE', message: `the ${source} (${kind}) is already published` };
    }
  }

  return undefined;
}

export interface ConsumeRequest {
  legId: LegId;
  /** Undefined: no such stream in the room. */
  producer: Pick<ProducerInfo, 'legId'> | undefined;
  /** The leg receives it already, or is about to. */
  alreadyConsumed: boolean;
  /** One codec at least is common. */
  codecSupported: boolean;
}

/** Undefined: it may. */
export function refuseConsume(request: ConsumeRequest): Refusal | undefined {
  if (request.producer === undefined) {
    return { code: 'NOT_FOUND', message: 'no such stream in the room' };
  }
  if (request.producer.legId === request.legId) {
    return { code: 'BAD_REQUEST', message: 'nobody receives a stream of their own' };
  }
  if (request.alreadyConsumed) {
    return { code: 'INVALID_STATE', message: 'the stream is already received' };
  }
  if (!request.codecSupported) {
    return { code: 'BAD_REQUEST', message: 'none of the given codecs carries this stream' };
  }

  return undefined;
}

/**
 * The simulcast layer to begin with: the more pictures are shown, the smaller each is. The browser
 * corrects it as soon as it knows its tiles.
 */
export function initialSpatialLayer(videosAlreadyReceived: number): number {
  if (videosAlreadyReceived < 2) return 2;
  if (videosAlreadyReceived < 6) return 1;

  return 0;
}

export function isPhoneMedia(producer: Pick<ProducerInfo, 'kind' | 'source'>): boolean {
  return producer.kind === 'audio' && producer.source === 'microphone';
}
