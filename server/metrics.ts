/**
 * All figures of `/metrics`. The only importer of prom-client; the others count through interfaces.
 * Size: a list of independent figures.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { CallQuality, GridCounters, MediaCounters } from '../media/index.ts';
import { boundedLabel, methodLabel, transportLabel } from './metric-labels.ts';
import { mixerHistogram } from './metric-text.ts';
import type { SipMetrics } from './ports.ts';

/** Asked at each scrape. */
export interface MetricSources {
  rooms: () => { rooms: number; browser: number; phone: number };
  media: () => MediaCounters;
  sip: () => { transactions: number; dialogs: number };
  websocket: () => WebSocketCounts;
  prompts: () => { languages: number; fallbacks: number };
}

/** What browsers' sockets did since the start, and how many are open. */
export interface WebSocketCounts {
  connections: number;
  connectionsRefused: number;
  sockets: number;
  requests: number;
  failed: number;
  malformed: number;
  rateLimited: number;
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
  /** A call is over. */
  callEnded: (quality: Partial<CallQuality>) => void;
  text(): Promise<string>;
}

const SETUP_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 32];

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const storeDegraded = new Counter({
    name: 'parley_store_degraded_total',
    help: 'Store calls that memory answered because Redis did not',
    registers: [registry],
  });
  const webhooks = new Counter({
    name: 'parley_webhook_deliveries_total',
    help: 'Webhook deliveries tried, by outcome; dropped: never queued',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const apiRefused = new Counter({
    name: 'parley_api_refused_total',
    help: 'API requests without the right key',
    registers: [registry],
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
      if (more.websocket !== undefined) observeWebSocket(registry, more.websocket);
      if (more.prompts !== undefined) observePrompts(registry, more.prompts);
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
    callEnded: createQualityMetrics(registry),
    text: async () => {
      const text = await registry.metrics();

      return sources.media === undefined ? text : `${text}${mixerHistogram(sources.media())}`;
    },
  };
}

function createDialOutCounter(registry: Registry): SipMetrics['dialOut'] {
  const counter = new Counter({
    name: 'parley_dial_outs_total',
    help: 'Calls out of rooms that were asked for, by kind and outcome; limited: over a limit',
    labelNames: ['kind', 'outcome'],
    registers: [registry],
  });

  return (kind, outcome) => {
    counter.inc({ kind, outcome });
  };
}

/** In the base units of Prometheus: ratios and seconds. */
function createQualityMetrics(registry: Registry): Metrics['callEnded'] {
  const histogram = (name: string, help: string, buckets: number[]): Histogram =>
    new Histogram({ name, help, buckets, registers: [registry] });
  const times = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
  const mos = histogram(
    'parley_call_mos',
    'Opinion of finished calls, E-model',
    [1.5, 2, 2.5, 3, 3.5, 3.8, 4, 4.2, 4.4],
  );
  const loss = histogram(
    'parley_call_loss_ratio',
    'Lost packets of finished calls',
    [0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
  );
  const jitter = histogram('parley_call_jitter_seconds', 'Jitter of finished calls', times);
  const roundTrip = histogram('parley_call_round_trip_seconds', 'Round trip of calls', times);

  return (quality) => {
    if (quality.mos === undefined) return;
    mos.observe(quality.mos);
    loss.observe(quality.loss ?? 0);
    jitter.observe((quality.jitter ?? 0) / 1000);
    if (quality.roundTrip !== undefined) roundTrip.observe(quality.roundTrip / 1000);
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
    requests.inc({ method: methodLabel(method), direction });
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
    refused: createRefusedCounter(registry),
    ...createCallMetrics(registry),
    authentication: createAuthenticationCounter(registry),
    dialOut: createDialOutCounter(registry),
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
    malformed.inc({ transport: transportLabel(transport) });
  };
}

function createAuthenticationCounter(registry: Registry): SipMetrics['authentication'] {
  const counter = new Counter({
    name: 'parley_sip_authentications_total',
    help: 'SIP requests that had to prove who sends them, by outcome',
    labelNames: ['outcome'],
    registers: [registry],
  });

  return (outcome) => {
    counter.inc({ outcome });
  };
}

function createRefusedCounter(registry: Registry): SipMetrics['refused'] {
  const refused = new Counter({
    name: 'parley_sip_refused_total',
    help: 'New SIP requests that were not served: rate of their source, overload',
    labelNames: ['reason'],
    registers: [registry],
  });

  return (reason) => {
    refused.inc({ reason });
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

function observePrompts(registry: Registry, counts: MetricSources['prompts']): void {
  gauge(registry, 'parley_prompt_languages', 'Languages that callers can be spoken to in', () => {
    return counts().languages;
  });
  total(
    registry,
    'parley_prompt_fallbacks_total',
    'Prompts that were tones for want of a recording',
    () => {
      return counts().fallbacks;
    },
  );
}

function observeWebSocket(registry: Registry, counts: MetricSources['websocket']): void {
  gauge(registry, 'parley_websocket_sockets', 'Sockets of browsers now', () => counts().sockets);
  totals(registry, 'parley_websocket_connections_total', 'Sockets of browsers', () => {
    const { connections, connectionsRefused } = counts();

    return { accepted: connections, refused: connectionsRefused };
  });
  totals(registry, 'parley_websocket_requests_total', 'Requests of browsers', () => {
    const { requests, failed, malformed, rateLimited } = counts();

    return { all: requests, failed, malformed, rate_limited: rateLimited };
  });
}

function observeMedia(registry: Registry, counters: MetricSources['media']): void {
  observeVideo(registry, () => counters().video);
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
  total(
    registry,
    'parley_rtp_ports_exhausted_total',
    'Phones for which no RTP port was free',
    () => {
      return counters().rtpPortsExhausted;
    },
  );
  total(registry, 'parley_mixer_late_frames_total', 'Frames mixed too late', () => {
    return counters().mixerLateFrames;
  });
  observeMixers(registry, counters);
  total(registry, 'parley_media_worker_deaths_total', 'mediasoup workers that died', () => {
    return counters().workerDeaths;
  });
  observeGrids(registry, () => counters().grid);
  new Gauge({
    name: 'parley_media_open',
    help: 'What the media engine holds open now',
    labelNames: ['what'],
    registers: [registry],
    collect() {
      const { phoneLegs, phoneVideos, rtpPorts, ...sfu } = counters().open;
      const open = {
        phone_legs: phoneLegs,
        phone_videos: phoneVideos,
        rtp_ports: rtpPorts,
        ...sfu,
      };
      for (const [what, value] of Object.entries(open)) this.set({ what }, value);
    },
  });
}

function observeMixers(registry: Registry, counters: MetricSources['media']): void {
  totals(
    registry,
    'parley_mixer_room_moves_total',
    'Rooms that were to go from a busy mixer thread to another; lost: a thread died meanwhile',
    () => counters().mixerMoves,
  );
  new Gauge({
    name: 'parley_mixer_thread_busy_ratio',
    help: 'Share of its time in which a mixer thread has something to do',
    labelNames: ['thread'],
    registers: [registry],
    collect() {
      counters().mixerThreadsBusy.forEach((busy, thread) => {
        this.set({ thread: String(thread) }, busy);
      });
    },
  });
}

function observeVideo(registry: Registry, counters: () => MediaCounters['video']): void {
  total(
    registry,
    'parley_video_switches_total',
    'Changes of what a phone with one picture is shown',
    () => counters().switches,
  );
  new Counter({
    name: 'parley_video_key_frame_requests_total',
    help: 'Key frames that were asked of phones, and by phones',
    labelNames: ['direction'],
    registers: [registry],
    collect() {
      const { keyFramesAsked, keyFrameRequests } = counters();
      this.reset();
      this.inc({ direction: 'out' }, keyFramesAsked);
      this.inc({ direction: 'in' }, keyFrameRequests);
    },
  });
  total(
    registry,
    'parley_video_retransmitted_total',
    'Packets of video that phones asked for again',
    () => counters().retransmitted,
  );
  total(
    registry,
    'parley_video_too_long_total',
    'NAL units that a phone without fragments could not be sent',
    () => counters().tooLong,
  );
}

function observeGrids(registry: Registry, counters: () => GridCounters): void {
  gauge(registry, 'parley_grid_rooms', 'Composed pictures that are made now', () => {
    return counters().rooms;
  });
  total(registry, 'parley_grid_cpu_seconds_total', 'CPU time of compositors', () => {
    return counters().cpuSeconds;
  });
  total(registry, 'parley_grid_deaths_total', 'Compositors that ended without being told', () => {
    return counters().deaths;
  });
  new Counter({
    name: 'parley_grid_frames_total',
    help: 'Pictures of grids: encoded, or dropped for want of CPU; frames of members: decoded, or discarded',
    labelNames: ['what'],
    registers: [registry],
    collect() {
      const { framesEncoded, framesDropped, framesDecoded, framesDiscarded } = counters();
      this.reset();
      this.inc({ what: 'encoded' }, framesEncoded);
      this.inc({ what: 'dropped' }, framesDropped);
      this.inc({ what: 'decoded' }, framesDecoded);
      this.inc({ what: 'discarded' }, framesDiscarded);
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

/** Counters by outcome that are counted elsewhere. */
function totals(
  registry: Registry,
  name: string,
  help: string,
  values: () => Record<string, number>,
): void {
  new Counter({
    name,
    help,
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [outcome, value] of Object.entries(values())) this.inc({ outcome }, value);
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
