import { AppError, type ConsumerId, type ProducerId } from '../../base/index.ts';
import type { Participant } from '../../server/index.ts';
import type { Handlers } from './connection.ts';
import type { Member } from './member.ts';

type TransportRequest = 'create-transport' | 'connect-transport' | 'restart-ice';

type ProducerRequest = 'produce' | 'pause-producer' | 'resume-producer' | 'close-producer';

type ConsumerRequest =
  'consume' | 'pause-consumer' | 'resume-consumer' | 'set-preferred-layers' | 'close-consumer';

/** Who waits in the lobby neither sends nor receives. */
function legInside({ participant }: Pick<Member, 'participant'>): Participant['webRtcLeg'] {
  if (participant.waits) throw new AppError('INVALID_STATE', 'a host has to let you in first');

  return participant.webRtcLeg;
}

/** Ids are taken as they come: a leg knows its own and refuses all others. */
const producer = (id: string) => id as ProducerId;
const consumer = (id: string) => id as ConsumerId;

/** Requests about a page's own streams: each is one call of its media leg. */
export function mediaHandlers(): Handlers<TransportRequest | ProducerRequest | ConsumerRequest> {
  return { ...transportHandlers(), ...producerHandlers(), ...consumerHandlers() };
}

function transportHandlers(): Handlers<TransportRequest> {
  return {
    'create-transport': ({ member }, { direction }) =>
      member.participant.webRtcLeg.createTransport(direction),

    'connect-transport': async ({ member }, { transportId, dtlsParameters }) => {
      await member.participant.webRtcLeg.connectTransport(transportId, dtlsParameters);

      return {};
    },

    'restart-ice': async ({ member }, { transportId }) => ({
      iceParameters: await member.participant.webRtcLeg.restartIce(transportId),
    }),
  };
}

function producerHandlers(): Handlers<ProducerRequest> {
  return {
    produce: async ({ member }, { requestId: _requestId, next, ...options }) => {
      const leg = legInside(member);
      if (next !== undefined) member.participant.announce(next);
      const { id } = await leg.produce(options);

      return { producerId: id };
    },

    'pause-producer': async ({ member }, { producerId }) => {
      await member.participant.setProducerPaused(producer(producerId), true);

      return {};
    },

    'resume-producer': async ({ member }, { producerId }) => {
      await member.participant.setProducerPaused(producer(producerId), false);

      return {};
    },

    'close-producer': async ({ member }, { producerId }) => {
      await member.participant.webRtcLeg.closeProducer(producer(producerId));

      return {};
    },
  };
}

function consumerHandlers(): Handlers<ConsumerRequest> {
  return {
    consume: ({ member }, { producerId, rtpCapabilities }) =>
      legInside(member).consume(producer(producerId), rtpCapabilities),

    'pause-consumer': async ({ member }, { consumerId }) => {
      await member.participant.webRtcLeg.setConsumerPaused(consumer(consumerId), true);

      return {};
    },

    'resume-consumer': async ({ member }, { consumerId }) => {
      await member.participant.webRtcLeg.setConsumerPaused(consumer(consumerId), false);

      return {};
    },

    'set-preferred-layers': async ({ member }, { consumerId, spatial, temporal }) => {
      await member.participant.webRtcLeg.setPreferredLayers(consumer(consumerId), {
        spatial,
        ...(temporal !== undefined && { temporal }),
      });

      return {};
    },

    'close-consumer': async ({ member }, { consumerId }) => {
      await member.participant.webRtcLeg.closeConsumer(consumer(consumerId));

      return {};
    },
  };
}
