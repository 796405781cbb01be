import { beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../../base/index.ts';
import { parseSdp, SdpError, type SdpSession } from '../../../../signaling/sdp/index.ts';
import {
  DEFAULT_NEGOTIATION,
  initialTraits,
  PhoneVideo,
} from '../../../../signaling/sip/negotiation/index.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

/** A description with a line of video: its codec and direction, or `port 0`. */
function sdp(video?: 'sendrecv' | 'recvonly' | 'sendonly' | 'port 0', codec = 'H264'): SdpSession {
  const lines = [
    ...['v=0', 'o=- 1 1 IN IP4 192.0.2.7', 's=-', 'c=IN IP4 192.0.2.7', 't=0 0'],
    'm=audio 4000 RTP/AVP 0',
    ...(video === undefined
      ? []
      : [
          `m=video ${video === 'port 0' ? 0 : 4002} RTP/AVP 97`,
          `a=rtpmap:97 ${codec}/90000`,
          ...(video === 'port 0' ? [] : [`a=${video}`]),
        ]),
  ];
  const session = parseSdp(lines.join('\r\n') + '\r\n');
  if (session instanceof SdpError) throw session;

  return session;
}

let clock: FakeClock;
let pictures: number;
let hasVideo: boolean;
let isHolding: boolean;
let hasPorts: boolean;
let offers: boolean[];
let failures: unknown[];
let outcomes: string[];
let answer: (withVideo: boolean) => { answer: SdpSession } | { status: number };
let enquiries: number;
let capabilities: SdpSession | undefined;
let applied: SdpError | undefined;
/** Between the first try and the second. */
let glare: (() => void) | undefined;

function phone(contact?: string): PhoneVideo {
  return new PhoneVideo({
    clock,
    logger: silentLogger,
    settings: DEFAULT_NEGOTIATION,
    counters: { reinvite: (reason, outcome) => outcomes.push(`${reason} ${outcome}`) },
    contact,
    call: {
      reoffer: (offer) => {
        const ask = (): boolean =>
          offer().media.some(({ type, port }) => type === 'video' && port !== 0);
        let withVideo = ask();
        offers.push(withVideo);
        if (glare !== undefined) {
          glare();
          glare = undefined;
          withVideo = ask();
          offers.push(withVideo);
        }

        return Promise.resolve(answer(withVideo));
      },
    },
    host: {
      get pictures() {
        return pictures;
      },
      get hasVideo() {
        return hasVideo;
      },
      get isHolding() {
        return isHolding;
      },
      serves: (_, { rtpMaps }) => rtpMaps.some(({ encodingName }) => encodingName === 'H264'),
      enquire: () => {
        enquiries += 1;

        return Promise.resolve(capabilities);
      },
      prepare: () => Promise.resolve(hasPorts),
      describe: (withVideo) => sdp(withVideo ? 'sendrecv' : 'port 0'),
      receiveAnswer: (their) => {
        hasVideo = their.media.some(({ type, port }) => type === 'video' && port !== 0);

        return Promise.resolve(applied);
      },
      fail: (error) => failures.push(error),
    },
  });
}

/** The call stands: `hasVideo` as the answer said. */
function established(video: PhoneVideo): void {
  hasVideo = video.wants;
  video.established();
}

beforeEach(() => {
  clock = new FakeClock();
  pictures = 0;
  hasVideo = false;
  isHolding = false;
  hasPorts = true;
  offers = [];
  failures = [];
  outcomes = [];
  applied = undefined;
  enquiries = 0;
  capabilities = undefined;
  glare = undefined;
  answer = (withVideo) => ({ answer: sdp(withVideo ? 'recvonly' : 'port 0') });
});

async function room(video: PhoneVideo, count: number): Promise<void> {
  pictures = count;
  video.changed();
  await clock.advanceAsync(5000);
}

describe('a plain phone and the pictures of its room', () => {
  it.each([
    ['with a line of audio alone', undefined],
    ['whose video nobody here can read', 'H261'],
  ])('%s is never re-INVITEd', async (_name, codec) => {
    const video = phone('<sip:desk@192.0.2.7>');
    video.noteOffer(codec === undefined ? sdp() : sdp('sendrecv', codec));
    established(video);
    for (const count of [1, 2, 0, 5]) await room(video, count);
    expect(offers).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gets an m=video with the first picture and loses it with the last, nothing between', async () => {
    const video = phone();
    video.noteOffer(sdp('recvonly'));
    expect(video.wants).toBe(false);
    established(video);
    for (const count of [1, 2, 3, 1]) await room(video, count);
    expect(offers).toEqual([true]);
    await room(video, 0);
    expect(offers).toEqual([true, false]);
    expect(outcomes).toEqual(['video accepted', 'video accepted']);
  });

  it('which the room has already are taken with its INVITE', () => {
    pictures = 2;
    const video = phone();
    video.noteOffer(sdp('recvonly'));
    expect(video.wants).toBe(true);
  });

  it('has one of its own: then it keeps the line while it sends', async () => {
    const video = phone();
    video.noteOffer(sdp('sendrecv'));
    expect(video.wants).toBe(true);
    established(video);
    await room(video, 1);
    await room(video, 0);
    expect(offers).toEqual([]);
    video.noteOffer(sdp('recvonly'));
    video.changed();
    await clock.advanceAsync(5000);
    expect(offers).toEqual([false]);
  });

  it.each([
    ['<sip:a@192.0.2.7>;audio;video', true],
    ['<sip:a@192.0.2.7>;video="TRUE"', true],
    ['<sip:a@192.0.2.7>;video="FALSE"', false],
    ['<sip:video@192.0.2.7;video>;audio', false],
    ['sip:a@192.0.2.7;video', true],
    [undefined, false],
  ])('says in its Contact that it could (RFC 3840 10.7): %s', (contact, isCapable) => {
    expect(initialTraits(contact).isCapable).toBe(isCapable);
  });

  it('said in its Contact that it could: its call of audio gets them', async () => {
    const video = phone('<sip:a@192.0.2.7>;video');
    video.noteOffer(sdp());
    established(video);
    await room(video, 1);
    expect(offers).toEqual([true]);
  });

  it.each([
    ['says that it can do video', sdp('port 0'), [true]],
    ['says that it cannot', sdp(), []],
    ['says nothing', undefined, []],
  ] as const)(
    '3261-11.2: was called with audio alone; asked once, when there is something to see, it %s',
    async (_name, can, offered) => {
      const video = phone();
      video.noteAnswer(sdp(), false);
      established(video);
      capabilities = can;
      await room(video, 0);
      expect(enquiries).toBe(0);
      for (const count of [1, 2, 1]) await room(video, count);
      expect(enquiries).toBe(1);
      expect(offers).toEqual(offered);
    },
  );

  it('called with audio alone: it had its say, and is not asked', async () => {
    const video = phone();
    video.noteOffer(sdp());
    established(video);
    await room(video, 1);
    expect(enquiries).toBe(0);
  });

  it('declines them: not asked again, until it asks itself', async () => {
    const video = phone();
    video.noteOffer(sdp('recvonly'));
    established(video);
    answer = () => ({ answer: sdp('port 0') });
    await room(video, 1);
    await room(video, 0);
    await room(video, 2);
    expect(offers).toEqual([true]);
    video.noteOffer(sdp('recvonly'));
    expect(video.wants).toBe(true);
  });

  it('holds the call: asked nothing until it is back', async () => {
    const video = phone();
    video.noteOffer(sdp('recvonly'));
    established(video);
    isHolding = true;
    await room(video, 1);
    expect(offers).toEqual([]);
    isHolding = false;
    video.changed();
    await clock.advanceAsync(5000);
    expect(offers).toEqual([true]);
  });

  it('holds the call while our offer waits after glare: the offer then changes nothing', async () => {
    const video = phone();
    video.noteOffer(sdp('recvonly'));
    established(video);
    glare = () => {
      isHolding = true;
    };
    await room(video, 1);
    expect(offers).toEqual([true, false]);
    expect(hasVideo).toBe(false);
    isHolding = false;
    video.changed();
    await clock.advanceAsync(5000);
    expect(offers).toEqual([true, false, true]);
  });

  it('answers with nonsense: the call is over, and nothing is asked any more', async () => {
    const video = phone();
    video.noteOffer(sdp('recvonly'));
    established(video);
    applied = new SdpError('nonsense');
    await room(video, 1);
    await room(video, 0);
    expect(failures).toEqual([applied]);
    expect(offers).toEqual([true]);
  });

  it('refuses re-INVITEs: it keeps what it has', async () => {
    const video = phone();
    video.noteOffer(sdp('recvonly'));
    established(video);
    answer = () => ({ status: 488 });
    pictures = 1;
    video.changed();
    await clock.advanceAsync(10 * 60_000);
    expect(offers).toHaveLength(1 + DEFAULT_NEGOTIATION.rests.length);
    expect(outcomes.every((each) => each === 'video refused')).toBe(true);
    video.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
