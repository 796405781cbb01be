import { setImmediate as settled } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../base/index.ts';
import { CdrBook, type Cdr, type CdrStore } from '../../../server/cdrs/index.ts';
import { Conference } from '../room-harness.ts';

class Store implements CdrStore {
  readonly kept: Cdr[] = [];
  isAway = false;

  add(record: Cdr): Promise<void> {
    if (this.isAway) return Promise.reject(new Error('away'));
    this.kept.push(record);

    return Promise.resolve();
  }

  find(): Promise<Cdr[]> {
    return Promise.resolve(this.kept);
  }
}

function setUp() {
  const conference = new Conference();
  const store = new Store();
  const heard: Cdr[] = [];
  const book = new CdrBook({
    store,
    clock: conference.clock,
    logger: silentLogger,
    onRecord: (record) => heard.push(record),
  });
  book.watch(conference.rooms);

  return { conference, store, heard, book };
}

describe('records of calls', () => {
  it('say who was where, how long, why it ended and how a phone sounded', async () => {
    const { conference, store, heard } = setUp();
    const { member } = await conference.enter('Ann', { kind: 'phone', address: 'sip:ann@x' });
    conference.clock.advance(12_500);
    await member.leave('left');
    await settled();
    expect(store.kept).toHaveLength(1);
    expect(store.kept[0]).toMatchObject({
      id: member.id,
      room: member.room.number,
      kind: 'phone',
      name: 'Ann',
      address: 'sip:ann@x',
      duration: 12.5,
      reason: 'left',
      codec: 'PCMU',
      loss: 0,
    });
    expect(heard).toEqual(store.kept);
  });

  it('have no figures for browsers', async () => {
    const { conference, store } = setUp();
    const { member } = await conference.enter('Bob');
    await member.leave('kicked');
    await settled();
    expect(store.kept[0]).toMatchObject({ kind: 'browser', reason: 'kicked' });
    expect(store.kept[0]).not.toHaveProperty('mos');
  });

  it('wait for a store that is away', async () => {
    const { conference, store, book } = setUp();
    store.isAway = true;
    const { member } = await conference.enter('Ann', { kind: 'phone' });
    await member.leave('left');
    await settled();
    expect(store.kept).toEqual([]);
    store.isAway = false;
    await book.flush();
    expect(store.kept).toHaveLength(1);
  });
});
