/** Size: a peer's leg and a browser's answers, which all these rules need, stand with them. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { types as mediasoup } from 'mediasoup';
import { silentLogger, type ConsumerId, type ProducerId } from '../../../../base/index.ts';
import type {
  ConsumerParameters,
  ProducerInfo,
  WebRtcTransportParameters,
} from '../../../../media/index.ts';
import {
  findAttribute,
  parseSdp,
  SdpError,
  writeSdp,
  type SdpDirection,
  type SdpMedia,
  type SdpSession,
} from '../../../../signaling/sdp/index.ts';
import {
  peerProfile,
  WebRtcSession,
  type RoomStream,
} from '../../../../signaling/sip/negotiation/index.ts';
import { FakeRoomMedia, FakeWebRtcLeg } from '../../../support/fake-media-engine.ts';
import { ROUTER } from '../../../support/router-capabilities.ts';
import { projectPath } from '../../../support/scratch.ts';

/** As the real leg: numbers of the router, SSRCs of its own. */
class Leg extends FakeWebRtcLeg {
  readonly closedConsumers: string[] = [];
  readonly unavailable = new Set<string>();
  /** Of the pictures that the peer publishes. */
  readonly codecs: string[] = [];
  consumed: string[] = [];
  restarts = 0;
  #ssrc = 1000;

  override createTransport(): Promise<WebRtcTransportParameters> {
    return Promise.resolve({
      id: 't1',
      iceParameters: { usernameFragment: 'uuuu', password: 'p'.repeat(24), iceLite: true },
      iceCandidates: [
        {
          foundation: 'udpcandidate',
          priority: 1076302079,
          address: '192.0.2.1',
          ip: '192.0.2.1',
          protocol: 'udp',
          port: 44444,
          type: 'host',
        },
      ],
      dtlsParameters: {
        fingerprints: [{ algorithm: 'sha-256', value: 'AA'.concat(':AA'.repeat(31)) }],
      },
    });
  }

  override restartIce(): Promise<mediasoup.IceParameters> {
    this.restarts += 1;

    return Promise.resolve({ usernameFragment: 'vvvv', password: 'q'.repeat(24), iceLite: true });
  }

  override produce(options: Parameters<FakeWebRtcLeg['produce']>[0]): Promise<ProducerInfo> {
    const { kind, rtpParameters } = options;
    if (kind === 'video') this.codecs.push(rtpParameters.codecs[0]!.mimeType);

    return super.produce(options);
  }

  override consume(
    producerId: ProducerId,
    capabilities?: mediasoup.RtpCapabilities,
  ): Promise<ConsumerParameters> {
    this.consumed.push(producerId);
    if (this.unavailable.has(producerId)) return Promise.reject(new Error('no common codec'));
    const kind = producerId.startsWith('video') ? 'video' : 'audio';
    const codecs = (capabilities?.codecs ?? []).filter(
      ({ mimeType }) => mimeType === 'audio/opus' || mimeType === 'video/VP8',
    );

    return Promise.resolve({
      id: `c-${producerId}` as ConsumerId,
      producerId,
      kind,
      producerPaused: false,
      rtpParameters: {
        codecs: codecs.map(({ preferredPayloadType, mimeType, clockRate, channels }) => ({
          mimeType,
          clockRate,
          ...(channels !== undefined && { channels }),
          payloadType: preferredPayloadType ?? 0,
        })),
        headerExtensions: (capabilities?.headerExtensions ?? []).map(({ uri, preferredId }) => ({
          uri,
          id: preferredId,
        })),
        encodings: [{ ssrc: (this.#ssrc += 1) }],
        rtcp: { cname: 'room' },
      },
    });
  }

  override closeConsumer(consumerId?: ConsumerId): Promise<void> {
    this.closedConsumers.push(String(consumerId));

    return Promise.resolve();
  }
}

const OFFER = readFileSync(projectPath('test/fixtures/webrtc/jssip-video.sdp'), 'utf8');

let leg: Leg;
let room: FakeRoomMedia;
let session: WebRtcSession;

function parsed(text: string): SdpSession {
  const sdp = parseSdp(text);
  if (sdp instanceof SdpError) throw sdp;

  return sdp;
}

function stream(participant: string, kind: 'audio' | 'video'): RoomStream {
  const id = `${kind}-${participant}` as ProducerId;

  return { id, kind, participant, label: `${participant}.${kind}`, content: 'main' };
}

/** Microphone and camera of each. */
function want(...participants: string[]): void {
  session.want(participants.flatMap((name) => [stream(name, 'audio'), stream(name, 'video')]));
}

async function answer(text: string): Promise<SdpSession> {
  const outcome = await session.answer(parsed(text));
  if ('reject' in outcome) throw new Error(outcome.reject.warning.text);
  await session.flow();

  return parsed(writeSdp(outcome.sdp));
}

const MIRROR: Record<SdpDirection, SdpDirection> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/** What a browser says to an offer of ours; `edit` may change each m-line. */
function browserAnswer(
  offer: SdpSession,
  edit: (media: SdpMedia) => Partial<SdpMedia> = () => ({}),
): SdpSession {
  const own = parsed(OFFER);
  const media = offer.media.map((offered, index) => {
    const mine = own.media[index];
    const answered: SdpMedia = {
      ...offered,
      direction: MIRROR[offered.direction ?? 'sendrecv'],
      attributes: [
        ...(mine ?? offered).attributes.filter(({ name }) => name.startsWith('ssrc') && mine),
        findAttribute(offered, 'mid')!,
      ],
    };

    return { ...answered, ...edit(offered) };
  });

  return { ...own, media };
}

/** One exchange of ours. */
async function exchange(edit?: (media: SdpMedia) => Partial<SdpMedia>): Promise<SdpSession> {
  expect(await session.prepare()).toBe(true);
  const offer = parsed(writeSdp(session.offer()));
  expect(await session.applyAnswer(browserAnswer(offer, edit))).toBeUndefined();

  return offer;
}

/** mid → whose stream. */
function carried(sdp: SdpSession): Record<string, string> {
  return Object.fromEntries(
    sdp.media.map((media) => [
      findAttribute(media, 'mid')?.value ?? '',
      `${media.port === 0 ? 'refused ' : ''}${media.direction ?? ''} ${findAttribute(media, 'label')?.value ?? ''}`.trim(),
    ]),
  );
}

beforeEach(() => {
  room = new FakeRoomMedia();
  leg = new Leg(room);
  session = new WebRtcSession({
    leg,
    router: ROUTER,
    profile: peerProfile({ userAgent: 'JsSIP 3.13.8', bundles: true, names: true }),
    limits: { audio: 16, video: 3 },
    sessionId: '42',
    logger: silentLogger,
  });
});

describe("the answer to a browser's offer", () => {
  it('3264-6-a: has the m-lines of the offer; the microphone is taken, the first voice is sent', async () => {
    want('ann', 'bob');
    const sdp = await answer(OFFER);
    expect(carried(sdp)).toEqual({ '0': 'sendrecv ann.audio', '1': 'recvonly' });
    expect(room.producers().map(({ kind, source }) => `${kind} ${source}`)).toEqual([
      'audio microphone',
      'video camera',
    ]);
    expect(leg.paused.get('c-audio-ann' as ConsumerId)).toBe(false);
  });

  it('8445-6.1.1: leaves the peer in control, as it says that it is lite and takes no part in choosing', async () => {
    const text = writeSdp(await answer(OFFER));
    expect(OFFER).not.toContain('ice-lite');
    expect(text).toMatch(/^v=0[^]*\r\na=ice-lite\r\n[^]*\r\nm=audio /);
    expect(text).not.toMatch(/a=(ice-options:.*trickle|remote-candidates)/);
  });

  it('8839-4.2.1.4-a: is ICE-lite with one candidate, which c= and m= name', async () => {
    const text = writeSdp(await answer(OFFER));
    expect(text).toContain('a=ice-lite\r\n');
    expect(text).toMatch(/m=audio 44444 UDP\/TLS\/RTP\/SAVPF/);
    expect(text).toContain('c=IN IP4 192.0.2.1\r\n');
    expect(text).toContain(
      'a=candidate:udpcandidate 1 udp 1076302079 192.0.2.1 44444 typ host\r\n',
    );
    expect(text).toContain('a=setup:passive\r\n');
    expect(text).toContain('a=group:BUNDLE 0 1\r\n');
  });

  it('9143-7.3-a: refuses what it cannot use, which leaves the group', async () => {
    const text = OFFER.replace('a=group:BUNDLE 0 1', 'a=group:BUNDLE 0 1 2').concat(
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\n',
    );
    const sdp = await answer(text);
    expect(sdp.media[2]).toMatchObject({ type: 'application', port: 0 });
    expect(findAttribute(sdp, 'group')?.value).toBe('BUNDLE 0 1');
  });

  it('8839-4.4.1.1.1-a: an ICE restart gets new credentials, a hold keeps the old ones', async () => {
    const first = await answer(OFFER);
    const held = await answer(OFFER.replaceAll('a=sendrecv', 'a=sendonly'));
    const again = await answer(OFFER.replaceAll(/ice-ufrag:\S+/g, 'ice-ufrag:other'));
    const ufrags = [first, held, again].map(({ media }) => findAttribute(media[0]!, 'ice-ufrag'));
    expect(ufrags.map((each) => each?.value)).toEqual(['uuuu', 'uuuu', 'vvvv']);
    expect([first, held, again].map(({ origin }) => origin.version)).toEqual(['1', '2', '3']);
  });

  it('8842-5.3-a: another certificate is refused, and the session stays', async () => {
    await answer(OFFER);
    const other = parsed(OFFER.replaceAll(/sha-256 ..:..:/g, 'sha-256 00:01:'));
    expect(await session.answer(other)).toMatchObject({ reject: { status: 488 } });
    expect(session.audioDirection).toBe('sendrecv');
  });

  it('keeps the streams of the room while it is on hold silent, and asks for nothing', async () => {
    want('ann');
    await answer(OFFER);
    await answer(OFFER.replaceAll('a=sendrecv', 'a=sendonly'));
    expect(leg.paused.get('c-audio-ann' as ConsumerId)).toBe(true);
    want('ann', 'bob');
    expect(session.isBehind).toBe(false);
    await answer(OFFER.replaceAll('a=sendrecv', 'a=inactive'));
    const { id } = room.producers()[0]!;
    expect(leg.paused.get(id)).toBe(true);
    await answer(OFFER);
    expect(leg.paused.get(id)).toBe(false);
    expect(session.isBehind).toBe(true);
  });
});

describe('our offers', () => {
  it('bring each participant a pair of m-lines, named after it', async () => {
    want('ann', 'bob');
    await answer(OFFER);
    const sdp = await exchange();
    expect(carried(sdp)).toEqual({
      '0': 'sendrecv ann.audio',
      '1': 'recvonly',
      a2: 'sendonly bob.audio',
      v3: 'sendonly ann.video',
      v4: 'sendonly bob.video',
    });
    expect(sdp.media.map((media) => findAttribute(media, 'setup')?.value)).toEqual(
      Array.from({ length: 5 }, () => 'actpass'),
    );
    expect(sdp.media.slice(2).map((media) => findAttribute(media, 'msid')?.value)).toEqual([
      'bob audio-bob',
      'ann video-ann',
      'bob video-bob',
    ]);
    expect(session.isBehind).toBe(false);
    expect(leg.paused.get('c-video-bob' as ConsumerId)).toBe(false);
  });

  it('give the m-lines of one who left to the next', async () => {
    want('ann', 'bob');
    await answer(OFFER);
    await exchange();
    want('bob');
    expect(carried(await exchange())).toMatchObject({
      '0': 'sendrecv',
      a2: 'sendonly bob.audio',
      v3: 'inactive',
    });
    expect(leg.closedConsumers).toEqual(['c-audio-ann', 'c-video-ann']);
    want('bob', 'cat');
    expect(carried(await exchange())).toEqual({
      '0': 'sendrecv cat.audio',
      '1': 'recvonly',
      a2: 'sendonly bob.audio',
      v3: 'sendonly cat.video',
      v4: 'sendonly bob.video',
    });
  });

  it('8866-5.14: list codecs in the m-line of a stream that ended before its answer came', async () => {
    want('ann');
    await answer(OFFER);
    await session.prepare();
    const offer = session.offer();
    for (const id of ['c-audio-ann', 'c-video-ann'] as ConsumerId[]) {
      leg.events.emit('consumerClosed', id);
    }
    await session.applyAnswer(browserAnswer(offer));
    want();
    const empty = (await exchange()).media.slice(2);
    expect(empty.map(({ direction }) => direction)).toEqual(['inactive']);
    expect(empty.map(({ formats }) => formats.length > 0)).toEqual([true]);
  });

  it('9143-7.3-a: use a payload number for one codec in the whole call', async () => {
    want('ann', 'bob');
    await answer(OFFER);
    const meanings = new Map<number, Set<string>>();
    for (const { rtpMaps } of (await exchange()).media) {
      for (const { payloadType, encodingName } of rtpMaps) {
        const known = meanings.get(payloadType) ?? new Set();
        meanings.set(payloadType, known.add(encodingName));
      }
    }
    expect([...meanings.values()].every((names) => names.size === 1)).toBe(true);
  });

  it('show as many as may be seen', async () => {
    want('ann', 'bob', 'cat', 'dan', 'eve');
    await answer(OFFER);
    const shown = Object.values(carried(await exchange())).filter((each) =>
      each.endsWith('.video'),
    );
    expect(shown).toEqual(['sendonly ann.video', 'sendonly bob.video', 'sendonly cat.video']);
  });

  it('do not ask again for m-lines that were refused', async () => {
    want('ann', 'bob');
    await answer(OFFER);
    await exchange((media) =>
      media.type === 'video' && media.direction === 'sendonly' ? { port: 0 } : {},
    );
    expect(session.isBehind).toBe(true);
    // One of the three that may be is left: two were refused.
    await exchange((media) => (findAttribute(media, 'mid')?.value === 'v5' ? { port: 0 } : {}));
    expect(session.isBehind).toBe(false);
  });

  it('end with a peer that answers with fewer m-lines, and what it answered stays', async () => {
    want('ann', 'bob');
    await answer(OFFER);
    expect(await session.prepare()).toBe(true);
    const full = browserAnswer(session.offer());
    expect(await session.applyAnswer({ ...full, media: full.media.slice(0, 3) })).toBeUndefined();
    expect(session.isBehind).toBe(false);
    expect(leg.paused.get('c-audio-bob' as ConsumerId)).toBe(false);
    expect(leg.paused.get('c-video-bob' as ConsumerId) ?? true).toBe(true);
    want('bob');
    expect((await exchange()).media).toHaveLength(3);
  });

  it('are answered m-line by m-line, or not at all', async () => {
    want('ann', 'bob');
    await answer(OFFER);
    await session.prepare();
    const full = browserAnswer(session.offer());
    const swapped = { ...full, media: [full.media[1]!, full.media[0]!, ...full.media.slice(2)] };
    expect(await session.applyAnswer(swapped)).toBeInstanceOf(SdpError);
  });

  it('do not come back to a stream that this peer cannot have', async () => {
    leg.unavailable.add('video-bob');
    want('ann', 'bob');
    await answer(OFFER);
    await exchange();
    expect(session.isBehind).toBe(false);
    expect(leg.consumed.filter((id) => id === 'video-bob')).toHaveLength(1);
  });

  it('stop when the peer takes none: the m-lines that it has are used', async () => {
    want('ann', 'bob');
    await answer(OFFER);
    session.freeze();
    expect(session.isBehind).toBe(false);
  });
});

describe('an ICE restart of ours', () => {
  const ufrags = (sdp: SdpSession): (string | undefined)[] =>
    sdp.media.map((media) => findAttribute(media, 'ice-ufrag')?.value);
  /** The peer has new credentials too. */
  const restarted = (offer: SdpSession, text = OFFER): SdpSession => {
    const answered = browserAnswer(offer);
    const own = parsed(text.replaceAll(/ice-ufrag:\S+/g, 'ice-ufrag:theirs'));
    const [audio, ...rest] = answered.media;
    const names = ['ice-ufrag', 'ice-pwd', 'fingerprint', 'setup'];
    const transport = own.media[0]!.attributes.filter(({ name }) => names.includes(name));

    return {
      ...answered,
      media: [{ ...audio!, attributes: [...audio!.attributes, ...transport] }, ...rest],
    };
  };

  it('8839-4.4.1.1.1-a: has new credentials in all m-lines, and the rest as it was', async () => {
    const before = await answer(OFFER);
    await session.restartIce();
    expect(await session.prepare()).toBe(false);
    const offer = parsed(writeSdp(session.offer()));
    expect(ufrags(offer)).toEqual(['vvvv', 'vvvv']);
    expect(carried(offer)).toEqual({ '0': 'sendrecv', '1': 'recvonly' });
    expect(findAttribute(offer.media[0]!, 'fingerprint')).toEqual(
      findAttribute(before.media[0]!, 'fingerprint'),
    );
    expect(await session.applyAnswer(restarted(offer))).toBeUndefined();
    // Its new credentials are known: with them in an offer of its own it restarts nothing.
    leg.restarts = 0;
    const theirs = OFFER.replaceAll(/ice-ufrag:\S+/g, 'ice-ufrag:theirs');
    expect(ufrags(await answer(theirs))).toEqual(['vvvv', 'vvvv']);
    expect(leg.restarts).toBe(0);
  });

  it('that is refused leaves those in use, and the next try brings the same', async () => {
    await answer(OFFER);
    await session.restartIce();
    session.offer();
    await session.abandon(500);
    expect(ufrags(await answer(OFFER))).toEqual(['uuuu', 'uuuu']);
    await session.restartIce();
    expect(ufrags(parsed(writeSdp(session.offer())))).toEqual(['vvvv', 'vvvv']);
    expect(leg.restarts).toBe(1);
  });

  it('8842-5.3-a: answered with another certificate is none', async () => {
    await answer(OFFER);
    await session.restartIce();
    const strange = OFFER.replaceAll(/sha-256 ..:..:/g, 'sha-256 00:01:');
    const answered = restarted(parsed(writeSdp(session.offer())), strange);
    expect(await session.applyAnswer(answered)).toBeInstanceOf(SdpError);
  });
});

describe("the peer's own picture while phones see H.264 alone", () => {
  const codecs = (sdp: SdpSession): string[] =>
    sdp.media[1]!.rtpMaps.map(({ encodingName, payloadType }) => `${encodingName} ${payloadType}`);
  const sent = (): string[] => {
    expect(room.producers().filter(({ kind }) => kind === 'video')).toHaveLength(1);

    return leg.codecs.slice(-1);
  };

  it('3264-8.3.2: is asked for in H.264 by one offer, which lists what it was in too', async () => {
    await answer(OFFER);
    expect(sent()).toEqual(['video/VP8']);
    session.wish('H264');
    expect(session.isBehind).toBe(true);
    expect(codecs(await exchange())).toEqual(['H264 108', 'rtx 109', 'VP8 96', 'rtx 97']);
    expect(sent()).toEqual(['video/H264']);
    expect(session.isBehind).toBe(false);
  });

  it('goes back to what the peer likes, by one more', async () => {
    await answer(OFFER);
    session.wish('H264');
    await exchange();
    session.wish(undefined);
    expect(session.isBehind).toBe(true);
    expect(codecs(await exchange())[0]).toBe('VP8 96');
    expect(sent()).toEqual(['video/VP8']);
    expect(session.isBehind).toBe(false);
  });

  it('is taken in H.264 at once of who comes later', async () => {
    session.wish('H264');
    expect(codecs(await answer(OFFER))).toEqual(['H264 108', 'rtx 109']);
    expect(sent()).toEqual(['video/H264']);
    expect(session.isBehind).toBe(false);
  });

  it('is what its answer says, and it is not asked again', async () => {
    await answer(OFFER);
    session.wish('H264');
    await exchange((media) => (media.type === 'video' ? { formats: ['96', '97'] } : {}));
    expect(sent()).toEqual(['video/VP8']);
    expect(session.isBehind).toBe(false);
  });

  it('stays as it was with a peer that refuses such an offer, and streams go on being offered', async () => {
    await answer(OFFER);
    session.wish('H264');
    expect(await session.prepare()).toBe(true);
    session.offer();
    await session.abandon(488);
    expect(session.isBehind).toBe(false);
    want('ann');
    expect(codecs(await exchange())[0]).toBe('VP8 96');
    expect(sent()).toEqual(['video/VP8']);
  });

  it('comes as one offer with what else is new', async () => {
    await answer(OFFER);
    session.wish('H264');
    want('ann');
    expect(Object.values(carried(await exchange()))).toContain('sendonly ann.video');
    expect(sent()).toEqual(['video/H264']);
    expect(session.isBehind).toBe(false);
  });

  it('is not asked for while it sends none, nor where it knows no H.264', async () => {
    await answer(OFFER.replace(/(m=video[^]*)a=sendrecv/, '$1a=recvonly'));
    session.wish('H264');
    expect(session.isBehind).toBe(false);
    await answer(OFFER.replaceAll('H264/90000', 'H265/90000'));
    expect(session.isBehind).toBe(false);
    expect(sent()).toEqual(['video/VP8']);
  });
});
