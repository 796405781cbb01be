/**
 * ICE, DTLS and BUNDLE of a WebRTC endpoint's description (RFC 8839, RFC 5763, RFC 8842, RFC 9143).
 * Pure. We are ICE-lite on one address: whatever the peer's candidates are, its checks find us.
 */
import type { types as mediasoup } from 'mediasoup';
import { SdpError } from './sdp-check.ts';
import {
  effectiveConnection,
  findAttribute,
  type SdpAttribute,
  type SdpMedia,
  type SdpSession,
} from './sdp-model.ts';

/** Which side opens the DTLS connection (RFC 4145 4). */
export type DtlsSetup = 'actpass' | 'active' | 'passive';

/** What the far end's description says of its one transport. */
export interface PeerTransport {
  readonly ufrag: string;
  readonly password: string;
  readonly setup: DtlsSetup;
  readonly fingerprints: readonly mediasoup.DtlsFingerprint[];
}

/** What our descriptions say of ours. */
export interface OwnTransport {
  readonly ice: mediasoup.IceParameters;
  readonly candidates: readonly mediasoup.IceCandidate[];
  readonly fingerprints: readonly mediasoup.DtlsFingerprint[];
  readonly setup: DtlsSetup;
}

const PROTOCOLS: ReadonlySet<string> = new Set([
  'UDP/TLS/RTP/SAVPF',
  'UDP/TLS/RTP/SAVP',
  // How RTCWeb wrote it before RFC 5764; meant is the same.
  'RTP/SAVPF',
]);
/** As strong as SHA-256, which all must know (RFC 8842 5.1); SHA-1 alone proves nothing any more. */
const HASHES: ReadonlySet<string> = new Set(['sha-256', 'sha-384', 'sha-512']);
const SETUPS: ReadonlySet<string> = new Set(['actpass', 'active', 'passive']);
const MAX_FINGERPRINTS = 8;

/** An m-line of DTLS-SRTP; one of port 0 too, which may be bundled (RFC 9143 7.2.1). */
export function isWebRtcMedia(session: SdpSession, media: SdpMedia): boolean {
  return PROTOCOLS.has(media.protocol) && attribute(session, media, 'fingerprint') !== undefined;
}

/** A description of a WebRTC endpoint: its first audio can be served by ICE and DTLS alone. */
export function isWebRtcOffer(session: SdpSession): boolean {
  const audio = session.media.find(({ type, port }) => type === 'audio' && port !== 0);

  return audio !== undefined && isWebRtcMedia(session, audio);
}

/** Port 0 without `a=bundle-only` refuses an m-line or gives it up (RFC 3264 5, RFC 9143 6). */
export function isRejected(media: SdpMedia): boolean {
  return media.port === 0 && findAttribute(media, 'bundle-only') === undefined;
}

/** The mids of the first BUNDLE group, in its order; empty without one. */
export function bundledMids(session: SdpSession): readonly string[] {
  const group = session.attributes.find(
    ({ name, value }) => name === 'group' && /^BUNDLE(?: |$)/.test(value ?? ''),
  );

  return group?.value?.split(' ').slice(1).filter(Boolean) ?? [];
}

export function midOf(media: SdpMedia): string | undefined {
  const mid = findAttribute(media, 'mid')?.value;

  return mid !== undefined && /^[\w!#$%&'*+.^`{|}~-]{1,32}$/.test(mid) ? mid : undefined;
}

/** The transport of an m-line: its own attributes, else those of the session. */
export function readTransport(session: SdpSession, media: SdpMedia): PeerTransport | SdpError {
  const ufrag = attribute(session, media, 'ice-ufrag')?.value;
  const password = attribute(session, media, 'ice-pwd')?.value;
  const fingerprints = readFingerprints(session, media);
  // "If a=setup is absent: active" (RFC 4145 4); an offerer of DTLS must write actpass (RFC 5763 5).
  const setup = attribute(session, media, 'setup')?.value ?? 'active';
  if (ufrag === undefined || !/^[\w+/=-]{4,256}$/.test(ufrag)) return new SdpError('no ice-ufrag');
  if (password === undefined || !/^[\w+/=-]{22,256}$/.test(password)) {
    return new SdpError('no ice-pwd');
  }
  if (fingerprints.length === 0) return new SdpError('no fingerprint of a hash in use');
  if (!SETUPS.has(setup)) return new SdpError(`a=setup:${setup.slice(0, 20)} is of no use`);
  if (isMismatch(session, media)) {
    return new SdpError('ICE mismatch: the default address is none of the candidates');
  }

  return { ufrag, password, setup: setup as DtlsSetup, fingerprints };
}

/** "A changed ufrag and pwd is an ICE restart" (RFC 8839 4.4.1.1.1). */
export function isIceRestart(before: PeerTransport, now: PeerTransport): boolean {
  return before.ufrag !== now.ufrag || before.password !== now.password;
}

/** Another certificate is another DTLS association (RFC 8842 4). */
export function isSamePeer(before: PeerTransport, now: PeerTransport): boolean {
  const known = new Set(before.fingerprints.map(fingerprintText));

  return now.fingerprints.some((each) => known.has(fingerprintText(each)));
}

/** What an answer says to the peer's `a=setup`: it opens the connection unless it cannot. */
export function answerSetup(theirs: DtlsSetup): DtlsSetup {
  return theirs === 'passive' ? 'active' : 'passive';
}

/** The peer's part in DTLS once both descriptions are there, as mediasoup wants to know it. */
export function peerDtls(peer: PeerTransport, ours: DtlsSetup): mediasoup.DtlsParameters {
  const isClient = peer.setup === 'active' || (peer.setup === 'actpass' && ours === 'passive');

  return { role: isClient ? 'client' : 'server', fingerprints: [...peer.fingerprints] };
}

/** `a=` lines of one of our m-lines; the default candidate is what `m=` and `c=` say. */
export function transportAttributes({
  ice,
  candidates,
  fingerprints,
  setup,
}: OwnTransport): SdpAttribute[] {
  const strong = fingerprints.filter(({ algorithm }) => algorithm === 'sha-256');

  return [
    { name: 'ice-ufrag', value: ice.usernameFragment },
    { name: 'ice-pwd', value: ice.password },
    ...strong.map((each) => ({ name: 'fingerprint', value: fingerprintText(each) })),
    { name: 'setup', value: setup },
    ...candidates.map((each) => ({ name: 'candidate', value: candidateText(each) })),
    { name: 'end-of-candidates' },
  ];
}

export function defaultCandidate({ candidates }: OwnTransport): { address: string; port: number } {
  const candidate = candidates.find(({ protocol }) => protocol === 'udp') ?? candidates[0];
  if (candidate === undefined) throw new TypeError('a transport without a candidate');

  return { address: candidate.address, port: candidate.port };
}

function candidateText(candidate: mediasoup.IceCandidate): string {
  const { foundation, protocol, priority, address, port, tcpType } = candidate;
  const tcp = tcpType === undefined ? '' : ` tcptype ${tcpType}`;

  return `${foundation} 1 ${protocol} ${priority} ${address} ${port} typ host${tcp}`;
}

function fingerprintText({ algorithm, value }: mediasoup.DtlsFingerprint): string {
  return `${algorithm} ${value.toUpperCase()}`;
}

function readFingerprints(session: SdpSession, media: SdpMedia): mediasoup.DtlsFingerprint[] {
  const section = findAttribute(media, 'fingerprint') === undefined ? session : media;
  const found = section.attributes.filter(({ name }) => name === 'fingerprint');

  return found.slice(0, MAX_FINGERPRINTS).flatMap(({ value }) => {
    const [hash = '', print = ''] = (value ?? '').trim().split(/ +/);
    const algorithm = hash.toLowerCase();
    const isValid = HASHES.has(algorithm) && /^[0-9a-f]{2}(?::[0-9a-f]{2}){31,63}$/i.test(print);
    if (!isValid) return [];

    return [{ algorithm: algorithm as mediasoup.FingerprintAlgorithm, value: print.toUpperCase() }];
  });
}

/**
 * "the agent MUST verify that the default destination … matches [a] candidate" (RFC 8839 4.2.5): if not,
 * something between us rewrote the one and not the other. Trickle ICE begins at port 9 of nowhere, and a
 * name in a candidate says nothing of its address.
 */
function isMismatch(session: SdpSession, media: SdpMedia): boolean {
  const candidates = media.attributes.filter(({ name }) => name === 'candidate');
  const address = effectiveConnection(session, media)?.address;
  const isOpen = media.port === 9 || media.port === 0 || address === '0.0.0.0' || address === '::';
  if (candidates.length === 0 || isOpen) return false;

  return !candidates.some(({ value }) => {
    const [, , , , host, port] = (value ?? '').split(' ');

    return host?.endsWith('.local') === true || (host === address && Number(port) === media.port);
  });
}

function attribute(session: SdpSession, media: SdpMedia, name: string): SdpAttribute | undefined {
  return findAttribute(media, name) ?? findAttribute(session, name);
}
