import { describe, expect, it } from '@jest/globals';
import { StreamFramer, type Frame } from '../../../../signaling/sip/message/index.ts';
import { wire } from '../../../support/message-builder.ts';

function message(body: string): Buffer {
  const head = wire('MESSAGE sip:a SIP/2.0', 'X: y', `Content-Length: ${String(body.length)}`);

  return Buffer.concat([head, Buffer.from(body)]);
}

function kinds(frames: Frame[]): string[] {
  return frames.map((frame) => (frame.kind === 'fault' ? `fault: ${frame.reason}` : frame.kind));
}

describe('stream framing (3261-18.3-a)', () => {
  it('two messages in one segment, and one in many', () => {
    const both = Buffer.concat([message('hello'), message('')]);
    expect(kinds(new StreamFramer().push(both))).toEqual(['message', 'message']);
    for (let cut = 1; cut < both.length; cut++) {
      const framer = new StreamFramer();
      const frames = [...framer.push(both.subarray(0, cut)), ...framer.push(both.subarray(cut))];
      expect(
        frames.map((frame) => (frame.kind === 'message' ? Buffer.from(frame.bytes) : frame)),
      ).toEqual([message('hello'), message('')]);
      expect(framer.pendingBytes).toBe(0);
    }
  });

  it('a frame keeps its bytes when more come in', () => {
    const framer = new StreamFramer();
    const [first] = framer.push(message('hello'));
    framer.push(message('world'));
    expect(first?.kind === 'message' && Buffer.from(first.bytes).toString()).toMatch(/hello$/);
  });

  it('5626-4.4.1-a CRLFCRLF is a ping, whole or in parts; a lone CRLF is nothing', () => {
    expect(kinds(new StreamFramer().push(Buffer.from('\r\n\r\n')))).toEqual(['ping']);
    const framer = new StreamFramer();
    const frames = [...'\r\n\r\n'].flatMap((char) => framer.push(Buffer.from(char)));
    expect(kinds(frames)).toEqual(['ping']);
    expect(framer.pendingBytes).toBe(0);
    expect(
      kinds(new StreamFramer().push(Buffer.concat([Buffer.from('\r\n'), message('x')]))),
    ).toEqual(['message']);
    const mixed = Buffer.concat([message('a'), Buffer.from('\r\n\r\n'), message('b')]);
    expect(kinds(new StreamFramer().push(mixed))).toEqual(['message', 'ping', 'message']);
  });

  it('3261-20.14-a no, conflicting, negative and huge lengths end the stream', () => {
    const cases = [
      [['A sip:a SIP/2.0', 'X: y'], 'No Content-Length on a stream'],
      [['A sip:a SIP/2.0', 'l: 5', 'Content-Length: 6'], 'Conflicting Content-Length'],
      [['A sip:a SIP/2.0', 'l: -5'], 'Malformed Content-Length'],
      [['A sip:a SIP/2.0', 'l: 65536'], 'Message too large'],
    ] as const;
    for (const [lines, reason] of cases) {
      const framer = new StreamFramer();
      expect(kinds(framer.push(wire(...lines)))).toEqual([`fault: ${reason}`]);
      expect(framer.push(message('x'))).toEqual([]);
    }
  });

  it('a head without end is cut off, in bounded time and memory', () => {
    const framer = new StreamFramer();
    // CPU time: other processes may have the machine.
    const started = process.cpuUsage();
    let frames: Frame[] = [];
    for (let i = 0; i < 40_000 && frames.length === 0; i++) frames = framer.push(Buffer.from('a'));
    expect(kinds(frames)).toEqual(['fault: Head too large']);
    expect(process.cpuUsage(started).user).toBeLessThan(2_000_000);
  });
});
