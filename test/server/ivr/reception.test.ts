import { describe, expect, it } from '@jest/globals';
import { AppError, silentLogger, type RoomNumber } from '../../../base/index.ts';
import type { CloseReason } from '../../../server/close-reason.ts';
import { Reception } from '../../../server/ivr/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakePhoneLeg } from '../../support/fake-media-engine.ts';
import { FakeVoice } from '../../support/fake-voice.ts';
import { microtasks } from '../../support/microtasks.ts';

class Caller {
  readonly clock = new FakeClock();
  readonly leg = new FakePhoneLeg(undefined, 41_000);
  readonly voice = new FakeVoice();
  readonly ends: CloseReason[] = [];
  readonly tries: string[] = [];
  /** What the door says to each try; nothing: it opens. */
  readonly answers: (AppError | undefined)[] = [];
  readonly reception: Reception;

  constructor(room?: string) {
    this.reception = new Reception({
      leg: this.leg,
      voice: this.voice,
      clock: this.clock,
      logger: silentLogger,
      ...(room !== undefined && { room: room as RoomNumber }),
      languageOf: (number) => (number === '200' ? 'fr' : undefined),
      enter: async (number, pin) => {
        this.tries.push(`${number}*${pin ?? ''}`);
        const answer = this.answers.shift();
        await microtasks();
        if (answer !== undefined) throw answer;
      },
      end: (reason) => this.ends.push(reason),
    });
    this.reception.start();
  }

  async press(keys: string): Promise<void> {
    for (const key of keys) this.leg.events.emit('dtmf', key, 100);
    await microtasks();
    await microtasks();
  }

  said(): string[] {
    return this.leg.played.map(({ sounds }) => this.voice.words(sounds));
  }
}

describe('the reception', () => {
  it('asks for the room, lets in, and leaves the leg alone from then on', async () => {
    const caller = new Caller();
    await caller.press('100#');

    expect(caller.said()).toEqual(['ask-room']);
    expect(caller.tries).toEqual(['100*']);
    expect(caller.leg.events.listenerCount('dtmf')).toBe(0);
    expect(caller.clock.pendingTimers).toBe(0);
  });

  it('asks for the PIN in the language of the room, three times, then ends the call', async () => {
    const caller = new Caller('200');
    const wrong = new AppError('FORBIDDEN', 'the room asks for a PIN');
    caller.answers.push(wrong, wrong, wrong);
    await caller.press('1#');
    await caller.press('2#');
    await caller.press('3#');
    caller.leg.played.at(-1)?.finish(true);
    await microtasks();

    expect(caller.said()).toEqual([
      'fr:ask-pin',
      'fr:bad-pin fr:ask-pin',
      'fr:bad-pin fr:ask-pin',
      'fr:bad-pin fr:goodbye',
    ]);
    expect(caller.ends).toEqual(['pin-refused']);
    expect(caller.clock.pendingTimers).toBe(0);
  });

  it('waits ten seconds for the first key from the end of the question on', async () => {
    const caller = new Caller();
    caller.clock.advance(20_000);
    expect(caller.said()).toHaveLength(1);
    caller.leg.played[0]?.finish(true);
    await microtasks();
    caller.clock.advance(9999);
    expect(caller.said()).toHaveLength(1);
    caller.clock.advance(1);
    expect(caller.said()).toHaveLength(2);
  });

  it('holds no line for ever: the dialogue as a whole has a limit', async () => {
    const caller = new Caller();
    for (let i = 0; i < 70; i++) {
      await caller.press('*');
      caller.clock.advance(3000);
    }

    expect(caller.ends).toEqual(['not-dialled']);
    expect(caller.clock.pendingTimers).toBe(0);
  });

  it('ends with its leg, and with media that no longer comes', () => {
    const lost = new Caller();
    lost.leg.events.emit('timeout');
    expect(lost.ends).toEqual(['media-timeout']);
    const closed = new Caller();
    closed.leg.events.emit('closed');
    expect(closed.ends).toEqual(['media-failed']);
    expect(closed.clock.pendingTimers).toBe(0);
  });

  it('of a call that hung up does nothing any more', async () => {
    const caller = new Caller();
    caller.reception.close();
    await caller.press('100#');

    expect(caller.tries).toEqual([]);
    expect(caller.ends).toEqual([]);
    expect(caller.clock.pendingTimers).toBe(0);
  });
});
