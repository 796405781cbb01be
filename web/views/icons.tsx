import type { ComponentChildren, VNode } from 'preact';

/** Line icons on a grid of 24; they say nothing by themselves, their button or text does. */
function Icon({ children }: { children: ComponentChildren }): VNode {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

const SLASH = <path d="M4 4l16 16" />;

export function MicIcon({ off = false }: { off?: boolean }): VNode {
  return (
    <Icon>
      <rect x="9" y="3" width="6" height="11" rx="3" />
      <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
      {off && SLASH}
    </Icon>
  );
}

export function CameraIcon({ off = false }: { off?: boolean }): VNode {
  return (
    <Icon>
      <rect x="2.5" y="6.5" width="13" height="11" rx="2.5" />
      <path d="M15.5 11l5.5-3.5v9L15.5 13" />
      {off && SLASH}
    </Icon>
  );
}

export function PhoneIcon(): VNode {
  return (
    <Icon>
      <path d="M5.2 3.5h3l1.6 4.1-2 1.6a12 12 0 0 0 7 7l1.6-2 4.1 1.6v3a2 2 0 0 1-2.2 2A17 17 0 0 1 3.2 5.7a2 2 0 0 1 2-2.2z" />
    </Icon>
  );
}

export function LeaveIcon(): VNode {
  return (
    <Icon>
      <path d="M3 14.6c0-3 4-5.1 9-5.1s9 2.1 9 5.1v1.6a1.4 1.4 0 0 1-1.7 1.4l-3-.7a1.4 1.4 0 0 1-1.1-1.4v-1.7a11 11 0 0 0-6.4 0v1.7a1.4 1.4 0 0 1-1.1 1.4l-3 .7A1.4 1.4 0 0 1 3 16.2z" />
    </Icon>
  );
}

export function PeopleIcon(): VNode {
  return (
    <Icon>
      <circle cx="9" cy="8.5" r="3.5" />
      <path d="M2.5 19.5a6.5 6.5 0 0 1 13 0M16 5.4a3.5 3.5 0 0 1 0 6.2M18 14.2a6.5 6.5 0 0 1 3.5 5.3" />
    </Icon>
  );
}

export function BrowserIcon(): VNode {
  return (
    <Icon>
      <rect x="3" y="4.5" width="18" height="12" rx="2" />
      <path d="M8.5 20h7M12 16.5V20" />
    </Icon>
  );
}

export function SettingsIcon(): VNode {
  return (
    <Icon>
      <path d="M4 7h9M17 7h3M4 17h3M11 17h9" />
      <circle cx="15" cy="7" r="2" />
      <circle cx="9" cy="17" r="2" />
    </Icon>
  );
}

export function LinkIcon(): VNode {
  return (
    <Icon>
      <path d="M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1-1" />
    </Icon>
  );
}

export function CloseIcon(): VNode {
  return (
    <Icon>
      <path d="M6 6l12 12M18 6L6 18" />
    </Icon>
  );
}

export function ChatIcon(): VNode {
  return (
    <Icon>
      <path d="M4 5h16v11.5H10.5L6 20v-3.5H4zM8 9.2h8M8 12.4h5" />
    </Icon>
  );
}

export function SendIcon(): VNode {
  return (
    <Icon>
      <path d="M4.5 12L3 4.5 21 12 3 19.5zM4.5 12H12" />
    </Icon>
  );
}

export function SpeakerIcon(): VNode {
  return (
    <Icon>
      <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.5 7.5 0 0 1 0 11" />
    </Icon>
  );
}
