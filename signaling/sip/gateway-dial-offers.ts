/** What the devices of a callee are offered: all the same leg, each in the way that it takes. */
import { randomInt } from 'node:crypto';
import type { Participant } from '../../server/index.ts';
import { createOffer, DEFAULT_AUDIO_CAPABILITIES } from '../sdp/index.ts';
import type { PhoneCallOptions } from './gateway.ts';
import type { Destination, OfferedDestination } from './gateway-dialed-phone.ts';
import { MixedSession, type MixedSessionOptions } from './negotiation/index.ts';

/** What speaks SIP over WebSocket lives in a page, and takes WebRTC alone. */
export function isPage({ flow }: Pick<Destination, 'flow'>): boolean {
  return flow?.protocol === 'WS' || flow?.protocol === 'WSS';
}

/** Rejects as `createDoor`, with the participant gone. */
export async function offersTo(
  destinations: readonly Destination[],
  participant: Participant,
  { publicAddress, rooms, clock, logger }: PhoneCallOptions,
): Promise<OfferedDestination[]> {
  const sessionId = String(randomInt(1, 2 ** 47));
  const leg = participant.phoneLeg;
  const local = { address: publicAddress, rtpPort: leg.rtpPort, sessionId };
  const createDoor: MixedSessionOptions['createDoor'] = (...door) => rooms.createDoor(...door);
  try {
    return await Promise.all(
      destinations.map(async (destination) => {
        if (!isPage(destination)) {
          const { capabilities = DEFAULT_AUDIO_CAPABILITIES } = destination;

          return { destination, offer: createOffer(capabilities, local) };
        }
        const mixed = new MixedSession({ leg, createDoor, sessionId, clock, logger });

        return { destination, mixed, offer: await mixed.offer() };
      }),
    );
  } catch (error) {
    await participant.leave('media-failed');
    throw error;
  }
}
