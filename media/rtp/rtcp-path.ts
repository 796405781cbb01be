/** Where the reports of one peer come from and go to, when RTP has ports of its own. */
import type { SourceLock } from './source-lock.ts';

export interface RtcpRemote {
  /** Of RTP. */
  address: string;
  rtcpPort: number;
  /** `a=rtcp` with an address (RFC 3605 2.1); without one it is that of RTP. */
  rtcpAddress?: string | undefined;
}

export class RtcpPath {
  readonly #lock: SourceLock;
  #remote: RtcpRemote | undefined;
  /** Where RTCP came from, and how often RTP had moved then: a NAT that binds anew does so for both. */
  #host = '';
  #port = 0;
  #moves = 0;

  constructor(lock: SourceLock) {
    this.#lock = lock;
  }

  setRemote(remote: RtcpRemote): void {
    const before = this.#remote;
    this.#remote = remote;
    if (
      before?.address !== remote.address ||
      before.rtcpPort !== remote.rtcpPort ||
      before.rtcpAddress !== remote.rtcpAddress
    ) {
      this.#port = 0;
    }
  }

  /** All of it, for another thread, where `thaw` goes on with it. */
  freeze() {
    return { remote: this.#remote, host: this.#host, port: this.#port, moves: this.#moves };
  }

  thaw(state: ReturnType<RtcpPath['freeze']>): void {
    ({ remote: this.#remote, host: this.#host, port: this.#port, moves: this.#moves } = state);
  }

  get address(): string {
    return this.#isKnown ? this.#host : (this.#remote?.rtcpAddress ?? this.#lock.address);
  }

  /** 0: nowhere. */
  get port(): number {
    return this.#isKnown ? this.#port : (this.#remote?.rtcpPort ?? 0);
  }

  /**
   * RTCP names no sequence that could be trusted, so it must come from the host that RTP comes from, or
   * from where the SDP wants it, and, once it has come from a port there, from that port or the SDP's.
   */
  accepts(address: string, port: number): boolean {
    const remote = this.#remote;
    if (remote === undefined) return false;
    if (address !== this.#lock.address && address !== remote.rtcpAddress) return false;
    const isSame = address === this.#host && port === this.#port;
    if (this.#isKnown && !isSame && port !== remote.rtcpPort) return false;
    this.#host = address;
    this.#port = port;
    this.#moves = this.#lock.moves;

    return true;
  }

  get #isKnown(): boolean {
    return this.#port !== 0 && this.#moves === this.#lock.moves;
  }
}
