import type { VNode } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { DeviceKind, LocalMedia } from '../devices.ts';
import type { Meeting } from '../meeting.ts';
import { members as membersOf } from '../members.ts';
import type { ConnectionState, RoomState } from '../room-store.ts';
import { useSource } from '../use-source.ts';
import { Chat } from './chat.tsx';
import { Controls, type Panel } from './controls.tsx';
import { DeviceSelects } from './device-selects.tsx';
import { CloseIcon, LinkIcon } from './icons.tsx';
import { Participants } from './participants.tsx';
import { RemoteAudio } from './remote-audio.tsx';
import { TileGrid } from './tile-grid.tsx';

/** Wide enough for the list beside the tiles. */
const WIDE = '(min-width: 900px)';

export function Stage({ meeting, media }: { meeting: Meeting; media: LocalMedia }): VNode {
  const state = useSource(meeting);
  const local = useSource(media);
  const [panel, setPanel] = useState<Panel | undefined>(() =>
    matchMedia(WIDE).matches ? 'participants' : undefined,
  );
  const [settingsOpen, setSettingsOpen] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const toggle = useCallback((device: DeviceKind) => void meeting.own.toggle(device), [meeting]);
  const onBlocked = useCallback((blocked: boolean) => meeting.setAudioBlocked(blocked), [meeting]);
  const close = useCallback(() => setPanel(undefined), []);
  useShortcuts(toggle);
  const members = membersOf(state);
  const unread = useUnread(state, panel === 'chat');
  const self = members.find((member) => member.isSelf);

  return (
    <div class="stage">
      <Header state={state} />
      <Notices state={state} meeting={meeting} onSound={() => setAttempt(attempt + 1)} />
      <main class="stage-main">
        <TileGrid
          meeting={meeting}
          members={members}
          activeSpeaker={state.activeSpeaker}
          ownCamera={state.camera === 'on' ? local.camera : undefined}
        />
        <Participants
          members={members}
          lobby={[...state.lobby.values()]}
          open={panel === 'participants'}
          onAdmit={(id) => void meeting.admit(id)}
          onClose={close}
        />
        <ChatPanel meeting={meeting} state={state} open={panel === 'chat'} onClose={close} />
      </main>
      {settingsOpen && <Settings meeting={meeting} media={media} />}
      <Controls
        microphone={state.microphone}
        muted={self?.muted ?? state.microphone !== 'on'}
        camera={state.camera}
        people={members.length}
        panel={panel}
        unread={unread}
        settingsOpen={settingsOpen}
        onToggle={toggle}
        onPanel={(wanted) => setPanel(panel === wanted ? undefined : wanted)}
        onSettings={() => setSettingsOpen(!settingsOpen)}
        onLeave={() => meeting.leave()}
      />
      <RemoteAudio
        tracks={state.tracks}
        speakerId={local.speakerId}
        attempt={attempt}
        onBlocked={onBlocked}
      />
      <Announcement text={state.announcement} />
    </div>
  );
}

function Announcement({ text }: { text: string }): VNode {
  return (
    <div class="visually-hidden" aria-live="polite">
      {text}
    </div>
  );
}

function ChatPanel(props: {
  meeting: Meeting;
  state: RoomState;
  open: boolean;
  onClose: () => void;
}): VNode {
  const { meeting, state, open, onClose } = props;
  const onSay = useCallback((text: string) => meeting.say(text), [meeting]);

  return (
    <Chat lines={state.chat} selfId={state.selfId} open={open} onSay={onSay} onClose={onClose} />
  );
}

function Settings({ meeting, media }: { meeting: Meeting; media: LocalMedia }): VNode {
  const local = useSource(media);

  return (
    <section class="settings" aria-label="Devices">
      <DeviceSelects
        state={local}
        onDevice={(kind, id) => void meeting.own.chooseDevice(kind, id)}
        onSpeaker={(id) => media.chooseSpeaker(id)}
      />
    </section>
  );
}

const CONNECTION_TEXT: Record<ConnectionState, string> = {
  connecting: 'Connecting …',
  connected: 'Connected',
  reconnecting: 'Reconnecting …',
};

function Header({ state }: { state: RoomState }): VNode {
  const [copied, setCopied] = useState(false);
  const { number, name, locked } = state.room;

  return (
    <header class="stage-header">
      <div class="room-title">
        <h1>{name}</h1>
        <code class="sip-address" title="Dial in from a SIP phone">
          sip:{number}@{location.hostname}
        </code>
        {locked && (
          <span class="quiet" role="status" data-testid="room-locked">
            Locked
          </span>
        )}
      </div>
      <div class="stage-header-end">
        <button
          type="button"
          class="button small"
          onClick={() => {
            // Missing where the page came over plain HTTP.
            const clipboard = navigator.clipboard as Clipboard | undefined;
            void clipboard?.writeText(`${location.origin}/room/${number}`).then(() => {
              setCopied(true);
            });
          }}
        >
          <LinkIcon />
          <span class="wide-only">{copied ? 'Link copied' : 'Copy link'}</span>
        </button>
        <span
          class="connection"
          data-testid="connection-state"
          data-state={state.connection}
          role="status"
        >
          {CONNECTION_TEXT[state.connection]}
        </span>
      </div>
    </header>
  );
}

function Notices(props: { state: RoomState; meeting: Meeting; onSound: () => void }): VNode {
  const { state, meeting, onSound } = props;

  return (
    <div class="notices" role="status">
      {state.audioBlocked && (
        <button type="button" class="notice action" data-testid="enable-sound" onClick={onSound}>
          Click to hear the others
        </button>
      )}
      {state.notice !== undefined && (
        <p class="notice">
          {state.notice}
          <button
            type="button"
            class="plain"
            aria-label="Dismiss"
            onClick={() => meeting.dismissNotice()}
          >
            <CloseIcon />
          </button>
        </p>
      )}
      {state.phase === 'joined' && state.microphone === 'unavailable' && (
        <p class="notice quiet">You are listening only: no microphone is in use.</p>
      )}
    </div>
  );
}

/** Lines of others that came while the chat was closed. */
function useUnread({ chat, selfId }: RoomState, isOpen: boolean): number {
  const [readUpTo, setReadUpTo] = useState(0);
  const last = chat.at(-1)?.id ?? 0;
  useEffect(() => {
    if (isOpen) setReadUpTo(last);
  }, [isOpen, last]);

  return isOpen
    ? 0
    : chat.filter((line) => line.id > readUpTo && line.participantId !== selfId).length;
}

/** M and V, as long as nobody is typing. */
function useShortcuts(toggle: (device: DeviceKind) => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const typing =
        event.target instanceof Element && event.target.closest('input, select, textarea');
      if (typing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
      const key = event.key.toLowerCase();
      if (key === 'm') toggle('microphone');
      if (key === 'v') toggle('camera');
    };
    document.addEventListener('keydown', onKeyDown);

    return () => document.removeEventListener('keydown', onKeyDown);
  }, [toggle]);
}
