/** The three values from which all others follow (RFC 3261 17.1.1.1, table 4). */
export interface TimerValues {
  /** Round-trip time estimate. */
  readonly t1: number;
  /** Longest interval between retransmissions of non-INVITE requests and INVITE responses. */
  readonly t2: number;
  /** How long a message stays in the network. */
  readonly t4: number;
}

export const DEFAULT_TIMER_VALUES: TimerValues = { t1: 500, t2: 4_000, t4: 5_000 };

/** RFC 3261 17.2.1: 100 "if the TU will not generate a … response within 200 ms". */
export const TRYING_MS = 200;

/** The timers of the transactions by their letters, in milliseconds. */
export class TransactionTimers {
  readonly values: TimerValues;

  constructor(values: Partial<TimerValues> = {}) {
    this.values = { ...DEFAULT_TIMER_VALUES, ...values };
  }

  /** 64*T1: the life of a transaction. */
  get transactionLife(): number {
    return 64 * this.values.t1;
  }

  /** First INVITE retransmission; doubles each time, with no cap. */
  get timerA(): number {
    return this.values.t1;
  }

  get timerB(): number {
    return this.transactionLife;
  }

  /** Wait for response retransmissions after a 300–699: as long as the server's Timer H. */
  timerD(reliable: boolean): number {
    return reliable ? 0 : this.transactionLife;
  }

  /** First non-INVITE retransmission; doubles each time up to T2. */
  get timerE(): number {
    return this.values.t1;
  }

  get timerF(): number {
    return this.transactionLife;
  }

  /** First retransmission of a 300–699 to INVITE; doubles each time up to T2. */
  get timerG(): number {
    return this.values.t1;
  }

  get timerH(): number {
    return this.transactionLife;
  }

  /** Wait for ACK retransmissions. */
  timerI(reliable: boolean): number {
    return reliable ? 0 : this.values.t4;
  }

  timerJ(reliable: boolean): number {
    return reliable ? 0 : this.transactionLife;
  }

  timerK(reliable: boolean): number {
    return reliable ? 0 : this.values.t4;
  }

  /** RFC 6026 8.11: wait for INVITE retransmissions after a 2xx. */
  get timerL(): number {
    return this.transactionLife;
  }

  /** RFC 6026 8.4: wait for further 2xx. */
  get timerM(): number {
    return this.transactionLife;
  }

  /** The next interval of a timer that doubles up to T2. */
  doubledUpToT2(interval: number): number {
    return Math.min(2 * interval, this.values.t2);
  }

  /**
   * RFC 4320 4.1: a non-INVITE request gets its 100 after "the amount of time it takes a client
   * transaction's Timer E to be reset to T2".
   */
  get nonInviteTrying(): number {
    let elapsed = 0;
    for (let interval = this.values.t1; interval < this.values.t2; interval *= 2) {
      elapsed += interval;
    }

    return elapsed;
  }
}
