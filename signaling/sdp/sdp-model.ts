/** Parley's own picture of a session description (RFC 8866): only what is used, typed and bounded. */

export type SdpDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** `c=`, with the TTL or count of a multicast address cut off. */
export interface SdpConnection {
  readonly family: 4 | 6;
  /** An address literal or a host name. */
  readonly address: string;
}

/** `o=`; id and version are digits, as they may exceed what a number holds. */
export interface SdpOrigin {
  readonly username: string;
  readonly sessionId: string;
  readonly version: string;
  readonly family: 4 | 6;
  readonly address: string;
}

export interface SdpAttribute {
  readonly name: string;
  readonly value?: string;
}

export interface SdpBandwidth {
  readonly type: string;
  readonly limit: number;
}

export interface RtpMap {
  readonly payloadType: number;
  readonly encodingName: string;
  readonly clockRate: number;
  readonly channels: number;
}

export interface FormatParameters {
  readonly payloadType: number;
  readonly parameters: string;
}

export interface SdpMedia {
  readonly type: string;
  /** 0 = refused or not wanted. */
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly connection?: SdpConnection;
  readonly bandwidths: readonly SdpBandwidth[];
  /** Absent: the session's, else sendrecv. */
  readonly direction?: SdpDirection;
  readonly rtpMaps: readonly RtpMap[];
  readonly formatParameters: readonly FormatParameters[];
  /** `a=rtcp` (RFC 3605). */
  readonly rtcp?: { readonly port: number; readonly connection?: SdpConnection };
  readonly rtcpMux: boolean;
  readonly ptime?: number;
  readonly maxptime?: number;
  /** Everything without a field of its own, in order. */
  readonly attributes: readonly SdpAttribute[];
}

export interface SdpSession {
  readonly origin: SdpOrigin;
  readonly name: string;
  readonly connection?: SdpConnection;
  readonly bandwidths: readonly SdpBandwidth[];
  readonly timing: { readonly start: number; readonly stop: number };
  readonly direction?: SdpDirection;
  readonly attributes: readonly SdpAttribute[];
  readonly media: readonly SdpMedia[];
}

/** The direction that holds for a section: its own, else the session's, else sendrecv. */
export function effectiveDirection(session: SdpSession, media: SdpMedia): SdpDirection {
  return media.direction ?? session.direction ?? 'sendrecv';
}

export function effectiveConnection(
  session: SdpSession,
  media: SdpMedia,
): SdpConnection | undefined {
  return media.connection ?? session.connection;
}

export function findAttribute(
  section: { readonly attributes: readonly SdpAttribute[] },
  name: string,
): SdpAttribute | undefined {
  return section.attributes.find((attribute) => attribute.name === name);
}
