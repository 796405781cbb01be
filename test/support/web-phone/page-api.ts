/** What the page of the test phones is told and tells. */
export interface WebPhoneSettings {
  library: 'jssip' | 'sip.js';
  /** ws://…/sip */
  server: string;
  uri: string;
  /** Hertz of the tone that it sends; 0: silence. */
  tone: number;
  /** CSS colour of the picture that it sends; without one it sends none. */
  colour?: string;
  /** Its picture in two sizes at once, told apart by rid (RFC 8853). */
  simulcast?: boolean;
}

export type PhoneEvent =
  | { type: 'connected' | 'established' }
  | { type: 'ended' | 'failed'; cause: string }
  | { type: 'reinvite' };

export interface PagePhoneOptions {
  settings: WebPhoneSettings;
  source: MediaStream;
  report: (event: PhoneEvent) => void;
}

/** One library's phone. */
export interface PagePhone {
  start(): Promise<void>;
  call(target: string): void;
  hangUp(): void;
  hold(held: boolean): void;
  sendKey(key: string): void;
  restartIce(): void;
  stop(): Promise<void>;
}
