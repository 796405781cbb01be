/**
 * What a room says to its phones and what their keys do: entry and exit tones, the notice and the music
 * for who is alone or waits in the lobby, spoken answers.
 */
import { TimerSet, toError, unreachable } from '../../base/index.ts';
import type { Clock, Logger, ParticipantId } from '../../base/index.ts';
import { ENTRY_TONE, EXIT_TONE } from '../../media/index.ts';
import type { PromptItem, Sound } from '../../media/index.ts';
import type { CloseReason } from '../close-reason.ts';
import type { Participant } from '../participant.ts';
import { HOST_COMMANDS, KeyReader, type KeyCommand } from './phone-keys.ts';
import type { Voice } from './reception.ts';

/** The room as its service sees it. */
export interface ServedRoom {
  joined(): Participant[];
  waiting(): Participant[];
  readonly language: string | undefined;
  /** Whether coming and going is heard. */
  readonly tones: boolean;
  readonly locked: boolean;
  setLocked(locked: boolean): void;
  playTone(sounds: readonly Sound[]): void;
  end(reason: CloseReason): Promise<void>;
}

export interface RoomServiceOptions {
  room: ServedRoom;
  voice: Voice;
  clock: Clock;
  logger: Logger;
}

/** In a larger meeting somebody always comes or goes. */
const MAX_FOR_TONES = 30;
/** Nobody waits longer for a host. */
const LOBBY_LIMIT_MS = 30 * 60_000;
const GAIN_STEP_DB = 3;
const MAX_GAIN_DB = 12;

export class RoomService {
  readonly #options: RoomServiceOptions;
  readonly #timers: TimerSet<ParticipantId>;
  readonly #gains = new WeakMap<Participant, number>();
  #lonely: Participant | undefined;

  constructor(options: RoomServiceOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
  }

  /** It waits for a host. */
  waits(participant: Participant): void {
    this.#timers.start(participant.id, LOBBY_LIMIT_MS, () => void participant.leave('rejected'));
    if (participant.kind !== 'phone') return;
    this.#say(participant, ['wait-for-host']);
    participant.voiceLeg?.setMusic(this.#options.voice.music);
  }

  /** It waits no more, and is not in yet. */
  letIn(participant: Participant): void {
    this.#timers.stop(participant.id);
    participant.voiceLeg?.stopPlaying();
    participant.voiceLeg?.setMusic([]);
  }

  entered(participant: Participant): void {
    if (participant.kind === 'phone') this.#listen(participant);
    this.#tone(ENTRY_TONE, 2);
    this.#keepCompany();
  }

  /** Also one that never got in. */
  left(participant: Participant, wasIn: boolean): void {
    this.#timers.stop(participant.id);
    if (!wasIn) return;
    if (this.#lonely === participant) this.#lonely = undefined;
    this.#tone(EXIT_TONE, 1);
    this.#keepCompany();
  }

  /** The meeting is over. */
  close(): void {
    this.#timers.stopAll();
    this.#lonely = undefined;
  }

  #tone(tone: Sound, least: number): void {
    const { room } = this.#options;
    const count = room.joined().length;
    if (room.tones && count >= least && count <= MAX_FOR_TONES) room.playTone([tone]);
  }

  /** Who is alone is told so and hears music, until somebody comes. */
  #keepCompany(): void {
    const [first, second] = this.#options.room.joined();
    const lonely = second === undefined && first?.kind === 'phone' ? first : undefined;
    if (lonely === this.#lonely) return;
    const former = this.#lonely;
    this.#lonely = lonely;
    if (former?.state === 'joined') {
      former.voiceLeg?.stopPlaying();
      former.voiceLeg?.setMusic([]);
    }
    if (lonely === undefined) return;
    this.#say(lonely, ['only-one']);
    lonely.voiceLeg?.setMusic(this.#options.voice.music);
  }

  #listen(participant: Participant): void {
    const reader = new KeyReader();
    const onKey = (key: string): void => {
      if (participant.state !== 'joined') return;
      const command = reader.press(key, this.#options.clock.now());
      if (command === undefined) return;
      this.#obey(participant, command).catch((error: unknown) => {
        this.#options.logger.warn({ err: toError(error), command }, 'a key did nothing');
      });
    };
    const { voiceLeg } = participant;
    if (voiceLeg === undefined) participant.webRtcLeg.events.on('dtmf', onKey);
    else voiceLeg.events.on('dtmf', onKey);
  }

  async #obey(participant: Participant, command: KeyCommand | 'unknown'): Promise<void> {
    const refused = command === 'unknown' || !mayPress(participant, command);
    const answer = refused ? (['invalid'] as const) : await this.#carryOut(participant, command);
    if (participant.state !== 'joined' || answer.length === 0) return;
    participant.voiceLeg?.stopPlaying();
    this.#say(participant, answer);
  }

  /** What is said to whoever pressed it. */
  async #carryOut(participant: Participant, command: KeyCommand): Promise<readonly PromptItem[]> {
    const { room } = this.#options;
    switch (command) {
      case 'mute':
        await participant.setMuted(!participant.muted);

        return [participant.muted ? 'muted' : 'unmuted'];
      case 'hand':
        participant.setHandRaised(!participant.handRaised);

        return [participant.handRaised ? 'hand-raised' : 'hand-lowered'];
      case 'count':
        return howMany(room.joined().length);
      case 'louder':
      case 'softer':
        return this.#changeGain(participant, command === 'louder' ? GAIN_STEP_DB : -GAIN_STEP_DB);
      case 'help':
        return participant.role === 'host' ? ['help', 'help-host'] : ['help'];
      case 'lock':
        room.setLocked(!room.locked);

        return [room.locked ? 'locked-now' : 'unlocked-now'];
      case 'mute-all':
        await this.#muteGuests(participant);

        return ['all-muted'];
      case 'let-in':
        await Promise.all(room.waiting().map((waiting) => waiting.letIn()));

        return [];
      case 'end':
        await room.end('room-ended');

        return [];
      default:
        return unreachable(command);
    }
  }

  async #muteGuests(host: Participant): Promise<void> {
    const others = this.#options.room
      .joined()
      .filter((member) => member !== host && member.role !== 'host');
    await Promise.all(others.map((member) => member.setMuted(true)));
  }

  /** Heard by itself; only the end of the scale says something. */
  #changeGain(participant: Participant, step: number): readonly PromptItem[] {
    const gain = (this.#gains.get(participant) ?? 0) + step;
    if (Math.abs(gain) > MAX_GAIN_DB) return ['invalid'];
    this.#gains.set(participant, gain);
    participant.voiceLeg?.setHearingGain(gain);

    return [];
  }

  #say(participant: Participant, items: readonly PromptItem[]): void {
    const { voice, room } = this.#options;
    void participant.voiceLeg?.play(voice.sounds(items, room.language));
  }
}

function mayPress(participant: Participant, command: KeyCommand): boolean {
  return participant.role === 'host' || !HOST_COMMANDS.has(command);
}

function howMany(count: number): readonly PromptItem[] {
  return count === 1 ? ['only-one'] : ['there-are', { number: count }, 'participants'];
}
