import { describe, expect, it } from '@jest/globals';
import { AppError, silentLogger } from '../../base/index.ts';
import type { ParticipantId, RoomNumber } from '../../base/index.ts';
import { DialOut } from '../../server/dial-out.ts';
import type { CallOriginator, DialTarget, OriginateRequest } from '../../server/ports.ts';
import { Books } from './account-harness.ts';

const ROOM = '1' as RoomNumber;

class FakeOriginator implements CallOriginator {
  readonly calls: OriginateRequest[] = [];
  failure: AppError | undefined;

  resolve(uri: string): Promise<DialTarget> {
    if (uri.startsWith('tel:')) {
      return Promise.resolve({ kind: 'trunk', trunk: 'a', number: uri.slice(4) });
    }

    return Promise.resolve(
      uri.startsWith('sip:') ? { kind: 'uri', uri } : { kind: 'account', username: uri },
    );
  }

  call(request: OriginateRequest): Promise<{ participantId: ParticipantId }> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.calls.push(request);

    return Promise.resolve({ participantId: `p${this.calls.length}` as ParticipantId });
  }
}

async function setUp() {
  const books = new Books();
  await books.trunks.create('a', { host: 'sip.example.net', maxCalls: 2 });
  const originator = new FakeOriginator();
  const outcomes: string[] = [];
  const dialOut = new DialOut({
    originator,
    trunks: books.trunks,
    limits: { perRoom: 3, perAccount: 1, trunkPerRoomAndHour: 2 },
    onOutcome: (kind, outcome) => outcomes.push(`${kind} ${outcome}`),
    clock: books.clock,
    logger: silentLogger,
  });
  const end = (index: number, status?: number): void => {
    const refused = status === undefined ? {} : { status };
    originator.calls[index]!.onProgress({ state: 'ended', reason: 'left', ...refused });
  };

  return { ...books, books, originator, dialOut, end, outcomes };
}

const limited = { code: 'RATE_LIMITED' };

describe('calls out', () => {
  it('are shown with their course', async () => {
    const { dialOut, originator, end, books } = await setUp();
    const call = await dialOut.start(ROOM, { uri: 'sip:x@y', name: 'X' });
    expect(call).toMatchObject({ state: 'calling', kind: 'uri', participantId: 'p1' });
    expect(originator.calls[0]).toMatchObject({ room: ROOM, name: 'X' });
    originator.calls[0]!.onProgress({ state: 'ringing', status: 180 });
    books.clock.advance(1000);
    originator.calls[0]!.onProgress({ state: 'answered' });
    end(0, 486);
    expect(dialOut.list(ROOM)).toEqual([
      expect.objectContaining({
        state: 'ended',
        answeredAt: '2026-01-01T00:00:01.000Z',
        reason: 'left',
        status: 486,
      }),
    ]);
    expect(dialOut.list('2' as RoomNumber)).toEqual([]);
  });

  it('show how it goes with the keys that were to be pressed', async () => {
    const { dialOut, originator } = await setUp();
    const call = await dialOut.start(ROOM, { uri: 'sip:x@y', digits: '12#' });
    expect(call.keys).toBeUndefined();
    for (const state of ['pressing', 'cut-off'] as const) {
      originator.calls[0]!.onKeys!({ form: 'events', state });
      expect(dialOut.list(ROOM)[0]!.keys).toEqual({ form: 'events', state });
    }
  });

  it('of one room are bounded; a call that ended makes room', async () => {
    const { dialOut, end } = await setUp();
    for (let i = 0; i < 3; i++) await dialOut.start(ROOM, { uri: 'sip:x@y' });
    await expect(dialOut.start(ROOM, { uri: 'sip:x@y' })).rejects.toMatchObject(limited);
    await dialOut.start('2' as RoomNumber, { uri: 'sip:x@y' });
    end(1);
    await dialOut.start(ROOM, { uri: 'sip:x@y' });
  });

  it('to one account are bounded over all rooms', async () => {
    const { dialOut, end } = await setUp();
    await dialOut.start(ROOM, { uri: 'bob' });
    await expect(dialOut.start('2' as RoomNumber, { uri: 'bob' })).rejects.toMatchObject(limited);
    await dialOut.start('2' as RoomNumber, { uri: 'carol' });
    end(0);
    await dialOut.start('2' as RoomNumber, { uri: 'bob' });
  });

  it('through trunks are bounded in an hour, and by the lines of the trunk', async () => {
    const { dialOut, end, books } = await setUp();
    for (let i = 0; i < 2; i++) {
      await dialOut.start(ROOM, { uri: 'tel:1' });
      end(i);
    }
    await expect(dialOut.start(ROOM, { uri: 'tel:1' })).rejects.toMatchObject(limited);
    books.clock.advance(3_600_001);
    await dialOut.start(ROOM, { uri: 'tel:1' });
    await dialOut.start('2' as RoomNumber, { uri: 'tel:1' });
    await expect(dialOut.start('3' as RoomNumber, { uri: 'tel:1' })).rejects.toMatchObject(limited);
    expect(books.trunks.show('a').calls).toBe(2);
  });

  it('outside are for hosts who have proved to be it; to accounts for every member', async () => {
    const { dialOut, originator, outcomes } = await setUp();
    const guest = { role: 'guest', isProven: true } as const;
    const first = { role: 'host', isProven: false } as const;
    for (const uri of ['tel:1', 'sip:x@y']) {
      await expect(dialOut.start(ROOM, { uri, by: guest })).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      await expect(dialOut.start(ROOM, { uri, by: first })).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
      });
    }
    expect(originator.calls).toEqual([]);
    await dialOut.start(ROOM, { uri: 'bob', by: guest });
    await dialOut.start(ROOM, { uri: 'tel:1', by: { role: 'host', isProven: true } });
    expect(outcomes).toEqual([
      ...['trunk forbidden', 'trunk forbidden', 'uri forbidden', 'uri forbidden'],
      ...['account started', 'trunk started'],
    ]);
  });

  it('are told of to who follows them, from where they are to their end', async () => {
    const { dialOut, originator, end } = await setUp();
    const { id } = await dialOut.start(ROOM, { uri: 'bob' });
    originator.calls[0]!.onProgress({ state: 'ringing', status: 183 });
    const told: unknown[] = [];
    dialOut.follow(id, (progress) => told.push(progress));
    dialOut.follow('another', (progress) => told.push(progress));
    end(0, 486);
    expect(told).toEqual([
      { state: 'ringing', status: 183 },
      { state: 'ended', reason: 'left', status: 486 },
    ]);
  });

  it('over a limit, refused and failed ones are counted', async () => {
    const { dialOut, originator, outcomes } = await setUp();
    await dialOut.start(ROOM, { uri: 'bob' });
    await expect(dialOut.start(ROOM, { uri: 'bob' })).rejects.toMatchObject(limited);
    originator.failure = new AppError('ROOM_FULL', 'full');
    await expect(dialOut.start(ROOM, { uri: 'carol' })).rejects.toThrow('full');
    expect(outcomes).toEqual(['account started', 'account limited', 'account failed']);
  });

  it('that cannot start give back what they took', async () => {
    const { dialOut, originator, books } = await setUp();
    originator.failure = new AppError('ROOM_FULL', 'full');
    for (let i = 0; i < 2; i++) {
      await expect(dialOut.start(ROOM, { uri: 'tel:1' })).rejects.toMatchObject({
        code: 'ROOM_FULL',
      });
    }
    expect(books.trunks.show('a').calls).toBe(0);
    expect(dialOut.list(ROOM)).toEqual([]);
  });
});
