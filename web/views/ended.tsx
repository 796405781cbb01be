import type { VNode } from 'preact';
import type { Ended } from '../room-store.ts';
import { Brand } from './brand.tsx';

export function EndedView({ ended, onAgain }: { ended: Ended; onAgain: () => void }): VNode {
  return (
    <main class="centered">
      <Brand />
      <div role="status">
        <h1 data-testid="ended">{ended.message}</h1>
      </div>
      <div class="button-row">
        {ended.remedy === 'join' && (
          <button type="button" class="button primary" onClick={onAgain}>
            Join again
          </button>
        )}
        {ended.remedy === 'reload' && (
          <button type="button" class="button primary" onClick={() => location.reload()}>
            Reload this page
          </button>
        )}
        <a class="button" href="/">
          To the start page
        </a>
      </div>
    </main>
  );
}
