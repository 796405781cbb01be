/**
 * joining → (lobby →) joined → leaving → left. A participant that never got in goes from `joining` or
 * `lobby` straight to `leaving`.
 */
export type ParticipantState = 'joining' | 'lobby' | 'joined' | 'leaving' | 'left';

const TRANSITIONS: Readonly<Record<ParticipantState, readonly ParticipantState[]>> = {
  joining: ['lobby', 'joined', 'leaving'],
  lobby: ['joined', 'leaving'],
  joined: ['leaving'],
  leaving: ['left'],
  left: [],
};

export function mayBecome(from: ParticipantState, to: ParticipantState): boolean {
  return TRANSITIONS[from].includes(to);
}
