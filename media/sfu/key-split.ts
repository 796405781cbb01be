/**
 * The microphone of a WebRTC phone that sends keys (RFC 4733): they are read here, and its voice goes on as a
 * stream of its own over the loopback. Whoever is muted by the room is paused there, and its keys still come.
 */
import type { types as mediasoup } from 'mediasoup';
import { TimerSet, type Clock } from '../../base/index.ts';
import { DtmfReceiver, RtpPacketView } from '../rtp/index.ts';
import { keyCapabilities, keyClockRate } from './key-codecs.ts';
import { openLoopback, type PortRange } from './loopback.ts';
import { mixerCapabilities } from './router-codecs.ts';

export interface KeySplitOptions {
  router: mediasoup.Router;
  ports: PortRange;
  clock: Clock;
  /** What the phone sends. */
  producer: mediasoup.Producer;
  /** Of its voice. */
  paused: boolean;
  onDigit: (digit: string, durationMs: number) => void;
}

/** Milliseconds in which another packet of a key that is down comes. */
const KEY_SILENCE = 200;

/** Its voice alone; either stream closes the other. */
export async function splitKeys(options: KeySplitOptions): Promise<mediasoup.Producer> {
  const { router, ports, producer } = options;
  const made: { close(): void }[] = [];
  producer.observer.once('close', () => {
    for (const each of made) each.close();
  });
  try {
    const from = await openLoopback(router, ports, false);
    made.push(from);
    const to = await openLoopback(router, ports, false);
    made.push(to);
    await from.connect({ ip: to.tuple.localAddress, port: to.tuple.localPort });
    await to.connect({ ip: from.tuple.localAddress, port: from.tuple.localPort });
    const { rtpParameters } = await from.consume({
      producerId: producer.id,
      rtpCapabilities: mixerCapabilities(router.rtpCapabilities),
    });
    const voice = await to.produce({
      kind: 'audio',
      rtpParameters: {
        codecs: rtpParameters.codecs,
        headerExtensions: rtpParameters.headerExtensions ?? [],
        encodings: (rtpParameters.encodings ?? []).flatMap(({ ssrc }) => (ssrc ? [{ ssrc }] : [])),
      },
      paused: options.paused,
    });
    voice.observer.once('close', () => producer.close());
    made.push(await listen(options));

    return voice;
  } catch (error) {
    producer.close();
    for (const each of made) each.close();
    throw error;
  }
}

async function listen(options: KeySplitOptions): Promise<{ close(): void }> {
  const { router, producer, clock, onDigit } = options;
  const timers = new TimerSet<'end'>(clock);
  const receivers = new Map<number, DtmfReceiver>();
  const packet = new RtpPacketView();
  const transport = await router.createDirectTransport();
  const consumer = await transport.consume({
    producerId: producer.id,
    rtpCapabilities: keyCapabilities(router.rtpCapabilities),
  });
  consumer.on('rtp', (data) => {
    const clockRate = packet.parse(data) ? keyClockRate(packet.payloadType) : undefined;
    if (clockRate === undefined) return;
    const receiver = receivers.get(clockRate) ?? new DtmfReceiver({ clockRate, onDigit });
    receivers.set(clockRate, receiver);
    receiver.push(packet, clock.now());
    timers.start('end', KEY_SILENCE, () => {
      receiver.tick(clock.now());
    });
  });

  return {
    close: () => {
      timers.close();
      transport.close();
    },
  };
}
