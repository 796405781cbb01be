import type { VNode } from 'preact';
import { hueOf, initials, type MemberView } from '../members.ts';
import { MicIcon, PhoneIcon } from './icons.tsx';
import { Video } from './video.tsx';

export interface TileProps {
  member: MemberView;
  /** One's own camera, or what arrives of somebody else's. */
  track: MediaStreamTrack | undefined;
}

export function Tile({ member, track }: TileProps): VNode {
  const { id, name, kind, isSelf, speaking, muted } = member;
  const letters = initials(name);

  return (
    <article
      class={`tile ${kind === 'phone' ? 'phone' : ''}`}
      data-testid="tile"
      data-participant-id={id}
      data-kind={kind}
      data-speaking={speaking}
      aria-label={isSelf ? `${name}, you` : name}
      style={{ '--hue': hueOf(id) }}
    >
      {track !== undefined ? (
        <Video track={track} mirrored={isSelf} />
      ) : (
        <span class="avatar" aria-hidden="true">
          {letters === '' ? <PhoneIcon /> : letters}
        </span>
      )}
      <footer class="tile-label">
        {kind === 'phone' && (
          <span class="mark" title="On the phone">
            <PhoneIcon />
          </span>
        )}
        <span class="tile-name">{isSelf ? `${name} (you)` : name}</span>
        {muted && (
          <span class="mark muted" title="Muted">
            <MicIcon off />
          </span>
        )}
      </footer>
    </article>
  );
}
