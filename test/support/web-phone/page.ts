/** Runs in the browser: a phone made of JsSIP or SIP.js, driven by `test/support/web-phone.ts`. */
import { JsSipPhone } from './jssip-phone.ts';
import { SipJsPhone } from './sipjs-phone.ts';
import { createSource } from './source.ts';
import type { PagePhone, PhoneEvent, WebPhoneSettings } from './page-api.ts';

const peerConnections: RTCPeerConnection[] = [];
const events: PhoneEvent[] = [];
let phone: PagePhone | undefined;
let simulcast = false;

// Every peer connection is seen, whatever the library does with it.
const NativePeerConnection = RTCPeerConnection;
globalThis.RTCPeerConnection = class extends NativePeerConnection {
  constructor(configuration?: RTCConfiguration) {
    super(configuration);
    peerConnections.push(this);
    this.addEventListener('track', ({ track, streams, transceiver }) => {
      // SIP.js stops each track of a kind when the next one comes; what it leaves us is our own copy.
      play(track.clone(), streams[0]?.id ?? '', transceiver.mid ?? '');
    });
  }

  override addTrack(track: MediaStreamTrack, ...streams: MediaStream[]): RTCRtpSender {
    if (!simulcast || track.kind !== 'video') return super.addTrack(track, ...streams);
    const sendEncodings = [{ rid: 'h' }, { rid: 'l', scaleResolutionDownBy: 2 }];

    return this.addTransceiver(track, { streams, sendEncodings }).sender;
  }
};

/** Chromium decodes only what an element plays. */
function play(track: MediaStreamTrack, streamId: string, mid: string): void {
  const before = document.querySelector(`[data-mid="${mid}"]`);
  before?.remove();
  const element = document.createElement(track.kind === 'audio' ? 'audio' : 'video');
  element.srcObject = new MediaStream([track]);
  element.autoplay = true;
  element.muted = track.kind === 'video';
  element.dataset['mid'] = mid;
  element.dataset['stream'] = streamId;
  document.body.append(element);
}

const api = {
  async start(settings: WebPhoneSettings): Promise<void> {
    simulcast = settings.simulcast === true;
    const source = await createSource(settings);
    const report = (event: PhoneEvent): void => void events.push(event);
    const options = { settings, source, report };
    phone = settings.library === 'jssip' ? new JsSipPhone(options) : new SipJsPhone(options);
    await phone.start();
  },
  call(target: string): void {
    phone!.call(target);
  },
  hangUp(): void {
    phone!.hangUp();
  },
  hold(held: boolean): void {
    phone!.hold(held);
  },
  sendKey(key: string): void {
    phone!.sendKey(key);
  },
  restartIce(): void {
    phone!.restartIce();
  },
  async stop(): Promise<void> {
    await phone?.stop();
  },
  events: (): PhoneEvent[] => events,
  state: () => {
    const [connection] = peerConnections;

    return {
      connection: connection?.connectionState ?? 'none',
      ice: connection?.iceConnectionState ?? 'none',
      local: connection?.localDescription?.sdp ?? '',
      remote: connection?.remoteDescription?.sdp ?? '',
      transceivers: (connection?.getTransceivers() ?? []).map((each) => ({
        mid: each.mid,
        direction: each.currentDirection,
        kind: each.receiver.track.kind,
        muted: each.receiver.track.muted,
      })),
      videos: [...document.querySelectorAll('video')].map((element) => ({
        mid: element.dataset['mid'] ?? '',
        stream: element.dataset['stream'] ?? '',
        time: element.currentTime,
        width: element.videoWidth,
      })),
    };
  },
  async statistics(): Promise<Record<string, unknown>[]> {
    const all = await Promise.all(peerConnections.map((each) => each.getStats()));

    return all.flatMap((report) => [
      ...(report as unknown as Map<string, object>).values(),
    ]) as Record<string, unknown>[];
  },
};

(globalThis as unknown as { webPhone: typeof api }).webPhone = api;

export type WebPhoneApi = typeof api;
