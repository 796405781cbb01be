import { randomToken, type Logger, type RoomNumber } from '../../base/index.ts';
import type { SecretBox } from '../accounts/index.ts';
import type { RoomSettings, RoomStore } from '../ports.ts';

/** A PIN is digits: none looks like this. */
const SEALED = 'sealed:';

type PinName = 'hostPin' | 'guestPin';

const PINS: readonly PinName[] = ['hostPin', 'guestPin'];

/** Rooms in a store that others may read: their PINs are sealed there, and nowhere else. */
export class SealedRoomStore implements RoomStore {
  readonly #inner: RoomStore;
  readonly #box: SecretBox;
  readonly #logger: Logger;

  constructor(inner: RoomStore, box: SecretBox, logger: Logger) {
    this.#inner = inner;
    this.#box = box;
    this.#logger = logger;
  }

  async list(): Promise<RoomSettings[]> {
    const stored = await this.#inner.list();
    const clear = stored.filter((room) =>
      PINS.some((name) => room[name] !== undefined && !room[name].startsWith(SEALED)),
    );
    // From a version that did not seal them.
    for (const room of clear) await this.save(this.#opened(room));

    return stored.map((room) => this.#opened(room));
  }

  async find(number: RoomNumber): Promise<RoomSettings | undefined> {
    const room = await this.#inner.find(number);

    return room && this.#opened(room);
  }

  save(room: RoomSettings): Promise<void> {
    return this.#inner.save(
      changePins(room, (pin, name) => SEALED + this.#box.seal(pin, contextOf(room, name))),
    );
  }

  remove(number: RoomNumber): Promise<void> {
    return this.#inner.remove(number);
  }

  #opened(room: RoomSettings): RoomSettings {
    return changePins(room, (pin, name) => {
      if (!pin.startsWith(SEALED)) return pin;
      const opened = this.#box.open(pin.slice(SEALED.length), contextOf(room, name));
      if (opened !== undefined) return opened;
      this.#logger.warn({ room: room.number, name }, 'the PIN of a room has to be set again');

      // Without its key a room stays shut: nobody can guess this one.
      return randomToken();
    });
  }
}

function changePins(
  room: RoomSettings,
  change: (pin: string, name: PinName) => string,
): RoomSettings {
  const changed = PINS.flatMap((name): [PinName, string][] => {
    const pin = room[name];

    return pin === undefined ? [] : [[name, change(pin, name)]];
  });

  return { ...room, ...Object.fromEntries(changed) };
}

function contextOf({ number }: RoomSettings, name: PinName): string {
  return `room ${number} ${name}`;
}
