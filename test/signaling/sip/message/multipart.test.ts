import { describe, expect, it } from '@jest/globals';
import { bodyParts, type BodyPart } from '../../../../signaling/sip/message/index.ts';
import { anInvite, parsedRequest, received, textOf } from '../../../support/message-builder.ts';

function partsOf(
  content: string,
  type = 'multipart/mixed;boundary="b 1"',
): readonly BodyPart[] | undefined {
  return bodyParts(parsedRequest(textOf(received(anInvite({ body: { type, content } })))));
}

function texts(parts: readonly BodyPart[] | undefined): string[] | undefined {
  return parts?.map(
    ({ type, content }) => `${type} ${JSON.stringify(Buffer.from(content).toString())}`,
  );
}

const SDP = 'Content-Type: application/sdp\r\n\r\nv=0\r\n';

describe('a body of several parts (RFC 2046 5.1)', () => {
  it('preamble and epilogue are no parts, the last line end belongs to the delimiter', () => {
    const body = `hello\r\n--b 1\r\n${SDP}\r\n--b 1  \r\nc: Application/ISUP; x=y\r\nContent-Disposition: signal;handling=optional\r\n\r\n\x01--b 1\r\n\r\n--b 1--\r\nbye`;
    const parts = partsOf(body);
    expect(texts(parts)).toEqual([
      'application/sdp "v=0\\r\\n"',
      'application/isup "\\u0001--b 1\\r\\n"',
    ]);
    expect(parts?.[1]?.disposition).toBe('signal;handling=optional');
  });

  it('parts without header fields, or with nothing in them, are parts', () => {
    expect(texts(partsOf('--b 1\r\n\r\nx\r\n--b 1\r\n\r\n\r\n--b 1--'))).toEqual([
      'text/plain "x"',
      'text/plain ""',
    ]);
    expect(texts(partsOf(`--b 1\n${SDP.replaceAll('\r', '')}\n--b 1--\n`))).toEqual([
      'application/sdp "v=0\\n"',
    ]);
  });

  it.each([
    ['no end', `--b 1\r\n${SDP}\r\n`],
    ['a part without end', `--b 1\r\n${SDP}`],
    ['a head without end', '--b 1\r\nContent-Type: application/sdp\r\n--b 1--'],
    ['no part at all', 'v=0\r\n'],
    ['a malformed field', '--b 1\r\nnonsense\r\n\r\nx\r\n--b 1--'],
    ['a malformed type', '--b 1\r\nContent-Type: sdp\r\n\r\nx\r\n--b 1--'],
    ['more parts than anybody sends', `${'--b 1\r\n\r\nx\r\n'.repeat(18)}--b 1--`],
  ])('with %s it is malformed', (_name, body) => {
    expect(partsOf(body)).toBeUndefined();
  });

  it.each(['multipart/mixed', 'multipart/mixed;boundary=""', 'application/sdp;boundary="b 1"'])(
    'of type %s it has none',
    (type) => {
      expect(partsOf(`--b 1\r\n${SDP}\r\n--b 1--`, type)).toBeUndefined();
    },
  );

  it('hostile ones take no long time', () => {
    const started = process.cpuUsage();
    for (const filler of ['\n--b 1', '\n--b 1\n', '\n--b 1\n\n', '-', '\n--b', '\r\n']) {
      partsOf(filler.repeat(Math.floor(60_000 / filler.length)));
    }
    expect(process.cpuUsage(started).user).toBeLessThan(2_000_000);
  });
});
