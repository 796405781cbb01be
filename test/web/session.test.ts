import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { JoinAnswer } from '../../signaling/websocket/protocol.ts';
import { Session, type RequestError } from '../../web/session.ts';
import { ROOM } from '../server/room-harness.ts';
import { SocketServer } from '../signaling/websocket/socket-harness.ts';
import { waitUntil } from '../support/wait-until.ts';

/** The web app's session against the real gateway, with what it told its owner. */
class Visitor {
  readonly joins: JoinAnswer[] = [];
  readonly heard: string[] = [];
  interruptions = 0;
  refusal: RequestError | undefined;
  readonly session: Session;

  constructor(server: SocketServer, name: string) {
    this.session = new Session({
      room: '1000',
      name,
      url: server.url,
      events: {
        joined: (answer) => this.joins.push(answer),
        interrupted: () => this.interruptions++,
        refused: (error) => (this.refusal = error),
        notification: (notification) => this.heard.push(notification),
      },
    });
    this.session.open();
  }

  async hasJoined(times: number): Promise<JoinAnswer> {
    await waitUntil(`join ${times}`, () =>
      this.joins.length >= times ? undefined : `${this.joins.length}`,
    );

    return this.joins[times - 1]!;
  }
}

let server: SocketServer;
let visitors: Visitor[];

function visit(name: string): Visitor {
  const visitor = new Visitor(server, name);
  visitors.push(visitor);

  return visitor;
}

beforeEach(async () => {
  server = await SocketServer.start();
  visitors = [];
});

afterEach(async () => {
  for (const { session } of visitors) session.leave();
  await server.close();
});

describe('a session', () => {
  it('comes back by itself as the same participant', async () => {
    const ann = visit('Ann');
    const first = await ann.hasJoined(1);
    await server.cutWires();
    const second = await ann.hasJoined(2);

    expect(second).toMatchObject({ resumed: true, participantId: first.participantId });
    expect(ann.interruptions).toBe(1);
  });

  it('repeats what it was asked while it was away, once', async () => {
    const ann = visit('Ann');
    await ann.hasJoined(1);
    await server.cutWires();
    await waitUntil('noticing', () => (ann.interruptions > 0 ? undefined : 'connected'));
    await ann.session.request('set-name', { name: 'Anna' });

    expect(server.roster()).toEqual(['Anna']);
    expect(ann.joins).toHaveLength(2);
  });

  it('enters anew when its place is gone, and lets go of what concerned the old one', async () => {
    const ann = visit('Ann');
    const first = await ann.hasJoined(1);
    await server.cutWires();
    await waitUntil('noticing', () => (ann.interruptions > 0 ? undefined : 'connected'));
    const request = ann.session.request('pause-producer', { producerId: 'x' });
    await server.conference.clock.advanceAsync(15_000);

    await expect(request).rejects.toMatchObject({ code: 'SESSION_LOST' });
    expect(await ann.hasJoined(2)).toMatchObject({ resumed: false });
    expect(ann.joins[1]!.participantId).not.toBe(first.participantId);
  });

  it('is over when the room is, and does not come back', async () => {
    const ann = visit('Ann');
    await ann.hasJoined(1);
    await server.conference.rooms.delete(ROOM);
    await waitUntil('the end', () => (ann.heard.includes('ended') ? undefined : 'in the room'));

    await expect(ann.session.request('leave', {})).rejects.toMatchObject({ code: 'CLOSED' });
    expect(ann.interruptions).toBe(0);
  });

  it('says why it was not let in', async () => {
    await server.conference.rooms.create({ number: ROOM, guestPin: '1234' });
    const ann = visit('Ann');
    await waitUntil('the refusal', () => (ann.refusal === undefined ? 'nothing' : undefined));

    expect(ann.refusal?.code).toBe('FORBIDDEN');
  });

  it('leaves at once', async () => {
    const ann = visit('Ann');
    await ann.hasJoined(1);
    ann.session.leave();

    await server.settled(() => server.roster().length === 0);
  });

  it('passes a refused request on as an error with its code', async () => {
    const ann = visit('Ann');
    await ann.hasJoined(1);

    await expect(ann.session.request('pause-producer', { producerId: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
