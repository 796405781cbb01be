/**
 * SDP text ↔ model. The only importer of sdp-transform, which reads and writes attribute grammar but
 * rejects nothing and loses some lines: `sdp-check.ts` refuses bad text first, and whatever
 * sdp-transform does not keep faithfully is taken from the checked lines.
 */
import * as sdpTransform from 'sdp-transform';
import { checkSdp, SdpError, type SdpLine } from './sdp-check.ts';
import type {
  FormatParameters,
  RtpMap,
  SdpAttribute,
  SdpBandwidth,
  SdpConnection,
  SdpDirection,
  SdpMedia,
  SdpOrigin,
  SdpSession,
} from './sdp-model.ts';

type TransformSession = sdpTransform.SessionDescription;
type TransformMedia = TransformSession['media'][number];

const DIRECTIONS: ReadonlySet<string> = new Set(['sendrecv', 'sendonly', 'recvonly', 'inactive']);

/** Attributes that have a field in the model; all others stay in `attributes`. */
const TYPED_ATTRIBUTES: ReadonlySet<string> = new Set([
  ...DIRECTIONS,
  'rtpmap',
  'fmtp',
  'rtcp',
  'rtcp-mux',
  'ptime',
  'maxptime',
]);

/** Never throws: what is not a session description is an SdpError. */
export function parseSdp(text: string): SdpSession | SdpError {
  const checked = checkSdp(text);
  if (checked instanceof SdpError) return checked;
  const parsed = sdpTransform.parse(text);
  const lines = checked.session;
  const [start, stop] = firstValue(lines, 't').trim().split(/ +/).map(Number);

  return {
    origin: toOrigin(firstValue(lines, 'o')),
    name: firstValue(lines, 's'),
    ...optional('connection', toConnection(lines)),
    bandwidths: toBandwidths(parsed.bandwidth),
    timing: { start: start!, stop: stop! },
    ...optional('direction', toDirection(lines)),
    attributes: toAttributes(lines, DIRECTIONS),
    media: checked.media.map((section, index) => toMedia(section, parsed.media[index]!)),
  };
}

/** Lines in RFC 8866 order; attributes in a fixed order, so that equal models give equal text. */
export function writeSdp(session: SdpSession): string {
  const { origin } = session;
  const text = sdpTransform.write({
    version: 0,
    // Written below: sdp-transform turns the version into a number, which 64 bits do not fit.
    origin: {
      ...fromConnection(origin),
      username: '-',
      sessionId: 0,
      sessionVersion: 0,
      netType: 'IN',
    },
    name: session.name,
    timing: session.timing,
    ...(session.connection && { connection: toTransformConnection(session.connection) }),
    ...(session.bandwidths.length > 0 && { bandwidth: fromBandwidths(session.bandwidths) }),
    ...(session.direction && { direction: session.direction }),
    ...(session.attributes.length > 0 && { invalid: fromAttributes(session.attributes) }),
    media: session.media.map(fromMedia),
  } as TransformSession);
  const originLine = `o=${origin.username} ${origin.sessionId} ${origin.version} IN IP${origin.family} ${origin.address}`;

  return text.replace(/^o=.*$/m, () => originLine);
}

function toMedia(lines: readonly SdpLine[], parsed: TransformMedia): SdpMedia {
  const [type, port, protocol, ...formats] = lines[0]!.value.trim().split(/ +/);
  const rtcpPort = parsed.rtcp?.port;

  return {
    type: type!,
    port: Number.parseInt(port!, 10),
    protocol: protocol!,
    formats,
    ...optional('connection', toConnection(lines)),
    bandwidths: toBandwidths(parsed.bandwidth),
    ...optional('direction', toDirection(lines)),
    rtpMaps: parsed.rtp.flatMap(toRtpMap),
    formatParameters: parsed.fmtp.flatMap(toFormatParameters),
    ...(isPort(rtcpPort) && { rtcp: toRtcp(rtcpPort, parsed.rtcp) }),
    rtcpMux: lines.some((line) => line.type === 'a' && line.value === 'rtcp-mux'),
    ...optional('ptime', positive(parsed.ptime)),
    ...optional('maxptime', positive(parsed.maxptime)),
    attributes: toAttributes(lines, TYPED_ATTRIBUTES),
  };
}

function toOrigin(value: string): SdpOrigin {
  const [username, sessionId, version, , family, address] = value.trim().split(' ');

  return {
    username: username!,
    sessionId: sessionId!,
    version: version!,
    family: family === 'IP6' ? 6 : 4,
    address: address!,
  };
}

/** The first of several: layered multicast is the only reason for more, and nobody calls with it. */
function toConnection(lines: readonly SdpLine[]): SdpConnection | undefined {
  const line = lines.find(({ type }) => type === 'c');
  if (line === undefined) return undefined;
  const [, family, address] = line.value.trim().split(' ');

  return { family: family === 'IP6' ? 6 : 4, address: address!.split('/')[0]! };
}

function toDirection(lines: readonly SdpLine[]): SdpDirection | undefined {
  const line = lines.find(({ type, value }) => type === 'a' && DIRECTIONS.has(value.trim()));

  return line?.value.trim() as SdpDirection | undefined;
}

function toAttributes(lines: readonly SdpLine[], typed: ReadonlySet<string>): SdpAttribute[] {
  const attributes: SdpAttribute[] = [];
  for (const line of lines) {
    if (line.type !== 'a') continue;
    const colon = line.value.indexOf(':');
    const name = colon === -1 ? line.value.trim() : line.value.slice(0, colon);
    // What is no attribute is passed over, as unknown ones are (RFC 8866 5.13).
    if (typed.has(name) || !/^[^\s]+$/.test(name)) continue;
    attributes.push(colon === -1 ? { name } : { name, value: line.value.slice(colon + 1) });
  }

  return attributes;
}

function toBandwidths(bandwidth: TransformMedia['bandwidth']): SdpBandwidth[] {
  return (bandwidth ?? []).flatMap(({ type, limit }) => {
    const value = Number(limit);

    return Number.isSafeInteger(value) ? [{ type: String(type), limit: value }] : [];
  });
}

/** A malformed `a=rtpmap` explains nothing, so its payload number stays unknown. */
function toRtpMap({ payload, codec, rate, encoding }: TransformMedia['rtp'][number]): RtpMap[] {
  const channels = encoding === undefined ? 1 : Number(encoding);
  const isWhole = Number.isSafeInteger(rate) && Number.isSafeInteger(channels);
  // A clock that stands still, or no channel, is none.
  if (!isPayloadType(payload) || !isWhole || rate! <= 0 || channels <= 0) return [];

  return [{ payloadType: payload, encodingName: String(codec), clockRate: rate!, channels }];
}

function toFormatParameters({
  payload,
  config,
}: TransformMedia['fmtp'][number]): FormatParameters[] {
  return isPayloadType(payload)
    ? [{ payloadType: payload, parameters: String(config ?? '').trim() }]
    : [];
}

function toRtcp(port: number, rtcp: TransformMedia['rtcp']): NonNullable<SdpMedia['rtcp']> {
  if (rtcp?.address === undefined) return { port };

  return {
    port,
    connection: { family: rtcp.ipVer === 6 ? 6 : 4, address: String(rtcp.address) },
  };
}

function fromMedia(media: SdpMedia): TransformMedia {
  return {
    type: media.type,
    port: media.port,
    protocol: media.protocol,
    payloads: media.formats.join(' '),
    ...(media.connection && { connection: toTransformConnection(media.connection) }),
    ...(media.bandwidths.length > 0 && { bandwidth: fromBandwidths(media.bandwidths) }),
    rtp: media.rtpMaps.map(({ payloadType, encodingName, clockRate, channels }) => ({
      payload: payloadType,
      codec: encodingName,
      rate: clockRate,
      ...(channels > 1 && { encoding: channels }),
    })),
    fmtp: media.formatParameters.map(({ payloadType, parameters }) => ({
      payload: payloadType,
      config: parameters,
    })),
    ...(media.rtcp && { rtcp: fromRtcp(media.rtcp) }),
    ...(media.ptime !== undefined && { ptime: media.ptime }),
    ...(media.maxptime !== undefined && { maxptime: media.maxptime }),
    ...(media.direction && { direction: media.direction }),
    ...(media.rtcpMux && { rtcpMux: 'rtcp-mux' as const }),
    ...(media.attributes.length > 0 && { invalid: fromAttributes(media.attributes) }),
  } as TransformMedia;
}

function fromRtcp(rtcp: NonNullable<SdpMedia['rtcp']>): NonNullable<TransformMedia['rtcp']> {
  return {
    port: rtcp.port,
    ...(rtcp.connection && { netType: 'IN', ...fromConnection(rtcp.connection) }),
  };
}

function fromConnection({ family, address }: SdpConnection): { ipVer: number; address: string } {
  return { ipVer: family, address };
}

function toTransformConnection({ family, address }: SdpConnection): {
  version: number;
  ip: string;
} {
  return { version: family, ip: address };
}

function fromBandwidths(bandwidths: readonly SdpBandwidth[]): SdpBandwidth[] {
  return bandwidths.map(({ type, limit }) => ({ type, limit }));
}

function fromAttributes(attributes: readonly SdpAttribute[]): { value: string }[] {
  return attributes.map(({ name, value }) => ({
    value: value === undefined ? name : `${name}:${value}`,
  }));
}

function firstValue(lines: readonly SdpLine[], type: string): string {
  return lines.find((line) => line.type === type)!.value;
}

function isPayloadType(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 127;
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 65_535;
}

function positive(value: unknown): number | undefined {
  const number = Number(value);

  return Number.isFinite(number) && number > 0 ? number : undefined;
}

/** `{ [key]: value }`, or nothing: an optional field is left out, never undefined. */
function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}
