import { newLegId, type LegId } from '../../../base/index.ts';
import type { MediaDirection } from '../../../media/media-api.ts';
import type { MixerRoom } from '../../../media/mixer/index.ts';
import { slice, toneLevel, type Signal } from '../../support/tone-meter.ts';
import { UdpPhone } from '../../support/udp-phone.ts';
import { letRun, waitUntil } from '../../support/wait-until.ts';

/** A phone with a tone of its own in a room of the mixer. */
export interface Call {
  phone: UdpPhone;
  room: MixerRoom;
  legId: LegId;
  rtpPort: number;
  frequency: number;
}

/** Phones that call, until they are all closed. */
export class Callers {
  readonly #phones: UdpPhone[] = [];

  async call(
    room: MixerRoom,
    codec: 'PCMU' | 'PCMA' | 'opus',
    frequency: number,
    options: { ptime?: number; direction?: MediaDirection } = {},
  ): Promise<Call> {
    const ptime = options.ptime ?? 20;
    const phone = await UdpPhone.open({ codec, frequency, ptime });
    this.#phones.push(phone);
    const legId = newLegId();
    const { rtpPort } = await room.createLeg(legId);
    await room.configureLeg(legId, phone.audio(options.direction, ptime));
    phone.start(rtpPort);

    return { phone, room, legId, rtpPort, frequency };
  }

  async close(): Promise<void> {
    await Promise.all(this.#phones.splice(0).map((phone) => phone.close()));
  }
}

/** What each hears in the next second, without what was on its way before. */
export async function listen(calls: Call[]): Promise<Signal[]> {
  await letRun(400);
  const from = calls.map(({ phone }) => phone.heard.length);
  await letRun(1000);

  return calls.map(({ phone }, i) => phone.signal(from[i]));
}

/** Undefined when each hears all others, and its own tone at least 20 dB below them; else what is wrong. */
function othersOnly(calls: Call[], signals: Signal[]): string | undefined {
  for (const [i, own] of calls.entries()) {
    const signal = slice(signals[i]!, 0.1);
    const others = calls
      .filter((other) => other !== own)
      .map(({ frequency }) => toneLevel(signal, frequency));
    const itself = toneLevel(signal, own.frequency);
    const wrong = others.some((level) => Math.abs(level + 15) > 3);
    if (wrong || itself > Math.min(...others) - 20) {
      return `${own.frequency} Hz hears ${others.map(Math.round).join(', ')}, itself ${Math.round(itself)} dBFS`;
    }
  }

  return undefined;
}

/** On a machine that is too busy for real time, another window may do. */
export async function expectOthersOnly(calls: Call[]): Promise<void> {
  await waitUntil('the mixes', async () => othersOnly(calls, await listen(calls)), 25_000);
}
