/** A phone that was asked to call somebody else instead of us. */
export interface CallTransfer {
  uri: string;
  /** `unknown`: it hung up, or told nothing more, before it told how it ended. */
  state: 'asked' | 'trying' | 'ringing' | 'completed' | 'failed' | 'unknown';
  /** What the phone told last, or why it would not. */
  status?: number;
  /** ISO 8601. */
  startedAt: string;
  endedAt?: string;
}

/** Sends phones elsewhere; calls are named by their Call-ID. */
export interface CallTransfers {
  /** AppError BAD_REQUEST, and INVALID_STATE with the reason why that phone cannot be transferred. */
  start(callId: string, uri: string): CallTransfer;
  /** The last one of a call, also when it is over. */
  find(callId: string): CallTransfer | undefined;
}
