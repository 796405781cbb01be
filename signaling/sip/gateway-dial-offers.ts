/** What the devices of a callee are offered: all the same leg, each in the way that it takes. */
import { randomInt } from 'node:crypto';
import { toError } from '../../base/index.ts';
import type { PhoneVideoLeg } from '../../media/index.ts';
import type { Participant } from '../../server/index.ts';
import { createOffer, DEFAULT_AUDIO_CAPABILITIES } from '../sdp/index.ts';
import type { PhoneCallOptions } from './gateway.ts';
import type { Destination, OfferedDestination } from './gateway-dialed-phone.ts';
import { placeOf } from './gateway-video.ts';
import { MixedSession, type MixedSessionOptions } from './negotiation/index.ts';

/** What speaks SIP over WebSocket lives in a page, and takes WebRTC alone. */
export function isPage({ flow }: Pick<Destination, 'flow'>): boolean {
  return flow?.protocol === 'WS' || flow?.protocol === 'WSS';
}

/** Rejects as `createDoor`, with the participant gone. */
export async function offersTo(
  destinations: readonly Destination[],
  participant: Participant,
  options: PhoneCallOptions,
): Promise<OfferedDestination[]> {
  const { publicAddress, rooms, clock, logger } = options;
  const video = await openVideo(destinations, participant, options);
  const sessionId = String(randomInt(1, 2 ** 47));
  const leg = participant.phoneLeg;
  const local = {
    address: publicAddress,
    rtpPort: leg.rtpPort,
    sessionId,
    ...(video && { videos: { main: placeOf(video) } }),
  };
  const createDoor: MixedSessionOptions['createDoor'] = (...door) => rooms.createDoor(...door);
  try {
    return await Promise.all(
      destinations.map(async (destination) => {
        if (!isPage(destination)) {
          const { capabilities = DEFAULT_AUDIO_CAPABILITIES } = destination;

          return { destination, offer: createOffer(capabilities, local), video };
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

/**
 * With pictures to show, or for a phone that says that it has video (RFC 3840 10.7). A trunk leads to none unless
 * its setting says so.
 */
async function openVideo(
  destinations: readonly Destination[],
  { room, id, phoneLeg }: Participant,
  { logger }: PhoneCallOptions,
): Promise<PhoneVideoLeg | undefined> {
  const phones = destinations.filter((each) => !isPage(each));
  const isShown = room.producers(id).some(({ kind }) => kind === 'video');
  const isWanted = phones.some(({ hasVideo, isTrunk }) =>
    isShown && isTrunk !== true ? true : hasVideo === true,
  );
  if (!isWanted) return undefined;
  try {
    return await phoneLeg.openVideo('main');
  } catch (error) {
    logger.warn({ err: toError(error) }, 'no place for the video of a call out');

    return undefined;
  }
}
