import type { RoomSettings, RoomView } from './ports.ts';
import { layoutView } from './room-layout.ts';

/** What a room knows of itself besides its settings. */
export interface RoomState {
  /** The limit that counts: of the room or of the installation. */
  maxParticipants: number;
  participants: number;
  persistent: boolean;
  startedAt: number | undefined;
  locked: boolean;
  /** Why there is no grid now. */
  gridReason: string | undefined;
}

/** A room as it is shown: that a PIN is set, never the PIN. */
export function roomView(
  settings: RoomSettings,
  { startedAt, gridReason, ...state }: RoomState,
): RoomView {
  return {
    number: settings.number,
    name: settings.name,
    createdAt: new Date(settings.createdAt).toISOString(),
    ...state,
    lobby: settings.lobby === true,
    tones: settings.tones !== false,
    ...(settings.language !== undefined && { language: settings.language }),
    ...layoutView(settings.layout ?? 'speaker', gridReason),
    hostPinSet: settings.hostPin !== undefined,
    guestPinSet: settings.guestPin !== undefined,
    ...(startedAt !== undefined && { startedAt: new Date(startedAt).toISOString() }),
  };
}

export function pinsOf({ hostPin, guestPin }: RoomSettings): {
  hostPin?: string;
  guestPin?: string;
} {
  return {
    ...(hostPin !== undefined && { hostPin }),
    ...(guestPin !== undefined && { guestPin }),
  };
}
