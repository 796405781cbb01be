/** The receiving end of one key: any number of SSRCs may use it (RFC 3711 3.3, RFC 4568 6.4). */
import { deriveStreamKeys, type StreamKeys } from './key-derivation.ts';
import { createPacketCipher, RTCP_HEADER, type PacketCipher } from './packet-cipher.ts';
import { read32, rtpHeaderLength } from './packet-header.ts';
import { ReplayWindow } from './replay-window.ts';
import type { SrtpKey } from './suites.ts';

/** A phone may begin a new stream at each change of the call; more than this is no phone. */
const MAX_STREAMS = 16;
const SEQUENCES = 0x1_0000;
const HALF = 0x8000;
const MAX_INDEX = 0x7fff_ffff;

export class SrtpReceiver {
  readonly #rtp: PacketCipher;
  readonly #rtcp: PacketCipher;
  readonly #mki: Uint8Array;
  readonly #tagLast: boolean;
  /** By SSRC; only authentic packets make one, the quietest goes first. */
  readonly #rtpWindows = new Map<number, ReplayWindow>();
  readonly #rtcpWindows = new Map<number, ReplayWindow>();

  constructor(key: SrtpKey, keys: StreamKeys = deriveStreamKeys(key)) {
    const { suite, rtp, rtcp } = keys;
    this.#rtp = createPacketCipher(suite, rtp, suite.rtpTagLength);
    this.#rtcp = createPacketCipher(suite, rtcp, suite.rtcpTagLength);
    this.#mki = key.mki ?? new Uint8Array(0);
    this.#tagLast = suite.kind === 'counter-mode';
  }

  /** What came already, for another thread: it must not be let in there once more. */
  freeze() {
    return { rtp: freezeWindows(this.#rtpWindows), rtcp: freezeWindows(this.#rtcpWindows) };
  }

  thaw(state: ReturnType<SrtpReceiver['freeze']>): void {
    thawWindows(this.#rtpWindows, state.rtp);
    thawWindows(this.#rtcpWindows, state.rtcp);
  }

  /** Decrypts in place and answers the new length; −1 for what is not authentic or came before. */
  openRtp(data: Uint8Array): number {
    const header = rtpHeaderLength(data, data.length);
    const length = this.#cutMki(data, this.#rtp.tagLength);
    if (header < 0 || length < 0) return -1;
    const ssrc = read32(data, 8);
    const window = this.#rtpWindows.get(ssrc);
    const index = guessIndex((data[2]! << 8) | data[3]!, window?.highest ?? -1);
    if (index < 0 || window?.isNew(index) === false) return -1;
    const opened = this.#rtp.openRtp(data, header, length, ssrc, index);
    if (opened >= 0) note(this.#rtpWindows, ssrc, window, index);

    return opened;
  }

  openRtcp(data: Uint8Array): number {
    const length = this.#cutMki(data, this.#rtcp.tagLength);
    const at = this.#rtcp.rtcpTrailerOffset(length);
    if (length < 0 || at < RTCP_HEADER) return -1;
    const ssrc = read32(data, 4);
    const trailer = read32(data, at);
    const index = trailer & MAX_INDEX;
    const window = this.#rtcpWindows.get(ssrc);
    if (window?.isNew(index) === false) return -1;
    const opened = this.#rtcp.openRtcp(data, length, ssrc, trailer);
    if (opened >= 0) note(this.#rtcpWindows, ssrc, window, index);

    return opened;
  }

  /**
   * Where a packet bears an MKI, it lies before the tag in counter mode and last with GCM, and is not
   * authenticated (RFC 3711 3.1, RFC 7714 8.2). Answers the length without it, −1: not our key's.
   */
  #cutMki(data: Uint8Array, tagLength: number): number {
    const size = this.#mki.length;
    if (size === 0) return data.length;
    const at = data.length - size - (this.#tagLast ? tagLength : 0);
    if (at < 0) return -1;
    for (let i = 0; i < size; i++) if (data[at + i] !== this.#mki[i]) return -1;
    if (this.#tagLast) data.copyWithin(at, at + size);

    return data.length - size;
  }
}

type FrozenWindows = (readonly [ssrc: number, window: ReturnType<ReplayWindow['freeze']>])[];

function freezeWindows(windows: ReadonlyMap<number, ReplayWindow>): FrozenWindows {
  return [...windows].map(([ssrc, window]) => [ssrc, window.freeze()] as const);
}

function thawWindows(windows: Map<number, ReplayWindow>, frozen: FrozenWindows): void {
  for (const [ssrc, state] of frozen) {
    const window = new ReplayWindow();
    window.thaw(state);
    windows.set(ssrc, window);
  }
}

function note(
  windows: Map<number, ReplayWindow>,
  ssrc: number,
  known: ReplayWindow | undefined,
  index: number,
): void {
  known?.add(index);
  if (known !== undefined) return;
  const window = new ReplayWindow();
  window.add(index);
  windows.set(ssrc, window);
  if (windows.size <= MAX_STREAMS) return;
  for (const oldest of windows.keys()) {
    windows.delete(oldest);
    break;
  }
}

/**
 * The index of a packet from its sequence number and the highest index so far: the nearest one
 * (RFC 3711 3.3.1). A stream begins with ROC 0.
 */
export function guessIndex(sequence: number, highest: number): number {
  if (highest < 0) return sequence;
  const last = highest % SEQUENCES;
  const base = highest - last;
  if (last < HALF && sequence - last > HALF) return base - SEQUENCES + sequence;
  if (last >= HALF && last - HALF > sequence) return base + SEQUENCES + sequence;

  return base + sequence;
}
