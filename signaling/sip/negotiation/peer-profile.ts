/** What a peer can do with more than one stream, from what it says of itself. Pure; quirks are data. */

export interface PeerProfile {
  /** Several audio streams play at once; without it the room comes as one mix. */
  readonly severalAudios: boolean;
  /** M-lines may be added to the call after its start. */
  readonly takesNewStreams: boolean;
}

export interface PeerTraits {
  readonly userAgent: string | undefined;
  /** a=group:BUNDLE with mids, as WebRTC endpoints offer it (RFC 9143). */
  readonly bundles: boolean;
  /** a=msid in its own streams (RFC 8830): it knows tracks and their streams. */
  readonly names: boolean;
}

/** What a User-Agent header tells beyond the SDP, the first match counts. */
const QUIRKS: readonly { readonly agent: RegExp; readonly profile: Partial<PeerProfile> }[] = [
  // One stream of each kind in a call, whatever is offered; they bundle and name streams all the same.
  { agent: /^baresip/i, profile: { severalAudios: false, takesNewStreams: false } },
  { agent: /linphone/i, profile: { severalAudios: false, takesNewStreams: false } },
];

export function peerProfile({ userAgent, bundles, names }: PeerTraits): PeerProfile {
  const quirk = QUIRKS.find(({ agent }) => userAgent !== undefined && agent.test(userAgent));
  const isWebRtc = bundles && names;

  return { severalAudios: isWebRtc, takesNewStreams: isWebRtc, ...quirk?.profile };
}
