/// <reference lib="dom" />
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceKind } from '../../web/devices.ts';
import { OwnDevices } from '../../web/own-devices.ts';
import { initialState, reduce, type RoomState } from '../../web/room-store.ts';
import { RequestError } from '../../web/session.ts';

/** Devices that can be opened, and a sender that notes what it is told. */
class FakeMachine {
  readonly media = {
    state: { microphone: {}, camera: {} } as Partial<Record<string, unknown>>,
    subscribe: () => () => undefined,
    whenOpened: () => Promise.resolve(),
    start: (kind: DeviceKind) => {
      if (!this.missing) this.media.state[kind] = {};

      return Promise.resolve(this.media.state[kind]);
    },
    stop: (kind: DeviceKind) => {
      this.media.state[kind] = undefined;
    },
  };
  readonly sending = new Map<DeviceKind, 'paused' | 'sending'>();
  readonly sfu = {
    isSending: (kind: DeviceKind) => this.sending.has(kind),
    publish: async (kind: DeviceKind) => {
      await Promise.resolve();
      this.sending.set(kind, 'sending');
    },
    setPaused: async (kind: DeviceKind, paused: boolean) => {
      await Promise.resolve();
      if (this.failing) throw new RequestError('TIMEOUT', 'the server did not answer');
      if (this.sending.has(kind)) this.sending.set(kind, paused ? 'paused' : 'sending');
    },
    unpublish: async (kind: DeviceKind) => {
      await Promise.resolve();
      this.sending.delete(kind);
    },
    silence: (kind: DeviceKind) => {
      this.sending.set(kind, 'paused');
    },
  };
  readonly errors: string[] = [];
  missing = false;
  failing = false;
  state: RoomState = { ...initialState('1000'), selfId: 'me' };

  readonly own = new OwnDevices({
    media: this.media as never,
    sfu: () => this.sfu as never,
    state: () => this.state,
    onChange: (device, state) =>
      (this.state = reduce(this.state, { type: 'device', device, state })),
    onError: (what) => this.errors.push(what),
  });

  async settled(): Promise<void> {
    for (let i = 0; i < 100; i++) await Promise.resolve();
  }
}

let machine: FakeMachine;

beforeEach(async () => {
  machine = new FakeMachine();
  await machine.own.publish(true);
  await machine.settled();
});

describe('own devices', () => {
  it('are sent as the preview opened them', () => {
    expect(machine.state).toMatchObject({ microphone: 'on', camera: 'on' });
    expect([...machine.sending]).toEqual([
      ['microphone', 'sending'],
      ['camera', 'sending'],
    ]);
  });

  it.each([1, 2, 3, 4, 5])('end up as the last of %i fast clicks asked for', async (clicks) => {
    for (let i = 0; i < clicks; i++) {
      void machine.own.toggle('microphone');
      void machine.own.toggle('camera');
      if (i % 2 === 1) await Promise.resolve();
    }
    await machine.settled();
    const on = clicks % 2 === 0;

    expect(machine.state).toMatchObject({
      microphone: on ? 'on' : 'off',
      camera: on ? 'on' : 'off',
    });
    expect(machine.sending.get('microphone')).toBe(on ? 'sending' : 'paused');
    expect(machine.sending.has('camera')).toBe(on);
    expect(machine.media.state['camera'] !== undefined).toBe(on);
    expect(machine.errors).toEqual([]);
  });

  it('show a mute by the room as off, and one click lifts it', async () => {
    machine.own.onSelf({ id: 'me', muted: true } as never);
    expect(machine.state.microphone).toBe('off');
    await machine.own.toggle('microphone');

    expect(machine.state.microphone).toBe('on');
    expect(machine.sending.get('microphone')).toBe('sending');
  });

  it.each([1, 2])('are off when nobody knows whether click %i came through', async (clicks) => {
    for (let i = 1; i < clicks; i++) await machine.own.toggle('microphone');
    machine.failing = true;
    await machine.own.toggle('microphone');
    expect(machine.errors).toEqual(['switching the microphone']);
    expect([machine.state.microphone, machine.sending.get('microphone')]).toEqual([
      'off',
      'paused',
    ]);
    machine.failing = false;
    await machine.own.toggle('microphone');
    expect([machine.state.microphone, machine.sending.get('microphone')]).toEqual([
      'on',
      'sending',
    ]);
  });

  it('take no notice of old news while a click is under way', async () => {
    void machine.own.toggle('microphone');
    void machine.own.toggle('microphone');
    machine.own.onSelf({ id: 'me', muted: true } as never);
    await machine.settled();

    expect(machine.state.microphone).toBe('on');
  });

  it('that cannot be opened are shown as such', async () => {
    await machine.own.toggle('camera');
    machine.missing = true;
    await machine.own.toggle('camera');

    expect(machine.state.camera).toBe('unavailable');
    expect(machine.sending.has('camera')).toBe(false);
  });

  it('switched off before an outage stay off after it', async () => {
    await machine.own.toggle('microphone');
    machine.sending.clear();
    await machine.own.publish(false);
    await machine.settled();

    expect([...machine.sending.keys()]).toEqual(['camera']);
  });
});
