import type { VNode } from 'preact';

export function Brand(): VNode {
  return (
    <a class="brand" href="/" aria-label="Parley, to the start page">
      <img src="/favicon.svg" alt="" width="28" height="28" />
      <span>Parley</span>
    </a>
  );
}
