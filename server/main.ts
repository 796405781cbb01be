/** The composition root: reads the settings, makes the parts, joins them, starts and drains them. */
import type { Server } from 'node:http';
import { join } from 'node:path';
import { config as loadDotEnv } from 'dotenv';
import {
  CloseStack,
  createLogger,
  SystemClock,
  toError,
  type Clock,
  type Logger,
} from '../base/index.ts';
import { createMediaEngine, PromptLibrary, type MediaEngine } from '../media/index.ts';
import { SipFrontEnd } from '../signaling/sip/index.ts';
import { WebSocketGateway } from '../signaling/websocket/index.ts';
import { AccountBook, SecretBox } from './accounts/index.ts';
import { createApp } from './api/index.ts';
import { apiKeyPath, loadAccountKey, loadApiKey } from './api-key.ts';
import { banner, publicAddresses } from './banner.ts';
import { parseConfig, type Config, type WebhookSettings } from './config.ts';
import type { Voice } from './ivr/index.ts';
import { createJobQueue, WebhookDispatcher, type WebhookEvent } from './jobs/index.ts';
import { IdleCollector } from './idle-collector.ts';
import { openCdrs, qualitiesOf } from './cdrs/index.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { raisePriority } from './priority.ts';
import { PRODUCT, projectRoot, VERSION } from './product.ts';
import { RoomManager } from './room-manager.ts';
import { ConfigError } from './setting-reader.ts';
import { openStore, SealedRoomStore, type Store } from './store/index.ts';
import { TrunkBook } from './trunks/index.ts';

/** Longest time that a stop may take before the process ends anyway. */
const STOP_LIMIT = 4500;
/** Milliseconds. */
const SAME_KEY_PRESS = 1000;
const WEBHOOK_RETRY = { attempts: 8, firstDelayMs: 2000 };

/** What nearly every part needs. */
interface Common {
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

await main();

async function main(): Promise<void> {
  loadDotEnv({ quiet: true });
  const config = readConfig();
  const pretty = process.stdout.isTTY;
  const logger = createLogger({ level: config.log.level, pretty });
  const parts = new CloseStack((name, error) => {
    logger.error({ err: toError(error), part: name }, 'a part did not close');
  });
  stopOnSignals(parts, logger);
  try {
    await start(config, parts, logger);
  } catch (error) {
    logger.fatal({ err: toError(error) }, `Parley did not start: ${toError(error).message}`);
    await parts.closeAll();
    process.exit(1);
  }
}

function readConfig(): Config {
  try {
    return parseConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

/** In this order, so that what is reached from outside comes last; it closes in the opposite one. */
async function start(config: Config, parts: CloseStack, logger: Logger): Promise<void> {
  const common: Common = { clock: new SystemClock(), logger, metrics: createMetrics() };
  const { metrics } = common;
  const apiKey = config.apiKey ?? (await loadApiKey(config.dataDir));
  const store = parts.add('store', await openParleyStore(config, common));
  raisePriority(logger);
  const media = parts.add('media', await createMediaEngine(config.media, common));
  const box = new SecretBox(await loadAccountKey(config.dataDir));
  const voice = openVoice(config, common);
  const rooms = await openRooms(config, store, box, media, voice, common);
  const cdrs = parts.add('cdrs', openCdrs(store, rooms, common, metrics.callEnded));
  if (config.webhook !== undefined) addWebhooks(config.webhook, store, rooms, parts, common);
  const books = await openBooks(config, store, box, common);
  const sip = createSip(config, { rooms, voice, ...books }, common);
  const app = await createApp({
    rooms,
    calls: sip.trace,
    transfers: sip.transfers,
    keys: sip.keys,
    qualities: qualitiesOf((callId) => sip.statsOf(callId)),
    cdrs,
    ...books,
    dialOut: sip.dialOut,
    apiKey,
    logger,
    version: VERSION,
    ...(config.http.tls !== undefined && { tls: config.http.tls }),
    webRoot: join(projectRoot(), 'dist/web'),
    missing: () => unreadyReasons(sip, media, store),
    warnings: () => [voice.warning()].filter((text) => text !== undefined),
    metrics,
    onRefused: metrics.apiRefused,
  });
  parts.add('http', { close: () => app.close() });
  const sockets = parts.add('sockets', createSockets(config, app.server, rooms, common));
  parts.add('sip', sip);
  sip.attachWebSocket(app.server, config.http.tls !== undefined);
  metrics.observe({
    rooms: () => rooms.counts(),
    media: () => media.counters(),
    sip: () => sip.counts(),
    websocket: () => sockets.counters(),
    prompts: () => voice.counts,
  });
  const isIdle = (): boolean => sip.counts().dialogs === 0 && rooms.counts().browser === 0;
  parts.add('idle collector', new IdleCollector({ clock: common.clock, isIdle }));
  await sip.listen();
  await app.listen({ host: config.http.host, port: config.http.port });
  // First of all, while every way to tell is open: pages and phones learn that it ends.
  parts.add('rooms', {
    close: async () => {
      media.drain();
      sockets.announceClosing();
      await rooms.shutdown();
    },
  });
  announce(config, logger);
}

function unreadyReasons(...parts: { unreadyReason(): string | undefined }[]): string[] {
  return parts.map((part) => part.unreadyReason()).filter((reason) => reason !== undefined);
}

function openParleyStore(config: Config, { clock, logger, metrics }: Common): Promise<Store> {
  return openStore({
    ...(config.redis.url !== undefined && { redisUrl: config.redis.url }),
    dataDir: config.dataDir,
    cdrs: config.cdrs,
    clock,
    logger,
    onDegraded: metrics.storeDegraded,
  });
}

/** Recordings are read when they are first spoken; the music, which is long, meanwhile. */
function openVoice({ prompts, dataDir }: Config, { logger }: Common): PromptLibrary {
  const customFolder = join(dataDir, 'prompts');
  const voice = new PromptLibrary({ ...prompts, customFolder, logger });
  void voice.load();

  return voice;
}

/** With the rooms of the store, also when it can be read only later. */
async function openRooms(
  config: Config,
  store: Store,
  box: SecretBox,
  media: MediaEngine,
  voice: Voice,
  { clock, logger }: Common,
): Promise<RoomManager> {
  const settings = config.rooms;
  const rooms = new RoomManager({
    settings,
    media,
    voice,
    store: new SealedRoomStore(store.rooms, box, logger),
    clock,
    logger,
  });
  await rooms.load();
  store.onUp(() => void rooms.load());

  return rooms;
}

function addWebhooks(
  target: WebhookSettings,
  { address }: Store,
  rooms: RoomManager,
  parts: CloseStack,
  { clock, logger, metrics }: Common,
): void {
  const retry = WEBHOOK_RETRY;
  const queue = createJobQueue<WebhookEvent>({ name: 'webhooks', address, retry, clock, logger });
  parts.add('jobs', queue);
  const onOutcome = metrics.webhook;
  const dispatcher = new WebhookDispatcher({ target, queue, clock, logger, onOutcome });
  parts.add('webhooks', dispatcher).watch(rooms);
}

interface Books {
  accounts: AccountBook;
  trunks: TrunkBook;
}

/** Accounts and trunks, whose passwords are sealed with a key of their own. */
async function openBooks(
  config: Config,
  store: Store,
  box: SecretBox,
  { clock, logger }: Common,
): Promise<Books> {
  const accounts = new AccountBook({
    store: store.accounts,
    bindings: store.bindings,
    box,
    realm: config.sip.domain,
    clock,
    logger,
  });
  const trunks = new TrunkBook({ store: store.trunks, box, clock, logger });
  // Into memory, where they are when Redis is away.
  const load = async (): Promise<void> => {
    await Promise.all([store.accounts.list(), store.bindings.list(), trunks.load()]);
  };
  await load();
  store.onUp(() => void load());

  return { accounts, trunks };
}

function createSip(
  config: Config,
  parts: Books & { rooms: RoomManager; voice: Voice },
  { clock, logger, metrics }: Common,
): SipFrontEnd {
  const counters = metrics.sip;
  const dialOutLimits = config.dialOut;

  return new SipFrontEnd({
    ...config.sip,
    ...parts,
    dialOutLimits,
    product: PRODUCT,
    counters,
    clock,
    logger,
  });
}

function createSockets(
  config: Config,
  httpServer: Server,
  rooms: RoomManager,
  { clock, logger }: Common,
): WebSocketGateway {
  const reconnectTimeout = config.rooms.reconnectTimeoutMs;

  return new WebSocketGateway({ httpServer, rooms, clock, logger, reconnectTimeout });
}

/** Readable where somebody reads; where a program does, one line of the log as all others. */
function announce(config: Config, logger: Logger): void {
  const addresses = publicAddresses(config, apiKeyPath(config.dataDir));
  if (process.stdout.isTTY) process.stdout.write(banner(addresses));
  else logger.info({ ...addresses }, 'Parley is ready');
}

/** Drains once; an impatient second signal, or a stop that takes too long, ends the process at once. */
function stopOnSignals(parts: CloseStack, logger: Logger): void {
  let stoppingSince: number | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    if (stoppingSince !== undefined) {
      // One Ctrl-C reaches us twice: from the terminal, and passed on by npm.
      if (performance.now() - stoppingSince > SAME_KEY_PRESS) process.exit(1);

      return;
    }
    stoppingSince = performance.now();
    logger.info({ signal }, 'stopping');
    const limit = setTimeout(() => {
      logger.error({}, 'the stop took too long');
      process.exit(1);
    }, STOP_LIMIT);
    void parts.closeAll().then(() => {
      clearTimeout(limit);
      logger.info({}, 'stopped');
      process.exit(0);
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // One call's failure must not be everybody's: it is written down, and the others go on.
  process.on('unhandledRejection', (error) => {
    logger.error({ err: toError(error) }, 'unhandled rejection');
  });
}
