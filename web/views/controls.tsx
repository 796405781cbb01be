import type { VNode } from 'preact';
import type { DeviceKind } from '../devices.ts';
import type { DeviceState } from '../room-store.ts';
import { CameraIcon, ChatIcon, LeaveIcon, MicIcon, PeopleIcon, SettingsIcon } from './icons.tsx';

/** What may stand beside the tiles. */
export type Panel = 'participants' | 'chat';

export interface ControlsProps {
  microphone: DeviceState;
  /** Also when the room muted us. */
  muted: boolean;
  camera: DeviceState;
  people: number;
  panel: Panel | undefined;
  /** Chat lines that nobody here has seen. */
  unread: number;
  settingsOpen: boolean;
  onToggle: (device: DeviceKind) => void;
  onPanel: (panel: Panel) => void;
  onSettings: () => void;
  onLeave: () => void;
}

export function Controls(props: ControlsProps): VNode {
  const { microphone, muted, camera, people, panel, settingsOpen } = props;

  return (
    <div class="controls" role="toolbar" aria-label="Call controls">
      <Toggle
        testId="toggle-mic"
        on={!muted}
        available={microphone !== 'unavailable'}
        label={muted ? 'Unmute' : 'Mute'}
        hint="M"
        icon={<MicIcon off={muted} />}
        onClick={() => props.onToggle('microphone')}
      />
      <Toggle
        testId="toggle-camera"
        on={camera === 'on'}
        available={camera !== 'unavailable'}
        label={camera === 'on' ? 'Stop video' : 'Start video'}
        hint="V"
        icon={<CameraIcon off={camera !== 'on'} />}
        onClick={() => props.onToggle('camera')}
      />
      <button
        type="button"
        class="control"
        data-testid="toggle-participants"
        aria-expanded={panel === 'participants'}
        aria-controls="participants"
        onClick={() => props.onPanel('participants')}
      >
        <span class="round">
          <PeopleIcon />
          {badge(people)}
        </span>
        <span class="control-label">People</span>
      </button>
      <ChatToggle
        open={panel === 'chat'}
        unread={props.unread}
        onClick={() => props.onPanel('chat')}
      />
      <SettingsToggle open={settingsOpen} onClick={props.onSettings} />
      <button type="button" class="control leave" data-testid="leave" onClick={props.onLeave}>
        <span class="round">
          <LeaveIcon />
        </span>
        <span class="control-label">Leave</span>
      </button>
    </div>
  );
}

function badge(people: number): VNode {
  return (
    <span class="badge" aria-hidden="true">
      {people}
    </span>
  );
}

function SettingsToggle({ open, onClick }: { open: boolean; onClick: () => void }): VNode {
  return (
    <button
      type="button"
      class="control"
      data-testid="toggle-settings"
      aria-expanded={open}
      onClick={onClick}
    >
      <span class="round">
        <SettingsIcon />
      </span>
      <span class="control-label">Devices</span>
    </button>
  );
}

function ChatToggle(props: { open: boolean; unread: number; onClick: () => void }): VNode {
  const { open, unread, onClick } = props;

  return (
    <button
      type="button"
      class="control"
      data-testid="toggle-chat"
      aria-expanded={open}
      aria-controls="chat"
      onClick={onClick}
    >
      <span class="round">
        <ChatIcon />
        {unread > 0 && (
          <span class="badge fresh">
            {unread > 99 ? '99+' : unread}
            <span class="visually-hidden"> unread</span>
          </span>
        )}
      </span>
      <span class="control-label">Chat</span>
    </button>
  );
}

interface ToggleProps {
  testId: string;
  on: boolean;
  available: boolean;
  label: string;
  hint: string;
  icon: VNode;
  onClick: () => void;
}

function Toggle({ testId, on, available, label, hint, icon, onClick }: ToggleProps): VNode {
  return (
    <button
      type="button"
      class={`control ${on ? '' : 'off'}`}
      data-testid={testId}
      aria-label={label}
      aria-keyshortcuts={hint}
      title={`${label} (${hint})`}
      onClick={onClick}
    >
      <span class="round">
        {icon}
        {!available && (
          <span class="badge warning" aria-hidden="true">
            !
          </span>
        )}
      </span>
      <span class="control-label">{label}</span>
    </button>
  );
}
