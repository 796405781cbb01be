import type { types as mediasoup } from 'mediasoup';
import { TypedEmitter } from '../../base/index.ts';
import type { DoorCodec, PhoneDoor, PhoneDoorEvents } from '../../media/index.ts';

/** A door into nothing: it shows what it was told. */
export class FakeDoor implements PhoneDoor {
  readonly events = new TypedEmitter<PhoneDoorEvents>();
  readonly codecs: readonly DoorCodec[];
  readonly rtpPort: number;
  ice: mediasoup.IceParameters = {
    usernameFragment: 'door1',
    password: 'p'.repeat(24),
    iceLite: true,
  };
  readonly candidates = [
    {
      foundation: 'udpcandidate',
      priority: 1_076_302_079,
      address: '192.0.2.1',
      ip: '192.0.2.1',
      protocol: 'udp',
      port: 44_444,
      type: 'host',
    },
  ] as const;
  readonly fingerprints = [{ algorithm: 'sha-256', value: 'AA'.concat(':AA'.repeat(31)) }] as const;
  readonly sent: mediasoup.RtpParameters = {
    codecs: [],
    encodings: [{ ssrc: 4711 }],
    rtcp: { cname: 'mix' },
  };
  readonly inside = {
    remoteAddress: '127.0.0.1',
    remoteRtpPort: 50_000,
    remoteRtcpPort: 50_000,
    rtcpMux: true,
    sendSsrc: 1234,
  } as const;
  readonly connected: mediasoup.DtlsParameters[] = [];
  readonly received: (mediasoup.RtpParameters | undefined)[] = [];
  closed = false;

  constructor(codecs: readonly DoorCodec[], rtpPort: number) {
    this.codecs = codecs;
    this.rtpPort = rtpPort;
  }

  connect(dtls: mediasoup.DtlsParameters): Promise<void> {
    this.connected.push(dtls);

    return Promise.resolve();
  }

  restartIce(): Promise<void> {
    this.ice = { ...this.ice, usernameFragment: `${this.ice.usernameFragment}again` };

    return Promise.resolve();
  }

  receive(parameters: mediasoup.RtpParameters | undefined): Promise<void> {
    this.received.push(parameters);

    return Promise.resolve();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.events.emit('closed');
  }
}
