/** All figures of `/metrics`. The only importer of prom-client; the others count through interfaces. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { MediaCounters } from '../media/index.ts';
import type { SipMetrics } from './ports.ts';

/** Asked at each scrape. */
export interface MetricSources {
  rooms: () => { rooms: number; browser: number; phone: number };
  media: () => MediaCounters;
  sip: () => { transactions: number; dialogs: number };
}

export interface Metrics {
  readonly contentType: string;
  /** Handed to the SIP stack. */
  readonly sip: SipMetrics;
  /** A part that exists now; what is not observed is not listed. */
  observe(sources: Partial<MetricSources>): void;
  storeDegraded: () => void;
  webhook: (outcome: string) => void;
  apiRefused: () => void;
  text(): Promise<string>;
}

/** The registered methods (RFC 3261 and extensions); any other text from the network is "OTHER". */
const SIP_METHODS = new Set([
  'ACK',
  'BYE',
  'CANCEL',
  'INFO',
  'INVITE',
  'MESSAGE',
  'NOTIFY',
  'OPTIONS',
  'PRACK',
  'PUBLISH',
  'REFER',
  'REGISTER',
  'SUBSCRIBE',
  'UPDATE',
]);
const TRANSPORTS = new Set(['udp', 'tcp', 'tls', 'ws', 'wss']);
const SETUP_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 32];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const storeDegraded = new Counter({
    name: 'parley_store_degraded_total',
    help: 'Store calls that memory answered because Redis did not',
    registers,
  });
  const webhooks = new Counter({
    name: 'parley_webhook_deliveries_total',
    help: 'Webhook deliveries tried, by outcome; dropped: never queued',
    labelNames: ['outcome'],
    registers,
  });
  const apiRefused = new Counter({
    name: 'parley_api_refused_total',
    help: 'API requests without the right key',
    registers,
  });
  const sources: Partial<MetricSources> = {};

  return {
    contentType: registry.contentType,
    sip: createSipMetrics(registry),
    observe: (more) => {
      Object.assign(sources, more);
      if (more.rooms !== undefined) observeRooms(registry, more.rooms);
      if (more.media !== undefined) observeMedia(registry, more.media);
      if (more.sip !== undefined) observeSip(registry, more.sip);
    },
    storeDegraded: () => {
      storeDegraded.inc();
    },
    webhook: (outcome) => {
      webhooks.inc({ outcome });
    },
    apiRefused: () => {
      apiRefused.inc();
    },
    text: async () => {
      const text = await registry.metrics();

      return sources.media === undefined ? text : `${text}${mixerHistogram(sources.media())}`;
    },
  };
}

function createSipMetrics(registry: Registry): SipMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'parley_sip_requests_total',
    help: 'SIP requests',
    labelNames: ['method', 'direction'],
    registers,
  });
  const responses = new Counter({
    name: 'parley_sip_responses_total',
    help: 'SIP responses',
    labelNames: ['code', 'direction'],
    registers,
  });
  const request = (method: string, direction: string): void => {
    requests.inc({ method: SIP_METHODS.has(method) ? method : 'OTHER', direction });
  };
  const response = (code: number, direction: string): void => {
    if (!Number.isInteger(code) || code < 100 || code > 699) return;
    responses.inc({ code: String(code), direction });
  };

  return {
    requestIn: (method) => {
      request(method, 'in');
    },
    requestOut: (method) => {
      request(method, 'out');
    },
    responseIn: (code) => {
      response(code, 'in');
    },
    responseOut: (code) => {
      response(code, 'out');
    },
    malformed: createMalformedCounter(registry),
    ...createCallMetrics(registry),
  };
}

function createMalformedCounter(registry: Registry): SipMetrics['malformed'] {
  const malformed = new Counter({
    name: 'parley_sip_malformed_total',
    help: 'What came over a SIP transport and is no SIP message',
    labelNames: ['transport'],
    registers: [registry],
  });

  return (transport) => {
    const name = transport.toLowerCase();
    malformed.inc({ transport: TRANSPORTS.has(name) ? name : 'other' });
  };
}

function createCallMetrics(registry: Registry): Pick<SipMetrics, 'callSetup' | 'reinvite'> {
  const setup = new Histogram({
    name: 'parley_call_setup_seconds',
    help: 'From an INVITE to its final answer',
    buckets: SETUP_BUCKETS,
    registers: [registry],
  });
  const reinvites = new Counter({
    name: 'parley_reinvites_total',
    help: 'INVITEs inside a call, by what they were for and how they ended',
    labelNames: ['reason', 'outcome'],
    registers: [registry],
  });
  const reason = boundedLabel();
  const outcome = boundedLabel();

  return {
    callSetup: (seconds) => {
      setup.observe(seconds);
    },
    reinvite: (why, how) => {
      reinvites.inc({ reason: reason(why), outcome: outcome(how) });
    },
  };
}

function observeRooms(registry: Registry, counts: MetricSources['rooms']): void {
  new Gauge({
    name: 'parley_rooms',
    help: 'Rooms with somebody in them',
    registers: [registry],
    collect() {
      this.set(counts().rooms);
    },
  });
  new Gauge({
    name: 'parley_participants',
    help: 'Members of rooms',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      const { browser, phone } = counts();
      this.set({ kind: 'browser' }, browser);
      this.set({ kind: 'phone' }, phone);
    },
  });
}

function observeSip(registry: Registry, open: MetricSources['sip']): void {
  gauge(registry, 'parley_sip_transactions', 'SIP transactions now', () => open().transactions);
  gauge(registry, 'parley_sip_dialogs', 'SIP dialogs now', () => open().dialogs);
}

function observeMedia(registry: Registry, counters: MetricSources['media']): void {
  new Counter({
    name: 'parley_rtp_packets_total',
    help: 'RTP packets of phone legs',
    labelNames: ['direction'],
    registers: [registry],
    collect() {
      const { rtpPacketsIn, rtpPacketsOut } = counters();
      this.reset();
      this.inc({ direction: 'in' }, rtpPacketsIn);
      this.inc({ direction: 'out' }, rtpPacketsOut);
    },
  });
  total(registry, 'parley_rtp_lost_total', 'RTP packets of phones that never came', () => {
    return counters().rtpLost;
  });
  total(registry, 'parley_mixer_late_frames_total', 'Frames mixed too late', () => {
    return counters().mixerLateFrames;
  });
  total(registry, 'parley_media_worker_deaths_total', 'mediasoup workers that died', () => {
    return counters().workerDeaths;
  });
  new Gauge({
    name: 'parley_media_open',
    help: 'What the media engine holds open now',
    labelNames: ['what'],
    registers: [registry],
    collect() {
      const { phoneLegs, rtpPorts, transports, producers, consumers } = counters().open;
      const open = { phone_legs: phoneLegs, rtp_ports: rtpPorts, transports, producers, consumers };
      for (const [what, value] of Object.entries(open)) this.set({ what }, value);
    },
  });
}

function gauge(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(value());
    },
  });
}

/** A counter that is counted elsewhere. */
function total(registry: Registry, name: string, help: string, value: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(value());
    },
  });
}

/** prom-client has no histogram that is counted elsewhere, so this one is written by hand. */
function mixerHistogram(counters: MediaCounters): string {
  const name = 'parley_mixer_frame_seconds';
  const { buckets, sum, count } = counters.mixerFrameSeconds;
  const lines = [
    `# HELP ${name} Time to mix one frame of a room`,
    `# TYPE ${name} histogram`,
    ...buckets
      .filter(({ le }) => Number.isFinite(le))
      .map(({ le, count: below }) => `${name}_bucket{le="${le}"} ${below}`),
    `${name}_bucket{le="+Inf"} ${count}`,
    `${name}_sum ${sum}`,
    `${name}_count ${count}`,
  ];

  return `${lines.join('\n')}\n`;
}

/** The first values as they are, later new ones as "other": a label must not grow without end. */
function boundedLabel(limit = 32): (value: string) => string {
  const seen = new Set<string>();

  return (value) => {
    if (!seen.has(value) && seen.size >= limit) return 'other';
    seen.add(value);

    return value;
  };
}
