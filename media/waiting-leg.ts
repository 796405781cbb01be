import { newLegId, type LegId } from '../base/index.ts';
import type { MixerPool, MixerRoom } from './mixer/index.ts';
import { MixerPhoneLeg, type PhoneLegHost } from './phone-leg.ts';
import type { PhoneVideoDeps } from './video/index.ts';

/**
 * A phone that is in no room yet has a mixer room of its own, so that nothing it says can reach anybody
 * and nothing but what is played to it reaches it.
 */
export async function createWaitingLeg(
  mixers: MixerPool,
  video: PhoneVideoDeps,
): Promise<MixerPhoneLeg> {
  const mixer = mixers.createRoom();
  const id: LegId = newLegId();
  const host: PhoneLegHost = {
    configured: () => undefined,
    muted: () => undefined,
    videoAdded: () => undefined,
    videoRemoved: () => Promise.resolve(),
    leaving: () => Promise.resolve(),
  };
  const made: { leg?: MixerPhoneLeg } = {};
  mixer.events
    .on('legTimeout', () => {
      made.leg?.events.emit('timeout');
    })
    .on('legDtmf', (_legId, digit, durationMs) => {
      made.leg?.events.emit('dtmf', digit, durationMs);
    })
    .on('legPlayed', (_legId, playId, complete) => {
      made.leg?.played(playId, complete);
    })
    .on('failed', () => void made.leg?.close().catch(() => undefined));
  try {
    const ports = await mixer.createLeg(id);
    made.leg = new WaitingPhoneLeg(id, ports, mixer, host, video);

    return made.leg;
  } catch (error) {
    await mixer.close();
    throw error;
  }
}

/** Gives its own mixer room back, whether it moves on or ends. */
class WaitingPhoneLeg extends MixerPhoneLeg {
  readonly #own: MixerRoom;
  #moved = false;

  constructor(...args: ConstructorParameters<typeof MixerPhoneLeg>) {
    super(...args);
    this.#own = args[2];
    this.events.on('closed', () => {
      if (!this.#moved) void this.#own.close().catch(() => undefined);
    });
  }

  override async moveTo(...args: Parameters<MixerPhoneLeg['moveTo']>): Promise<void> {
    await super.moveTo(...args);
    if (this.#moved) return;
    this.#moved = true;
    await this.#own.close().catch(() => undefined);
  }
}
