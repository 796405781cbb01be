import { expect, it } from '@jest/globals';
import { conferenceState, streamLabel } from '../../../../signaling/sip/focus/conference-roster.ts';
import { MemberCalls } from '../../../../signaling/sip/focus/index.ts';
import { Conference } from '../../../server/room-harness.ts';

it('4575-5.8.2: a stream has the label that its m-line has, one of its own in the conference', async () => {
  const conference = new Conference();
  const { member: ann } = await conference.enter('Ann');
  const { member: bob } = await conference.enter('Bob');
  const room = conference.rooms.get(ann.room.number)!;
  const { users } = conferenceState(room, new MemberCalls(conference.clock));
  const labels = [...users.values()].flatMap(({ endpoints }) =>
    endpoints.flatMap(({ media }) => media.map(({ label }) => label)),
  );

  expect(new Set(labels).size).toBe(4);
  expect(labels).toContain(streamLabel(ann.id, 'microphone'));
  expect(labels).toContain(streamLabel(bob.id, 'camera'));
  // A token (RFC 4574 4).
  for (const label of labels) expect(label).toMatch(/^[\w.-]+$/);
});
