import { beforeEach, describe, expect, it } from '@jest/globals';
import { Conference, ROOM } from './room-harness.ts';

describe('the layout of a room', () => {
  let conference: Conference;

  beforeEach(() => {
    conference = new Conference();
  });

  const plan = (): { names: string[]; viewers: number } => {
    const { members, viewers } = conference.media.rooms[0]!.gridPlan;

    return { names: members.map(({ name }) => name), viewers: viewers.length };
  };

  it('everybody may be on the grid, in the order of joining; nobody sees it unasked', async () => {
    await conference.enter('Ann');
    await conference.enter('Bob', { kind: 'phone' });
    await conference.enter('Eve');
    expect(plan()).toEqual({ names: ['Ann', 'Bob', 'Eve'], viewers: 0 });
  });

  it('of the room holds for its phones, and for who comes later; browsers show all as they are', async () => {
    await conference.enter('Ann');
    await conference.enter('Bob', { kind: 'phone' });
    await conference.rooms.update(ROOM, { layout: 'grid' });
    expect(plan().viewers).toBe(1);
    await conference.enter('Eve', { kind: 'phone' });
    expect(plan().viewers).toBe(2);
    await conference.rooms.update(ROOM, { layout: 'speaker' });
    expect(plan().viewers).toBe(0);
  });

  it('of a phone outranks that of the room, in both directions', async () => {
    const { member } = await conference.enter('Bob', { kind: 'phone' });
    const { member: other } = await conference.enter('Eve', { kind: 'phone' });
    member.setLayout('grid');
    expect(plan().viewers).toBe(1);
    await conference.rooms.update(ROOM, { layout: 'grid' });
    other.setLayout('speaker');
    expect(conference.media.rooms[0]!.gridPlan.viewers).toEqual([member.phoneLeg.id]);
    other.setLayout(undefined);
    expect(plan().viewers).toBe(2);
  });

  it('who leaves is off the grid, and a new name is on it', async () => {
    const { member } = await conference.enter('Ann');
    const { member: bob } = await conference.enter('Bob', { kind: 'phone' });
    bob.setName('Robert');
    expect(plan().names).toEqual(['Ann', 'Robert']);
    await member.leave('left');
    expect(plan().names).toEqual(['Robert']);
  });

  it('of a room that the API made outlives the meeting', async () => {
    const { number } = await conference.rooms.create({ layout: 'grid' });
    expect(conference.store.rooms.get(number)).toMatchObject({ layout: 'grid' });
    await conference.rooms.update(number, { name: 'Other' });
    expect(conference.store.rooms.get(number)).toMatchObject({ layout: 'grid' });
  });
});
