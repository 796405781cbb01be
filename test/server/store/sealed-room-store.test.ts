import { beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger, type RoomNumber } from '../../../base/index.ts';
import { SecretBox } from '../../../server/accounts/index.ts';
import type { RoomSettings } from '../../../server/ports.ts';
import { SealedRoomStore } from '../../../server/store/index.ts';
import { MapStore } from '../account-harness.ts';

const NUMBER = '1000' as RoomNumber;
const ROOM: RoomSettings = {
  number: NUMBER,
  name: 'Board',
  createdAt: 0,
  hostPin: '4711',
  guestPin: '1234',
};

let inner: MapStore<RoomSettings>;

function store(key = 'k'.repeat(43)): SealedRoomStore {
  return new SealedRoomStore(inner, new SecretBox(key), silentLogger);
}

beforeEach(() => {
  inner = new MapStore<RoomSettings>(({ number }) => number);
});

describe('the PINs of stored rooms', () => {
  it('are nowhere in the store, and come back whole', async () => {
    await store().save(ROOM);
    const written = JSON.stringify([...inner.values.values()]);
    expect(written).not.toMatch(/4711|1234/);
    expect(written).toContain('Board');
    expect(await store().find(NUMBER)).toEqual(ROOM);
    expect(await store().list()).toEqual([ROOM]);
  });

  it('of an earlier version load, and are sealed then', async () => {
    await inner.save(ROOM);
    expect(await store().list()).toEqual([ROOM]);
    expect(JSON.stringify([...inner.values.values()])).not.toMatch(/4711|1234/);
    expect(await store().find(NUMBER)).toEqual(ROOM);
  });

  it('that cannot be read keep the room shut', async () => {
    await store().save(ROOM);
    const found = await store('x'.repeat(43)).find(NUMBER);
    expect(found?.guestPin).toMatch(/^.{16,}$/);
    expect(found?.guestPin).not.toContain('1234');
  });

  it('of one room do not open another', async () => {
    await store().save(ROOM);
    const [stolen] = [...inner.values.values()];
    await inner.save({ ...stolen!, number: '2000' as RoomNumber });
    const other = await store().find('2000' as RoomNumber);
    expect([other?.hostPin, other?.guestPin]).not.toContain('4711');
  });

  it('are not made where there are none, and go with their room', async () => {
    const plain: RoomSettings = { number: NUMBER, name: 'Open', createdAt: 0 };
    await store().save(plain);
    expect(inner.values.get(NUMBER)).toEqual(plain);
    await store().remove(NUMBER);
    expect(await store().list()).toEqual([]);
  });
});
