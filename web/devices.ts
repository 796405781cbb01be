export type DeviceKind = 'microphone' | 'camera';

export interface DeviceChoice {
  id: string;
  label: string;
}

export interface DeviceLists {
  microphones: DeviceChoice[];
  cameras: DeviceChoice[];
  speakers: DeviceChoice[];
}

/** One's own devices as the views show them. */
export interface LocalMediaState {
  microphone: MediaStreamTrack | undefined;
  camera: MediaStreamTrack | undefined;
  /** In words, where a device could not be opened. */
  microphoneProblem: string | undefined;
  cameraProblem: string | undefined;
  lists: DeviceLists;
  speakerId: string;
  /** Devices are being opened; the browser may be asking for permission. */
  opening: boolean;
}

const NOTHING: LocalMediaState = {
  microphone: undefined,
  camera: undefined,
  microphoneProblem: undefined,
  cameraProblem: undefined,
  lists: { microphones: [], cameras: [], speakers: [] },
  speakerId: '',
  opening: false,
};

const CONSTRAINTS: Record<DeviceKind, MediaTrackConstraints> = {
  microphone: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  camera: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
};

/** Why a device cannot be used, for the one who sits in front of it. */
export function explainMediaError(kind: DeviceKind, name: string): string {
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return `The browser does not let this page use the ${kind}. Allow it at the address bar, then try again.`;
    case 'NotFoundError':
    case 'OverconstrainedError':
      return `No ${kind} was found.`;
    case 'NotReadableError':
    case 'AbortError':
      return `The ${kind} is busy: another program may be using it.`;
    case 'InsecureContext':
      return `Browsers allow the ${kind} only on secure pages (https://) and on localhost.`;
    default:
      return `The ${kind} could not be started (${name}).`;
  }
}

/** The microphone and the camera of this machine: opened, chosen, switched off. */
export class LocalMedia {
  readonly #listeners = new Set<() => void>();
  #state = NOTHING;
  #opened: Promise<void> = Promise.resolve();
  #closed = false;

  constructor() {
    this.#mediaDevices?.addEventListener('devicechange', this.#onDeviceChange);
  }

  get state(): LocalMediaState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);

    return () => this.#listeners.delete(listener);
  }

  /** Asks for both at once, so that there is one question; then for each, so that one may fail. */
  open(): Promise<void> {
    this.#opened = this.#open();

    return this.#opened;
  }

  /** Resolves when the user has answered the browser's questions. */
  whenOpened(): Promise<void> {
    return this.#opened;
  }

  async #open(): Promise<void> {
    this.#set({ opening: true });
    try {
      const stream = await this.#getUserMedia({
        audio: CONSTRAINTS.microphone,
        video: CONSTRAINTS.camera,
      });
      this.#take('microphone', stream.getAudioTracks()[0]);
      this.#take('camera', stream.getVideoTracks()[0]);
    } catch {
      await this.start('microphone');
      await this.start('camera');
    }
    await this.#list();
    this.#set({ opening: false });
  }

  /** Opens a device, or another one in its place. */
  async start(kind: DeviceKind, deviceId?: string): Promise<MediaStreamTrack | undefined> {
    const constraints = {
      ...CONSTRAINTS[kind],
      ...(deviceId !== undefined && { deviceId: { exact: deviceId } }),
    };
    // Some systems do not open a second device while the first is in use.
    this.#state[kind]?.stop();
    try {
      const stream = await this.#getUserMedia(
        kind === 'microphone' ? { audio: constraints } : { video: constraints },
      );
      this.#take(kind, stream.getTracks()[0]);
    } catch (error) {
      this.#give(kind, undefined);
      this.#explain(kind, explainMediaError(kind, errorName(error)));
    }
    await this.#list();

    return this.#state[kind];
  }

  stop(kind: DeviceKind): void {
    this.#state[kind]?.stop();
    this.#give(kind, undefined);
    this.#explain(kind, undefined);
  }

  chooseSpeaker(speakerId: string): void {
    this.#set({ speakerId });
  }

  close(): void {
    this.#closed = true;
    this.#mediaDevices?.removeEventListener('devicechange', this.#onDeviceChange);
    this.#state.microphone?.stop();
    this.#state.camera?.stop();
    this.#listeners.clear();
  }

  /** Missing where the page came over plain HTTP, whatever the types say. */
  get #mediaDevices(): MediaDevices | undefined {
    return navigator.mediaDevices;
  }

  readonly #onDeviceChange = (): void => {
    void this.#list();
  };

  async #getUserMedia(constraints: MediaStreamConstraints): Promise<MediaStream> {
    if (this.#mediaDevices === undefined)
      throw new DOMException('no secure page', 'InsecureContext');
    const stream = await this.#mediaDevices.getUserMedia(constraints);
    if (this.#closed) {
      for (const track of stream.getTracks()) track.stop();
      throw new DOMException('not wanted any more', 'AbortError');
    }

    return stream;
  }

  #take(kind: DeviceKind, track: MediaStreamTrack | undefined): void {
    track?.addEventListener('ended', () => {
      if (this.#state[kind] !== track) return;
      this.#give(kind, undefined);
      this.#explain(kind, `The ${kind} was unplugged or switched off.`);
    });
    this.#give(kind, track);
    this.#explain(kind, undefined);
  }

  #give(kind: DeviceKind, track: MediaStreamTrack | undefined): void {
    this.#set(kind === 'microphone' ? { microphone: track } : { camera: track });
  }

  #explain(kind: DeviceKind, problem: string | undefined): void {
    this.#set(kind === 'microphone' ? { microphoneProblem: problem } : { cameraProblem: problem });
  }

  async #list(): Promise<void> {
    if (this.#mediaDevices === undefined) return;
    const devices = await this.#mediaDevices.enumerateDevices();
    const choices = (kind: MediaDeviceKind, noun: string): DeviceChoice[] =>
      devices
        .filter((device) => device.kind === kind && device.deviceId !== '')
        .map(({ deviceId, label }, index) => ({
          id: deviceId,
          label: label === '' ? `${noun} ${index + 1}` : label,
        }));
    this.#set({
      lists: {
        microphones: choices('audioinput', 'Microphone'),
        cameras: choices('videoinput', 'Camera'),
        speakers: choices('audiooutput', 'Speaker'),
      },
    });
  }

  #set(change: Partial<LocalMediaState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

function errorName(error: unknown): string {
  return error instanceof DOMException || error instanceof Error ? error.name : 'unknown error';
}
