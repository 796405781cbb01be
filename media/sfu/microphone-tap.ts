import type { types as mediasoup } from 'mediasoup';
import { AppError, type LegId, type Logger } from '../../base/index.ts';
import type { MicrophoneInput, MixerRoom } from '../mixer/index.ts';
import { openLoopback, type PortRange } from './loopback.ts';
import { Reconciler } from './reconciler.ts';
import { AUDIO_LEVEL_URI, audioCodecOf, mixerCapabilities } from './router-codecs.ts';

export interface MicrophoneTapContext {
  router: mediasoup.Router;
  mixer: Pick<MixerRoom, 'addMicrophone' | 'removeMicrophone'>;
  ports: PortRange;
  logger: Logger;
}

interface Tapped {
  producer: mediasoup.Producer;
  transport: mediasoup.PlainTransport;
}

/** A browser's microphone as phones hear it: consumed into the mix while there are phones. */
export class MicrophoneTap {
  readonly #legId: LegId;
  readonly #context: MicrophoneTapContext;
  readonly #reconciler = new Reconciler(() => this.#step());
  #producer: mediasoup.Producer | undefined;
  #phones: boolean;
  #tapped: Tapped | undefined;

  constructor(legId: LegId, phones: boolean, context: MicrophoneTapContext) {
    this.#legId = legId;
    this.#phones = phones;
    this.#context = context;
  }

  /** Undefined: the browser has none any more. */
  setProducer(producer: mediasoup.Producer | undefined): Promise<void> {
    this.#producer = producer;

    return this.#run();
  }

  /** Whether any phone is there to hear it. */
  setPhones(phones: boolean): Promise<void> {
    this.#phones = phones;

    return this.#run();
  }

  /** The browser keeps its other streams: a failure is logged, not thrown. */
  async #run(): Promise<void> {
    try {
      await this.#reconciler.run();
    } catch (error) {
      // A microphone that closed during the set-up is no fault.
      if (this.#wanted === undefined || this.#context.router.closed) return;
      this.#context.logger.warn({ leg: this.#legId, err: error }, 'microphone not in the mix');
    }
  }

  get #wanted(): mediasoup.Producer | undefined {
    return this.#phones && this.#producer?.closed === false ? this.#producer : undefined;
  }

  async #step(): Promise<void> {
    const wanted = this.#wanted;
    const current = this.#tapped;
    if (current !== undefined && (current.producer !== wanted || current.transport.closed)) {
      await this.#remove(current);
    }
    if (wanted !== undefined && this.#tapped === undefined) await this.#add(wanted);
  }

  async #add(producer: mediasoup.Producer): Promise<void> {
    const { router, mixer, ports } = this.#context;
    const transport = await openLoopback(router, ports, false);
    let inMixer = false;
    try {
      const consumer = await transport.consume({
        producerId: producer.id,
        rtpCapabilities: mixerCapabilities(router.rtpCapabilities),
        paused: true,
      });
      const { address, port } = await mixer.addMicrophone(
        microphoneInput(this.#legId, consumer.rtpParameters),
      );
      inMixer = true;
      await transport.connect({ ip: address, port });
      // Its Consumer closed with it, and the worker knows neither.
      if (producer.closed) throw new AppError('INVALID_STATE', 'closed meanwhile');
      await consumer.resume();
      this.#tapped = { producer, transport };
    } catch (error) {
      transport.close();
      if (inMixer) await mixer.removeMicrophone(this.#legId);
      throw error;
    }
  }

  async #remove(tapped: Tapped): Promise<void> {
    this.#tapped = undefined;
    tapped.transport.close();
    await this.#context.mixer.removeMicrophone(this.#legId);
  }
}

function microphoneInput(legId: LegId, parameters: mediasoup.RtpParameters): MicrophoneInput {
  const sent = parameters.codecs[0];
  const codec = sent && audioCodecOf(sent);
  const ssrc = parameters.encodings?.[0]?.ssrc;
  if (sent === undefined || codec === undefined || ssrc === undefined) {
    throw new TypeError('a microphone of a codec that the mixer does not know');
  }
  const level = parameters.headerExtensions?.find(({ uri }) => uri === AUDIO_LEVEL_URI);

  return {
    legId,
    codec,
    payloadType: sent.payloadType,
    ssrc,
    ...(level && { audioLevelExtensionId: level.id }),
  };
}
