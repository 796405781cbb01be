import type { VNode } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { exposeMeeting } from '../debug.ts';
import { LocalMedia } from '../devices.ts';
import { Meeting } from '../meeting.ts';
import { parseRoute } from '../router.ts';
import { useSource } from '../use-source.ts';
import { Brand } from './brand.tsx';
import { EndedView } from './ended.tsx';
import { Landing } from './landing.tsx';
import { Preview } from './preview.tsx';
import { Stage } from './stage.tsx';
import { Waiting } from './waiting.tsx';

export function App(): VNode {
  const route = parseRoute(location.pathname);
  switch (route.page) {
    case 'landing':
      return <Landing />;
    case 'room':
      return <RoomPage room={route.room} />;
    case 'not-found':
      return (
        <main class="centered">
          <Brand />
          <h1>There is no such page</h1>
          <p class="quiet">A room’s address looks like /room/1234.</p>
          <a class="button primary" href="/">
            To the start page
          </a>
        </main>
      );
  }
}

/** First the preview, then the meeting; the devices last through both. */
function RoomPage({ room }: { room: string }): VNode {
  const [visit, setVisit] = useState(0);

  return <Visit key={visit} room={room} onAgain={() => setVisit(visit + 1)} />;
}

function Visit({ room, onAgain }: { room: string; onAgain: () => void }): VNode {
  const media = useMemo(() => new LocalMedia(), []);
  const [meeting, setMeeting] = useState<Meeting>();
  useEffect(() => {
    document.title = `Room ${room} · Parley`;

    return () => media.close();
  }, [media, room]);
  if (meeting !== undefined)
    return <MeetingPage meeting={meeting} media={media} onAgain={onAgain} />;

  return (
    <Preview
      room={room}
      media={media}
      onJoin={(name, pin) => {
        const started = new Meeting({ room, name, media, ...(pin !== '' && { pin }) });
        exposeMeeting(started);
        setMeeting(started);
      }}
    />
  );
}

function MeetingPage(props: { meeting: Meeting; media: LocalMedia; onAgain: () => void }): VNode {
  const { meeting, media, onAgain } = props;
  const state = useSource(meeting);
  useEffect(() => {
    if (state.phase === 'ended') media.close();
  }, [state.phase, media]);
  if (state.ended !== undefined) return <EndedView ended={state.ended} onAgain={onAgain} />;

  if (state.phase === 'waiting') return <Waiting onLeave={() => meeting.leave()} />;

  return <Stage meeting={meeting} media={media} />;
}
