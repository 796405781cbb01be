import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../base/index.ts';
import { ChatHistory, MAX_CHAT_LENGTH } from '../../server/chat-history.ts';
import type { ParticipantId } from '../../base/index.ts';
import { Conference, ROOM } from './room-harness.ts';

describe('the chat of a room', () => {
  it('tells everybody, the author too, and keeps the lines for those who come later', async () => {
    const conference = new Conference();
    const ann = await conference.enter('Ann');
    const bob = await conference.enter('Bob');
    ann.member.say(' hello\r\nall\u0007 ');
    for (const { sink } of [ann, bob]) {
      expect(sink.events.at(-1)).toMatchObject({
        type: 'chat-message',
        message: { id: 1, participantId: ann.member.id, name: 'Ann', text: 'hello\nall' },
      });
    }
    expect(conference.rooms.get(ROOM)?.chat()).toHaveLength(1);
  });

  it('holds one who writes too fast, and lets nobody write who is out', async () => {
    const conference = new Conference();
    const { member } = await conference.enter('Ann');
    for (let i = 0; i < 10; i++) member.say('x');
    expect(() => member.say('x')).toThrow(AppError);
    conference.clock.advance(1000);
    member.say('x');
    await member.leave('left');
    expect(() => member.say('x')).toThrow('not in the room');
  });

  it('is bounded in lines and in their length, and says nothing without text', () => {
    const history = new ChatHistory();
    const line = { participantId: 'p' as ParticipantId, name: 'x', at: '' };
    expect(history.add({ ...line, text: ' \u0000 ' })).toBeUndefined();
    expect(history.add({ ...line, text: 'é'.repeat(3000) })?.text).toHaveLength(MAX_CHAT_LENGTH);
    for (let i = 0; i < 300; i++) history.add({ ...line, text: String(i) });
    expect(history.lines()).toHaveLength(200);
    expect(history.lines().at(-1)?.text).toBe('299');
  });

  it('ends with the meeting', async () => {
    const conference = new Conference();
    await conference.rooms.create({ number: ROOM });
    const { member } = await conference.enter('Ann');
    member.say('secret');
    await member.leave('left');
    await conference.enter('Bob');

    expect(conference.rooms.get(ROOM)?.chat()).toEqual([]);
  });
});
