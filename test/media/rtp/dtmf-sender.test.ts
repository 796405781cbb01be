import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DtmfReceiver, DtmfSender, RtpPacketView, RtpSender } from '../../../media/rtp/index.ts';

const FORMAT = { payloadType: 101, eventRate: 8000, streamRate: 8000 };

interface Sent {
  kind: 'audio' | 'event';
  at: number;
  sequenceNumber: number;
  timestamp: number;
  marker: boolean;
  payload: readonly number[];
}

/** What goes over the wire when a packet is due every `ptime` milliseconds. */
function press(keys: string, ptime = 20, format: typeof FORMAT | 'none' = FORMAT) {
  const done: [number, boolean][] = [];
  const sender = new RtpSender(8000, 7);
  const dtmf = new DtmfSender((...what) => done.push(what));
  dtmf.send(3, keys);
  const sent: Sent[] = [];
  const view = new RtpPacketView();
  for (let at = 0; at < 500 * (keys.length + 1); at += ptime) {
    const length = dtmf.next(sender, format === 'none' ? undefined : format, ptime);
    const audio = new Uint8Array(12);
    if (length === 0) sender.writeHeader(audio, 0, 8 * ptime, 0, at);
    view.parse(length === 0 ? audio : dtmf.packet.slice(0, length));
    const { sequenceNumber, timestamp, marker } = view;
    const payload = [...view.payload()];
    sent.push({
      kind: length === 0 ? 'audio' : 'event',
      at,
      sequenceNumber,
      timestamp,
      marker,
      payload,
    });
  }

  return { sent, done, events: sent.filter(({ kind }) => kind === 'event') };
}

describe('keys that we press (RFC 4733)', () => {
  it('4733-2.3-a one timestamp, a marker on the first packet, a duration that grows, the end three times', () => {
    const { events, sent, done } = press('5');
    expect(
      events.map(({ payload: [event, end, high, low] }) => [event, end, high! * 256 + low!]),
    ).toEqual([
      [5, 10, 160],
      [5, 10, 320],
      [5, 10, 480],
      [5, 10, 640],
      [5, 0x80 | 10, 800],
      [5, 0x80 | 10, 800],
      [5, 0x80 | 10, 800],
    ]);
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(events.map(({ marker }) => marker)).toEqual([true, ...Array<boolean>(6).fill(false)]);
    expect(events.map(({ at }) => at)).toEqual([0, 20, 40, 60, 80, 100, 120]);
    const first = sent[0]!;
    // The stream goes on as if audio had been sent meanwhile.
    for (const [i, packet] of sent.entries()) {
      expect(packet.sequenceNumber).toBe((first.sequenceNumber + i) & 0xffff);
      if (packet.kind === 'audio') {
        expect(packet.timestamp).toBe((first.timestamp + 160 * i) >>> 0);
      }
    }
    expect(done).toEqual([[3, true]]);
  });

  it.each([10, 20, 30, 40, 50, 60])(
    '4733-2.5.1.4-a is heard once a key, packets of %i ms',
    (ptime) => {
      fc.assert(
        fc.property(
          fc.array(fc.constantFrom(...'0123456789*#ABCD'), { minLength: 1, maxLength: 8 }),
          fc.integer({ min: 0, max: 2 }),
          (keys, lostEnds) => {
            const heard: string[] = [];
            const durations: number[] = [];
            const receiver = new DtmfReceiver({
              clockRate: 8000,
              onDigit: (key, ms) => {
                heard.push(key);
                durations.push(ms);
              },
            });
            let ends = 0;
            for (const { payload, timestamp, at } of press(keys.join(''), ptime).events) {
              ends = payload[1]! >= 0x80 ? ends + 1 : 0;
              // Of the three ends one is enough.
              if (ends > 0 && ends <= lostEnds) continue;
              const view = new RtpPacketView();
              view.ssrc = 7;
              view.timestamp = timestamp;
              view.data = Uint8Array.from(payload);
              view.payloadLength = 4;
              receiver.push(view, at);
            }
            receiver.tick(1e6);
            expect(heard).toEqual(keys);
            for (const ms of durations) expect([100, 120].includes(ms)).toBe(true);
          },
        ),
        { numRuns: 30 },
      );
    },
  );

  it('leaves at least 40 ms between two keys (ITU-T Q.24)', () => {
    const { events } = press('11', 10);
    const [first, second] = [events[0]!, events.find(({ marker, at }) => marker && at > 0)!];
    expect(second.at - first.at).toBeGreaterThanOrEqual(140);
    expect(second.timestamp - first.timestamp).toBe(8 * (second.at - first.at));
  });

  it('says so when the phone takes no events any more, or when it is stopped', () => {
    expect(press('12', 20, 'none').done).toEqual([[3, false]]);
    const done: [number, boolean][] = [];
    const dtmf = new DtmfSender((...what) => done.push(what));
    for (let id = 0; id < 9; id++) dtmf.send(id, '1');
    expect(done).toEqual([[8, false]]);
    dtmf.stop();
    expect(done).toHaveLength(9);
    expect(dtmf.next(new RtpSender(8000), FORMAT, 20)).toBe(0);
  });
});
