import type { Participant } from '../signaling/websocket/protocol.ts';
import type { DeviceKind, LocalMedia } from './devices.ts';
import type { DeviceState, RoomState } from './room-store.ts';
import { isExpected } from './session.ts';
import type { SfuClient } from './sfu-client.ts';

export interface OwnDevicesOptions {
  media: LocalMedia;
  state: () => RoomState;
  sfu: () => SfuClient | undefined;
  onChange: (device: DeviceKind, state: DeviceState) => void;
  onError: (what: string, error: unknown) => void;
}

/**
 * One's own microphone and camera in a meeting. What the buttons show is what is wanted; one change
 * after the other makes it true.
 */
export class OwnDevices {
  readonly #options: OwnDevicesOptions;
  readonly #media: LocalMedia;
  readonly #unsubscribe: () => void;
  #switched: Promise<void> = Promise.resolve();
  #switching = 0;
  /** What is sent after the stream that is sent now. */
  #next: DeviceKind | undefined;

  constructor(options: OwnDevicesOptions) {
    this.#options = options;
    this.#media = options.media;
    this.#unsubscribe = this.#media.subscribe(() => {
      this.#onMediaChange();
    });
  }

  /** Sends what the preview opened; after an outage, what was sent before it. */
  async publish(isFirst: boolean): Promise<void> {
    await this.#media.whenOpened();
    const { microphone, camera } = this.#media.state;
    this.#next = microphone && camera && 'camera';
    for (const device of ['microphone', 'camera'] as const) {
      void this.#inTurn(`sending the ${device}`, () => {
        if (isFirst) this.#showOpened(device);

        return this.#switch(device);
      });
    }
  }

  /** A click asks for the other of what is shown; that shows at once and is made true in turn. */
  toggle(device: DeviceKind): Promise<void> {
    if (this.#sfu === undefined) return Promise.resolve();
    this.#setDevice(device, this.#state[device] === 'on' ? 'off' : 'on');

    return this.#inTurn(`switching the ${device}`, () => this.#switch(device));
  }

  /** Another microphone or camera, chosen during the meeting; choosing one also switches it on. */
  chooseDevice(device: DeviceKind, deviceId: string): Promise<void> {
    return this.#inTurn(`changing the ${device}`, async () => {
      const track = await this.#media.start(device, deviceId);
      if (track === undefined) return;
      if (this.#sfu?.isSending(device) === true) {
        await this.#sfu.replaceTrack(device, track);
      } else {
        this.#setDevice(device, 'on');
        await this.#switch(device);
      }
    });
  }

  /** Muted by the room: the same as our own button, which opens the microphone again. */
  onSelf(self: Participant | undefined): void {
    if (self?.id !== this.#state.selfId || self?.muted !== true) return;
    // While a click is under way, this is news of the click before it.
    if (this.#switching > 0 || this.#state.microphone !== 'on') return;
    this.#setDevice('microphone', 'off');
    this.#sfu?.silence('microphone');
  }

  close(): void {
    this.#unsubscribe();
  }

  #showOpened(device: DeviceKind): void {
    const { [device]: track, [`${device}Problem` as const]: problem } = this.#media.state;
    if (track !== undefined) this.#setDevice(device, 'on');
    else if (problem !== undefined) this.#setDevice(device, 'unavailable');
  }

  /** Makes true what is shown; who clicks fast gets what the last click asked for. */
  async #switch(device: DeviceKind): Promise<void> {
    const sfu = this.#sfu;
    const on = this.#state[device] === 'on';
    if (sfu === undefined) return;
    if (on && !sfu.isSending(device)) {
      await this.#publish(sfu, device);
    } else if (device === 'microphone') {
      await this.#setMuted(sfu, !on);
    } else if (!on) {
      // Off means off: the device is given back and its light goes out.
      this.#media.stop('camera');
      await sfu.unpublish('camera');
    }
  }

  async #setMuted(sfu: SfuClient, muted: boolean): Promise<void> {
    try {
      await sfu.setPaused('microphone', muted);
    } catch (error) {
      // Whether it is passed on nobody knows: it is off, as is shown, and the next click asks again.
      if (!isExpected(error)) {
        sfu.silence('microphone');
        this.#setDevice('microphone', 'off');
      }
      throw error;
    }
  }

  async #publish(sfu: SfuClient, device: DeviceKind): Promise<void> {
    const track = this.#media.state[device] ?? (await this.#media.start(device));
    if (track === undefined) {
      this.#setDevice(device, 'unavailable');

      return;
    }
    try {
      const next = this.#next === device ? undefined : this.#next;
      this.#next = undefined;
      await sfu.publish(device, track, next);
    } catch (error) {
      this.#setDevice(device, 'off');
      throw error;
    }
  }

  /** One change of our own devices after the other. */
  #inTurn(what: string, change: () => Promise<void>): Promise<void> {
    this.#switching += 1;
    this.#switched = this.#switched
      .then(change)
      .catch((error: unknown) => this.#options.onError(what, error))
      .finally(() => {
        this.#switching -= 1;
        this.#onMediaChange();
      });

    return this.#switched;
  }

  /** A device that went away by itself: unplugged, or not to be had when another was chosen. */
  #onMediaChange(): void {
    if (this.#switching > 0) return;
    for (const device of ['microphone', 'camera'] as const) {
      if (this.#media.state[device] !== undefined || this.#state[device] !== 'on') continue;
      this.#setDevice(device, 'unavailable');
      this.#sfu?.unpublish(device).catch((error: unknown) => {
        this.#options.onError(`stopping the ${device}`, error);
      });
    }
  }

  get #state(): RoomState {
    return this.#options.state();
  }

  get #sfu(): SfuClient | undefined {
    return this.#options.sfu();
  }

  #setDevice(device: DeviceKind, state: DeviceState): void {
    this.#options.onChange(device, state);
  }
}
