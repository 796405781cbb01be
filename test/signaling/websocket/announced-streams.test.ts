import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { ParticipantId } from '../../../base/index.ts';
import { ROOM } from '../../server/room-harness.ts';
import { SocketServer } from './socket-harness.ts';

let server: SocketServer;

beforeEach(async () => {
  server = await SocketServer.start();
});

afterEach(async () => {
  await server.close();
});

it('a page says which stream follows; that is over when it is there', async () => {
  const ann = await server.joined('Ann');
  const room = server.conference.rooms.require(ROOM);
  const announced = (): string[] => [
    ...room.participant(ann.answer.participantId as ParticipantId)!.announced,
  ];
  const stream = { transportId: 't', rtpParameters: { codecs: [] }, paused: false };
  await ann.page.request('produce', {
    ...stream,
    kind: 'audio',
    source: 'microphone',
    next: 'camera',
  });
  expect(announced()).toEqual(['camera']);
  await ann.page.request('produce', { ...stream, kind: 'video', source: 'camera' });
  expect(announced()).toEqual([]);
});
