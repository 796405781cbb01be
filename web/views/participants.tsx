import type { VNode } from 'preact';
import { hueOf, initials, type MemberView } from '../members.ts';
import { BrowserIcon, CloseIcon, MicIcon, PhoneIcon } from './icons.tsx';

export interface ParticipantsProps {
  members: readonly MemberView[];
  open: boolean;
  onClose: () => void;
}

export function Participants({ members, open, onClose }: ParticipantsProps): VNode {
  return (
    <aside
      id="participants"
      class={`panel ${open ? 'open' : ''}`}
      aria-label="Participants"
      hidden={!open}
    >
      <header class="panel-header">
        <h2>
          In the room <span class="count">{members.length}</span>
        </h2>
        <button type="button" class="plain" aria-label="Close the list" onClick={onClose}>
          <CloseIcon />
        </button>
      </header>
      <ul class="people" data-testid="participants">
        {members.map((member) => (
          <Row key={member.id} member={member} />
        ))}
      </ul>
    </aside>
  );
}

function Row({ member }: { member: MemberView }): VNode {
  const { id, name, kind, role, isSelf, speaking, muted } = member;
  const phone = kind === 'phone';

  return (
    <li
      class="person"
      data-testid="participant"
      data-participant-id={id}
      data-kind={kind}
      data-speaking={speaking}
      data-muted={muted}
      style={{ '--hue': hueOf(id) }}
    >
      <span class="avatar small" aria-hidden="true">
        {initials(name) || <PhoneIcon />}
      </span>
      <span class="person-text">
        <span class="person-name">{isSelf ? `${name} (you)` : name}</span>
        <span class="person-kind">
          {phone ? <PhoneIcon /> : <BrowserIcon />}
          {phone ? 'Phone' : 'Browser'}
          {role === 'host' && ' · Host'}
        </span>
      </span>
      <span class="person-marks">
        {speaking && (
          <span class="speaking-mark" title="Speaking">
            <i />
            <i />
            <i />
            <span class="visually-hidden">Speaking</span>
          </span>
        )}
        {muted && (
          <span class="mark muted" title="Muted">
            <MicIcon off />
            <span class="visually-hidden">Muted</span>
          </span>
        )}
      </span>
    </li>
  );
}
