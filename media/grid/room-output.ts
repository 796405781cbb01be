import { randomInt } from 'node:crypto';
import type { types as mediasoup } from 'mediasoup';
import type { GridCodec } from './grid-protocol.ts';

/** The picture in one codec, as the room's router has it. */
export interface RoomOutput {
  producer: mediasoup.Producer;
  ssrc: number;
  payloadType: number;
}

export async function produceOutput(
  transport: mediasoup.PlainTransport,
  router: mediasoup.Router,
  codec: GridCodec,
): Promise<RoomOutput> {
  const known = router.rtpCapabilities.codecs?.find(
    ({ mimeType }) => mimeType.toLowerCase() === `video/${codec.toLowerCase()}`,
  );
  if (known?.preferredPayloadType === undefined) throw new TypeError(`no ${codec} in the router`);
  const ssrc = randomInt(1, 0xffff_ffff);
  const payloadType = known.preferredPayloadType;
  const producer = await transport.produce({
    kind: 'video',
    rtpParameters: {
      codecs: [
        {
          mimeType: known.mimeType,
          clockRate: known.clockRate,
          payloadType,
          parameters: known.parameters ?? {},
          rtcpFeedback: [{ type: 'nack', parameter: 'pli' }],
        },
      ],
      encodings: [{ ssrc }],
    },
  });

  return { producer, ssrc, payloadType };
}
