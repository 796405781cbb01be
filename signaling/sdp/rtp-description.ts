/** What an m-line says of RTP, in mediasoup's terms: codecs, header extensions, sources. Pure. */
import type { types as mediasoup } from 'mediasoup';
import { findStaticAudioCodec } from '../../media/codecs.ts';
import { findAttribute, type SdpAttribute, type SdpMedia } from './sdp-model.ts';

export interface Extension {
  readonly id: number;
  readonly uri: string;
}

/** One stream that a peer sends, as `a=ssrc` and `a=ssrc-group` name it (RFC 5576). */
export interface Source {
  readonly ssrc: number;
  readonly rtxSsrc?: number;
  readonly cname?: string;
}

const MAX_CODECS = 64;
const MAX_EXTENSIONS = 32;

/** The codecs of an m-line in the order of its formats, unknown ones too. */
export function readCodecs(media: SdpMedia): mediasoup.RtpCodecParameters[] {
  return media.formats.slice(0, MAX_CODECS).flatMap((format) => {
    const payloadType = /^\d{1,3}$/.test(format) ? Number(format) : NaN;
    const map = rtpMap(media, payloadType);
    if (map === undefined) return [];
    const isAudio = media.type === 'audio';

    return [
      {
        mimeType: `${media.type}/${map.name}`,
        payloadType,
        clockRate: map.clockRate,
        ...(isAudio && { channels: map.channels }),
        parameters: formatParameters(media, payloadType),
        rtcpFeedback: feedback(media, payloadType),
      },
    ];
  });
}

/** `a=extmap` (RFC 8285 8); those that the peer only sends or only receives count too. */
export function readExtensions(media: SdpMedia): Extension[] {
  const found = media.attributes.filter(({ name }) => name === 'extmap');

  return found.slice(0, MAX_EXTENSIONS).flatMap(({ value }) => {
    const match = /^(\d{1,2})(?:\/(?:sendrecv|sendonly|recvonly|inactive))? +(\S+)/.exec(
      value ?? '',
    );
    const id = Number(match?.[1]);

    // One-byte headers have ids 1 to 14 (RFC 8285 4.2).
    return match !== null && id >= 1 && id <= 14 ? [{ id, uri: match[2]! }] : [];
  });
}

/** The first source, with the one that repeats it (`a=ssrc-group:FID`, RFC 5576 4.2). */
export function readSource(media: SdpMedia): Source | undefined {
  const lines = media.attributes.flatMap(({ name, value }) => {
    const match = name === 'ssrc' ? /^(\d{1,10})(?: +([\w-]+)(?::(.*))?)?/.exec(value ?? '') : null;

    return match === null ? [] : [{ ssrc: Number(match[1]), key: match[2], text: match[3] }];
  });
  const groups = media.attributes.flatMap(({ name, value }) => {
    const match = name === 'ssrc-group' ? /^FID (\d{1,10}) (\d{1,10})/.exec(value ?? '') : null;

    return match === null ? [] : [{ ssrc: Number(match[1]), rtxSsrc: Number(match[2]) }];
  });
  const first = groups[0] ?? lines[0];
  if (first === undefined || first.ssrc === 0 || first.ssrc > 0xffff_ffff) return undefined;
  const cname = lines.find(({ ssrc, key }) => ssrc === first.ssrc && key === 'cname')?.text;

  return {
    ssrc: first.ssrc,
    ...('rtxSsrc' in first && { rtxSsrc: first.rtxSsrc }),
    ...(cname !== undefined && /^[!-~]{1,64}$/.test(cname) && { cname }),
  };
}

/** The rids that a peer would send at once (RFC 8853 5.1); of alternatives the first. */
export function readSimulcast(media: SdpMedia): { rid: string; paused: boolean }[] {
  const value = findAttribute(media, 'simulcast')?.value ?? '';
  const list = /(?:^| )send ([^ ]+)/.exec(value)?.[1] ?? '';
  const sent = new Set(
    media.attributes.flatMap(({ name, value: text }) => {
      const match = name === 'rid' ? /^([A-Za-z0-9]{1,16}) send(?: |$)/.exec(text ?? '') : null;

      return match === null ? [] : [match[1]!];
    }),
  );

  return list.split(';').flatMap((alternatives) => {
    const first = alternatives.split(',')[0]!;
    const paused = first.startsWith('~');
    const rid = paused ? first.slice(1) : first;

    return sent.has(rid) ? [{ rid, paused }] : [];
  });
}

/** `a=rtpmap`, `a=fmtp`, `a=rtcp-fb` of codecs, for an m-line of ours. */
export function codecLines(
  codecs: readonly mediasoup.RtpCodecParameters[],
): Pick<SdpMedia, 'formats' | 'rtpMaps' | 'formatParameters'> & { feedback: SdpAttribute[] } {
  return {
    formats: codecs.map(({ payloadType }) => String(payloadType)),
    rtpMaps: codecs.map(({ mimeType, payloadType, clockRate, channels }) => ({
      payloadType,
      encodingName: mimeType.slice(mimeType.indexOf('/') + 1),
      clockRate,
      channels: channels ?? 1,
    })),
    formatParameters: codecs.flatMap(({ payloadType, parameters }) => {
      const text = parametersText(parameters);

      return text === '' ? [] : [{ payloadType, parameters: text }];
    }),
    feedback: codecs.flatMap(({ payloadType, rtcpFeedback }) =>
      (rtcpFeedback ?? []).map(({ type, parameter }) => ({
        name: 'rtcp-fb',
        value: `${payloadType} ${type}${parameter ? ` ${parameter}` : ''}`,
      })),
    ),
  };
}

function rtpMap(
  media: SdpMedia,
  payloadType: number,
): { name: string; clockRate: number; channels: number } | undefined {
  if (!(payloadType <= 127)) return undefined;
  const map = media.rtpMaps.find((each) => each.payloadType === payloadType);
  if (map !== undefined) return { ...map, name: map.encodingName };
  const known = media.type === 'audio' ? findStaticAudioCodec(payloadType) : undefined;

  return known;
}

/** "a=fmtp:111 minptime=10;useinbandfec=1"; a list without names, as of events, has no parameters. */
function formatParameters(media: SdpMedia, payloadType: number): Record<string, string | number> {
  const line = media.formatParameters.find((each) => each.payloadType === payloadType);
  const pairs = (line?.parameters ?? '').split(';').flatMap((part): [string, string | number][] => {
    const [key, value] = part.split('=').map((each) => each.trim());
    if (!key || value === undefined) return [];
    // A profile-level-id of digits alone is a text all the same.
    const isNumber = /^\d{1,9}$/.test(value) && !/level-id/i.test(key);

    return [[key.toLowerCase(), isNumber ? Number(value) : value]];
  });

  return Object.fromEntries(pairs);
}

function parametersText(parameters: mediasoup.RtpCodecParameters['parameters']): string {
  const pairs = Object.entries((parameters ?? {}) as Record<string, string | number>);

  return pairs.map(([key, value]) => `${key}=${value}`).join(';');
}

/** `a=rtcp-fb`, for one payload type or for all (RFC 4585 4.2). */
function feedback(media: SdpMedia, payloadType: number): mediasoup.RtcpFeedback[] {
  return media.attributes.flatMap(({ name, value }) => {
    const match =
      name === 'rtcp-fb' ? /^(\d{1,3}|\*) +([\w-]+)(?: +(\S.*))?$/.exec(value ?? '') : null;
    if (match === null || (match[1] !== '*' && Number(match[1]) !== payloadType)) return [];

    return [{ type: match[2]!, parameter: match[3]?.trim() ?? '' }];
  });
}
