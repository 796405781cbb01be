import type { VNode } from 'preact';
import { hueOf, initials, type MemberView } from '../members.ts';
import { BrowserIcon, CloseIcon, MicIcon, PhoneIcon } from './icons.tsx';

export interface ParticipantsProps {
  members: readonly MemberView[];
  /** Who waits to be let in; empty but for hosts. */
  lobby: readonly { id: string; name: string; kind: 'browser' | 'phone' }[];
  onAdmit: (id: string) => void;
  open: boolean;
  onClose: () => void;
}

export function Participants(props: ParticipantsProps): VNode {
  const { members, lobby, open, onAdmit, onClose } = props;

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
      {lobby.length > 0 && (
        <ul class="people waiting" aria-label="Waiting to be let in">
          {lobby.map(({ id, name, kind }) => (
            <li key={id} class="person" data-testid="waiting" data-participant-id={id}>
              <span class="person-text">
                <span class="person-name">{name}</span>
                <span class="person-kind">
                  {kind === 'phone' ? <PhoneIcon /> : <BrowserIcon />}
                  Waits to be let in
                </span>
              </span>
              <button
                type="button"
                class="button primary"
                data-testid="admit"
                onClick={() => onAdmit(id)}
              >
                Let in
              </button>
            </li>
          ))}
        </ul>
      )}
      <ul class="people" data-testid="participants">
        {members.map((member) => (
          <Row key={member.id} member={member} />
        ))}
      </ul>
    </aside>
  );
}

function Row({ member }: { member: MemberView }): VNode {
  const { id, name, kind, role, isSelf, speaking, muted, needsCodec } = member;
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
          {needsCodec !== undefined && (
            <span
              data-testid="needs-codec"
              title={`Everybody also sends ${needsCodec}: this phone shows nothing else`}
            >
              {` · ${needsCodec}`}
            </span>
          )}
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
