import type { Clock, Logger } from '../../base/index.ts';
import { callQuality, type PhoneLegStats } from '../../media/index.ts';
import type { RoomManager } from '../room-manager.ts';
import { CdrBook } from './cdr-book.ts';
import type { CallQualities, Cdr, CdrStore } from './cdr.ts';

/** Records of all calls from now on; those that waited for Redis are written when it is back. */
export function openCdrs(
  store: { readonly cdrs: CdrStore; onUp(listener: () => void): void },
  rooms: Pick<RoomManager, 'events'>,
  { clock, logger }: { clock: Clock; logger: Logger },
  onRecord: (record: Cdr) => void,
): CdrBook {
  const cdrs = new CdrBook({ store: store.cdrs, clock, logger, onRecord });
  cdrs.watch(rooms);
  store.onUp(() => void cdrs.flush());

  return cdrs;
}

export function qualitiesOf(
  statsOf: (callId: string) => Promise<PhoneLegStats | undefined>,
): CallQualities {
  return {
    qualityOf: async (callId) => {
      const stats = await statsOf(callId);

      return stats && callQuality(stats);
    },
  };
}
