import type { VNode } from 'preact';
import { Brand } from './brand.tsx';

/** In the lobby: a host has to say yes. */
export function Waiting({ onLeave }: { onLeave: () => void }): VNode {
  return (
    <main class="centered">
      <Brand />
      <div role="status">
        <h1 data-testid="waiting-for-host">A host will let you in</h1>
      </div>
      <p class="quiet">Nobody sees or hears you until then.</p>
      <div class="button-row">
        <button type="button" class="button" data-testid="leave" onClick={onLeave}>
          Leave
        </button>
      </div>
    </main>
  );
}
