import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  DtmfReceiver,
  JitterBuffer,
  RtpPacketView,
  RtpReceiver,
} from '../../../media/rtp/index.ts';
import { rtpPacket } from './packets.ts';
import { readPcap } from './pcap.ts';

/** Debian's package sip-tester. */
const PCAPS = '/usr/share/sip-tester';

class Keys {
  readonly heard: [string, number][] = [];
  readonly receiver = new DtmfReceiver({
    clockRate: 8000,
    onDigit: (digit, durationMs) => this.heard.push([digit, durationMs]),
  });

  event(
    event: number,
    timestamp: number,
    duration: number,
    end: boolean,
    now: number,
    ssrc = 1,
  ): void {
    const payload = Uint8Array.of(event, (end ? 0x80 : 0) | 10, duration >> 8, duration & 0xff);
    this.receiver.push(rtpPacket({ payloadType: 101, timestamp, ssrc, payload }), now);
  }
}

describe('telephone-event (RFC 4733)', () => {
  it('4733-2.5.1.4-a is one key for one timestamp, its three ends counted once', () => {
    const keys = new Keys();
    for (let i = 1; i <= 5; i++) keys.event(5, 1000, i * 160, false, i * 20);
    for (let i = 0; i < 3; i++) keys.event(5, 1000, 960, true, 120 + i * 20);
    keys.event(5, 1000, 800, false, 200);
    keys.receiver.tick(10_000);
    expect(keys.heard).toEqual([['5', 120]]);
  });

  it('4733-2.5.1.4-a tells the same key pressed twice by the timestamp', () => {
    const keys = new Keys();
    keys.event(1, 1000, 800, true, 0);
    keys.event(1, 3000, 800, true, 250);
    expect(keys.heard).toEqual([
      ['1', 100],
      ['1', 100],
    ]);
  });

  it('4733-2.3-a knows all sixteen keys and no others (3.2)', () => {
    const keys = new Keys();
    for (let event = 0; event < 256; event++)
      keys.event(event, event * 2000, 800, true, event * 250);
    expect(keys.heard.map(([digit]) => digit).join('')).toBe('0123456789*#ABCD');
  });

  it('4733-2.3-a reads event, E and duration, whatever R and the volume are', () => {
    for (const flags of [0x00, 0x3f, 0x40, 0x7f]) {
      const keys = new Keys();
      const packet = (last: number, duration: number, marker: boolean): void => {
        const payload = Uint8Array.of(7, last | flags, duration >> 8, duration & 0xff);
        const fields = { payloadType: 101, timestamp: 5000, ssrc: 1, marker, payload };
        keys.receiver.push(rtpPacket(fields), 0);
      };
      packet(0, 160, true);
      packet(0, 8000, false);
      expect(keys.heard).toEqual([]);
      packet(0x80, 8160, false);
      expect(keys.heard).toEqual([['7', 1020]]);
    }
  });

  it('4733-2.5.1.4-a ends a key whose end was lost when the next begins (2.5.2.2)', () => {
    const keys = new Keys();
    keys.event(1, 1000, 160, false, 0);
    keys.event(2, 2600, 160, false, 100);
    expect(keys.heard).toEqual([['1', 20]]);
    keys.event(1, 1000, 320, true, 101);
    keys.event(2, 2600, 320, true, 120);
    expect(keys.heard).toEqual([
      ['1', 20],
      ['2', 40],
    ]);
  });

  it('4733-2.5.1.4-a ends a key whose end was lost when nothing more comes', () => {
    const keys = new Keys();
    keys.event(11, 1000, 160, false, 0);
    keys.event(11, 1000, 320, false, 20);
    keys.receiver.tick(169);
    expect(keys.heard).toEqual([]);
    keys.receiver.tick(170);
    keys.receiver.tick(500);
    keys.event(11, 1000, 480, true, 600);
    expect(keys.heard).toEqual([['#', 40]]);
  });

  it('starts over with another source', () => {
    const keys = new Keys();
    keys.event(1, 0x8000_0000, 800, true, 0);
    keys.event(2, 5, 800, true, 300, 2);
    expect(keys.heard.map(([digit]) => digit)).toEqual(['1', '2']);
  });

  it('never throws', () => {
    const keys = new Keys();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), fc.nat(), (payload, timestamp) => {
        keys.receiver.push(rtpPacket({ payload, timestamp }), 0);
      }),
    );
  });
});

describe('recorded phones', () => {
  it.each([...'0123456789', 'star', 'pound'])('key %s of SIPp is heard once', (name) => {
    const packets = readPcap(`${PCAPS}/dtmf_2833_${name}.pcap`);
    if (packets === undefined) return;
    const keys = new Keys();
    const view = new RtpPacketView();
    for (const { at, data } of packets) {
      expect(view.parse(data)).toBe(true);
      keys.receiver.push(view, at);
    }
    keys.receiver.tick(packets.at(-1)!.at + 1000);
    expect(keys.heard.map(([digit]) => digit)).toEqual([{ star: '*', pound: '#' }[name] ?? name]);
  });

  it('a recorded PCMA call passes receiver and jitter buffer without a loss', () => {
    const packets = readPcap(`${PCAPS}/g711a.pcap`);
    if (packets === undefined) return;
    const view = new RtpPacketView();
    const receiver = new RtpReceiver(new Map([[8, { clockRate: 8000 }]]));
    const buffer = new JitterBuffer({ clockRate: 8000 });
    let now = packets[0]!.at;
    let played = 0;
    for (const { at, data } of packets) {
      expect(view.parse(data)).toBe(true);
      const verdict = receiver.receive(view, at);
      expect(['accepted', 'new-source']).toContain(verdict);
      for (; now + 20 <= at; now += 20) if (typeof buffer.pull(now) === 'object') played++;
      buffer.push(view, at);
    }
    for (let i = 0; i < 20; i++) if (typeof buffer.pull((now += 20)) === 'object') played++;
    expect(receiver.packetsLost).toBe(0);
    expect(receiver.packetsReceived).toBe(packets.length);
    expect(played + buffer.counters.dropped).toBe(packets.length);
  });
});
