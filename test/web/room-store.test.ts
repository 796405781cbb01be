/// <reference lib="dom" />
import { describe, expect, it } from '@jest/globals';
import type {
  JoinAnswer,
  Participant,
  RemoteProducer,
} from '../../signaling/websocket/protocol.ts';
import { chooseTiles, initials, members } from '../../web/members.ts';
import { initialState, reduce, type RoomAction, type RoomState } from '../../web/room-store.ts';

function participant(id: string, more: Partial<Participant> = {}): Participant {
  return {
    id,
    name: id.toUpperCase(),
    kind: 'browser',
    role: 'guest',
    state: 'joined',
    muted: false,
    speaking: false,
    handRaised: false,
    video: false,
    joinedAt: '2026-01-01T00:00:00.000Z',
    ...more,
  };
}

function producer(id: string, participantId: string, more: Partial<RemoteProducer> = {}) {
  const base: RemoteProducer = {
    id,
    participantId,
    kind: 'audio',
    source: 'microphone',
    paused: false,
  };

  return { ...base, ...more };
}

const camera = { kind: 'video', source: 'camera' } as const;
const track = (id: string): MediaStreamTrack => ({ id }) as MediaStreamTrack;

function snapshot(more: Partial<JoinAnswer> = {}): RoomAction {
  const answer: JoinAnswer = {
    participantId: 'me',
    sessionId: 's',
    resumeToken: 't',
    resumed: false,
    reconnectTimeout: 15_000,
    room: { number: '1000', name: 'Room 1000', locked: false },
    waiting: false,
    lobby: [],
    activeSpeaker: null,
    roster: [participant('me'), participant('ann')],
    producers: [producer('ann-mic', 'ann')],
    videoCodecs: [],
    chat: [],
    routerRtpCapabilities: {},
    ...more,
  };

  return { type: 'snapshot', answer };
}

function after(...actions: RoomAction[]): RoomState {
  return actions.reduce(reduce, initialState('1000'));
}

describe('the room as a page sees it', () => {
  it('is what the snapshot says', () => {
    const state = after(snapshot());

    expect(state).toMatchObject({ phase: 'joined', connection: 'connected', selfId: 'me' });
    expect([...state.participants.keys()]).toEqual(['me', 'ann']);
    expect([...state.producers.keys()]).toEqual(['ann-mic']);
  });

  it('lists people in the order in which they came', () => {
    const early = participant('zoe', { joinedAt: '2025-01-01T00:00:00.000Z' });
    const state = after(snapshot({ roster: [participant('me'), early] }));

    expect([...state.participants.keys()]).toEqual(['zoe', 'me']);
  });

  it('after an outage keeps the tracks that still have a sender, and no others', () => {
    const state = after(
      snapshot({ producers: [producer('a', 'ann'), producer('b', 'ann', camera)] }),
      { type: 'track-added', producerId: 'a', track: track('a') },
      { type: 'track-added', producerId: 'b', track: track('b') },
      { type: 'connection', state: 'reconnecting' },
      snapshot({ producers: [producer('a', 'ann')], resumed: true }),
    );

    expect([...state.tracks.keys()]).toEqual(['a']);
    expect(state.connection).toBe('connected');
  });

  it('takes news twice without harm', () => {
    const bob = participant('bob', { kind: 'phone' });
    const joined: RoomAction = { type: 'participant-joined', participant: bob };
    const left: RoomAction = { type: 'participant-left', participantId: 'bob', reason: 'left' };

    expect(after(snapshot(), joined, joined).participants.size).toBe(3);
    expect(after(snapshot(), joined, left, left).participants.size).toBe(2);
  });

  it('takes news of people and streams that it does not know', () => {
    const state = after(
      snapshot(),
      { type: 'speaking', participantId: 'x', speaking: true },
      { type: 'producer-removed', producerId: 'x', participantId: 'x' },
      { type: 'consumer-closed', consumerId: 'x' },
    );

    expect(state.participants.size).toBe(2);
  });

  it('loses the streams of somebody who leaves', () => {
    const state = after(
      snapshot({ activeSpeaker: 'ann' }),
      { type: 'track-added', producerId: 'ann-mic', track: track('ann-mic') },
      { type: 'participant-left', participantId: 'ann', reason: 'left' },
    );

    expect(state.producers.size).toBe(0);
    expect(state.tracks.size).toBe(0);
    expect(state.activeSpeaker).toBeUndefined();
  });

  it('is announced to those who cannot see it', () => {
    const phone = participant('bob', { kind: 'phone', name: 'Bob' });
    const joined: RoomAction = { type: 'participant-joined', participant: phone };

    expect(after(snapshot(), joined).announcement).toBe('Bob joined by phone.');
    expect(
      after(snapshot(), joined, { type: 'participant-left', participantId: 'bob', reason: 'left' })
        .announcement,
    ).toBe('Bob left.');
  });

  it('ends once: the first reason stays', () => {
    const state = after(
      snapshot(),
      { type: 'ended', reason: 'removed', message: 'removed by a host', retryable: false },
      { type: 'over', ended: { message: 'later', remedy: 'join' } },
    );

    expect(state.ended).toEqual({ message: 'Removed by a host.', remedy: 'none' });
  });
});

describe('members', () => {
  it('puts oneself first', () => {
    const state = after(snapshot({ roster: [participant('ann'), participant('me')] }));

    expect(members(state).map(({ id, isSelf }) => [id, isSelf])).toEqual([
      ['me', true],
      ['ann', false],
    ]);
  });

  it('shows a browser without an open microphone as muted', () => {
    const muted = (...actions: RoomAction[]) =>
      members(after(snapshot(), ...actions)).find(({ id }) => id === 'ann')?.muted;

    expect(muted()).toBe(false);
    expect(
      muted({ type: 'producer-updated', producer: producer('ann-mic', 'ann', { paused: true }) }),
    ).toBe(true);
    expect(muted({ type: 'producer-removed', producerId: 'ann-mic', participantId: 'ann' })).toBe(
      true,
    );
  });

  it('believes the server of a phone, whose stream may come only while it is wanted', () => {
    const phone = participant('tel', { kind: 'phone' });
    const state = after(snapshot({ roster: [participant('me'), phone], producers: [] }));

    expect(members(state)[1]).toMatchObject({ kind: 'phone', muted: false });
  });

  it('shows nobody as speaking who is muted', () => {
    const ann = participant('ann', { speaking: true, muted: true });
    const state = after(snapshot({ roster: [participant('me'), ann] }));

    expect(members(state)[1]).toMatchObject({ speaking: false, muted: true });
  });

  it('shows the picture of a camera until it is paused or gone', () => {
    const picture = (...actions: RoomAction[]) =>
      members(
        after(
          snapshot({ producers: [producer('cam', 'ann', camera)] }),
          { type: 'track-added', producerId: 'cam', track: track('cam') },
          ...actions,
        ),
      )[1]?.videoTrack?.id;

    expect(picture()).toBe('cam');
    expect(picture({ type: 'track-removed', producerId: 'cam' })).toBeUndefined();
    expect(
      picture({
        type: 'producer-updated',
        producer: producer('cam', 'ann', { ...camera, paused: true }),
      }),
    ).toBeUndefined();
  });
});

describe('chooseTiles', () => {
  const everybody = members(
    after(
      snapshot({
        roster: ['me', 'a', 'b', 'c', 'd'].map((id) => participant(id, { speaking: id === 'c' })),
        producers: ['b', 'c'].map((id) => producer(`${id}-mic`, id)),
      }),
    ),
  );

  it('shows everybody while there is room', () => {
    expect(chooseTiles(everybody, undefined, 5)).toHaveLength(5);
  });

  it('prefers oneself, the active speaker and those who speak, in their usual places', () => {
    expect(chooseTiles(everybody, 'd', 3).map(({ id }) => id)).toEqual(['me', 'c', 'd']);
  });
});

describe('initials', () => {
  it.each([
    ['Ada Lovelace', 'AL'],
    ['ada', 'A'],
    ['Anne-Marie van der Berg', 'AB'],
    ['Élodie Übel', 'ÉÜ'],
    ['+44 20 7946 0018', ''],
    ['', ''],
  ])('of %j are %j', (name, letters) => {
    expect(initials(name)).toBe(letters);
  });
});

describe('a room with a lobby', () => {
  it('is entered when a host lets us in', () => {
    const waiting = reduce(initialState('1000'), snapshot({ waiting: true, roster: [] }));
    expect(waiting.phase).toBe('waiting');
    expect(reduce(waiting, snapshot()).phase).toBe('joined');
  });

  it('shows a host who waits', () => {
    const state = reduce(initialState('1000'), snapshot({ lobby: [participant('bob')] }));
    const more = reduce(state, { type: 'lobby-joined', participant: participant('eve') });
    expect([...more.lobby.keys()]).toEqual(['bob', 'eve']);
    const fewer = reduce(more, { type: 'lobby-left', participantId: 'bob' });
    expect([...fewer.lobby.keys()]).toEqual(['eve']);
  });
});
