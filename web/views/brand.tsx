import type { VNode } from 'preact';

export function Brand(): VNode {
  return (
    <a class="brand" href="/" aria-label="Parley, to the start page">
      <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
        <rect class="brand-ground" width="32" height="32" rx="9" />
        <path class="brand-stroke" d="M9 24V10.5a2 2 0 0 1 2-2h6.2a5.4 5.4 0 0 1 0 10.8H12.6" />
        <circle class="brand-dot" cx="23.5" cy="23" r="2.6" />
      </svg>
      <span>Parley</span>
    </a>
  );
}
