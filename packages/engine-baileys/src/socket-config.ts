import type { EngineEndpoint, EngineOptions } from '@ponte/engine';
import {
  type AuthenticationCreds,
  DEFAULT_CONNECTION_CONFIG,
  type SignalRepositoryWithLIDStore,
  type SocketConfig,
} from './baileys.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { SendableGroups } from './groups/sendable-groups.ts';
import { mediaNetwork } from './media/media-network.ts';
import type { DeviceCache } from './outbound/device-cache.ts';
import { BROWSER } from './pairing/device-description.ts';
import type { StoreGuard } from './store/store-guard.ts';

/** For WhatsApp's answer to one question. */
export const QUERY_MS = 20_000;
const KEEP_ALIVE_MS = 30_000;
const MINUTE_MS = 60_000;

export interface ConfigParts {
  options: EngineOptions;
  creds: AuthenticationCreds;
  guard: StoreGuard;
  logger: SocketConfig['logger'];
  devices: DeviceCache;
  groups: SendableGroups;
  makeRepository(): SignalRepositoryWithLIDStore;
}

/**
 * Baileys' settings for one connection. Everything that could grow is bounded, everything it would
 * do by itself is off.
 */
export function socketConfig(parts: ConfigParts): SocketConfig {
  const { options, creds, guard, logger, devices } = parts;
  const { endpoint, clock } = options;
  const now = () => clock.now();
  return {
    ...DEFAULT_CONNECTION_CONFIG,
    waWebSocketUrl: endpoint.wsUrl,
    version: endpoint.waVersion ? [...endpoint.waVersion] : DEFAULT_CONNECTION_CONFIG.version,
    browser: BROWSER,
    auth: { creds, keys: guard },
    makeSignalRepository: () => parts.makeRepository(),
    logger,
    // Not Baileys' own: with it, every frame that is sent makes three errors with their stacks, a
    // tenth of what the engine costs. The connection itself watches over its opening.
    connectTimeoutMs: 0,
    keepAliveIntervalMs: KEEP_ALIVE_MS,
    defaultQueryTimeoutMs: QUERY_MS,
    // The store never fails as Baileys sees it (StoreGuard), so there is nothing to repeat.
    transactionOpts: { maxCommitRetries: 1, delayBetweenTriesMs: 1 },
    retryRequestDelayMs: 0,
    emitOwnEvents: false,
    markOnlineOnConnect: false,
    syncFullHistory: false,
    fireInitQueries: true,
    generateHighQualityLinkPreview: false,
    enableRecentMessageCache: false,
    appStateMacVerification: { patch: true, snapshot: true },
    shouldIgnoreJid: () => false,
    // App state that is not inside its stanza lies on the media hosts; Baileys fetches it by
    // itself.
    options: mediaOptions(endpoint),
    // Only asked whether history is wanted at all. Its parts are read by ourselves, once their
    // offer is durable (history/).
    shouldSyncHistoryMessage: (offer) => !offer.directPath && !offer.initialHistBootstrapInlinePayload,
    // What is asked for again is answered by ourselves (outbound/resends.ts).
    getMessage: async () => undefined,
    cachedGroupMetadata: (jid) => parts.groups.get(jid),
    userDevicesCache: devices,
    msgRetryCounterCache: new BoundedCache(2_000, 60 * MINUTE_MS, now),
    callOfferCache: new BoundedCache(200, 5 * MINUTE_MS, now),
    mediaCache: new BoundedCache(50, 5 * MINUTE_MS, now),
    placeholderResendCache: ALWAYS_ASKED,
  };
}

/**
 * Baileys hands these to `fetch` (messages-media.js getHttpStream). The types that Node brings are
 * of another version of undici.
 */
export function mediaOptions(endpoint: EngineEndpoint): RequestInit {
  const options: unknown = { dispatcher: mediaNetwork(endpoint) };
  return options as RequestInit;
}

/**
 * Says of every message that the phone was asked for it already. Otherwise Baileys holds each retry
 * request back for two seconds to ask the phone first, one after another, while all later messages
 * wait.
 */
const ALWAYS_ASKED: NonNullable<SocketConfig['placeholderResendCache']> = {
  get: <T>() => true as T,
  set: () => {},
  del: () => {},
  flushAll: () => {},
};
