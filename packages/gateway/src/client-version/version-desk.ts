import type { ClientVersion } from '@ponte/engine';
import { LRUCache } from 'lru-cache';
import {
  compareVersions,
  formatVersion,
  type KnownVersion,
  LIVE_NETWORK,
  type NetworkName,
  networkOf,
} from '../core/client-version.ts';
import type { Clock } from '../core/clock.ts';
import { within } from '../core/within.ts';
import type { Log } from '../observe/logger.ts';
import { changeVersionRecord, readVersionRecord, type VersionRecord } from '../store/access/version-record.ts';
import type { Store } from '../store/db/store.ts';
import { createSandboxVersions } from './sandbox-versions.ts';

export interface VersionDeskOptions {
  store: Store;
  clock: Clock;
  log: Log;
  /** WHATSAPP_VERSION. */
  environment: ClientVersion | undefined;
  builtIn: ClientVersion;
  /** Reads WhatsApp's page. */
  fetchLive(): Promise<ClientVersion>;
  /** Reads the page of an account's simulated network. */
  fetchSandbox(accountId: string): Promise<ClientVersion>;
  /** Whether the live version is needed: an installation without live lines does not fetch it. */
  hasLiveLines(): boolean;
  /** Lines of this network announce another version from now on. */
  onChange(network: NetworkName, version: ClientVersion): void;
}

/** Where lines get the version that they announce. */
export interface VersionDesk {
  /** For a line that starts. Waits for a first look at WhatsApp's page some seconds at most. */
  versionFor(line: { mode: 'live' | 'test'; accountId: string }): Promise<ClientVersion | undefined>;
  /** WhatsApp refused a client of this version. Asks the page once, however many lines say so. */
  refused(network: NetworkName, version: ClientVersion | undefined): void;
  /** WhatsApp named the end of a version. */
  expires(network: NetworkName, version: ClientVersion | undefined, at: number): void;
  known(): KnownVersion;
  close(): void;
}

/** Other processes (`ponte whatsapp-version`, other nodes) write the record, too. */
const LOOK_EVERY_MS = 10_000;
const DAY_MS = 86_400_000;
const RETRY_AFTER_MS = 3_600_000;
/**
 * One refusal leads to one look at the page; later ones of the same version within this to none.
 */
const REFUSED_PAUSE_MS = 600_000;
const FIRST_LOOK_MS = 12_000;
const MAX_REFUSED = 10_000;

/** What counts: operator, environment, the newer of WhatsApp's word and the built-in one. */
export function effectiveVersion(
  record: VersionRecord,
  { environment, builtIn }: Pick<VersionDeskOptions, 'environment' | 'builtIn'>,
): Pick<KnownVersion, 'version' | 'source'> {
  if (record.override) return { version: record.override, source: 'operator' };
  if (environment) return { version: environment, source: 'environment' };
  const { fetched } = record;
  if (fetched && compareVersions(fetched.version, builtIn) >= 0)
    return { version: fetched.version, source: 'whatsapp' };
  return { version: builtIn, source: 'built_in' };
}

export function toKnown(
  record: VersionRecord,
  options: Pick<VersionDeskOptions, 'environment' | 'builtIn'>,
): KnownVersion {
  const { version, source } = effectiveVersion(record, options);
  const { expires } = record;
  return {
    version,
    source,
    fetchedAt: record.fetched?.at ?? null,
    expiresAt: expires && compareVersions(expires.version, version) === 0 ? expires.at : null,
    problem: record.problem,
  };
}

/** Asks the page and keeps what it says; the last good answer stays when it says nothing. */
export async function refreshVersion(
  options: Pick<VersionDeskOptions, 'store' | 'clock' | 'fetchLive'>,
): Promise<VersionRecord> {
  const { store, clock } = options;
  try {
    const version = await options.fetchLive();
    const at = clock.now();
    return await changeVersionRecord(store, () => ({ fetched: { version, at }, triedAt: at, problem: null }));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return changeVersionRecord(store, () => ({ triedAt: clock.now(), problem }));
  }
}

/** True once in a while per version: a thousand lines that are refused ask once. */
function refusalsThatAreNews(clock: Clock): (network: NetworkName, version: ClientVersion | undefined) => boolean {
  const refusedAt = new LRUCache<string, number>({ max: MAX_REFUSED });
  return (network, version) => {
    const key = `${network} ${version ? formatVersion(version) : ''}`;
    const now = clock.monotonic();
    if (now - (refusedAt.get(key) ?? Number.NEGATIVE_INFINITY) < REFUSED_PAUSE_MS) return false;
    refusedAt.set(key, now);
    return true;
  };
}

/**
 * Opens the desk: reads what is known, and looks again from then on. WhatsApp's page is asked once
 * a day while there are live lines, once after a refusal, and never because a line reconnects.
 */
export async function openVersionDesk(options: VersionDeskOptions): Promise<VersionDesk> {
  const { store, clock, log } = options;
  let record = await readVersionRecord(store.db);
  let told = effectiveVersion(record, options).version;
  let refreshing: Promise<void> | undefined;
  let isClosed = false;
  const jitterMs = Math.round(DAY_MS * 0.1 * clock.random());
  const sandboxes = createSandboxVersions(options);
  const isNews = refusalsThatAreNews(clock);

  function take(next: VersionRecord): void {
    record = next;
    const { version, source } = effectiveVersion(record, options);
    if (compareVersions(version, told) === 0) return;
    log.info({ version: formatVersion(version), source }, 'live lines announce another version of WhatsApp Web');
    told = version;
    options.onChange(LIVE_NETWORK, version);
  }

  const refresh = (): Promise<void> => {
    refreshing ??= refreshVersion(options)
      .then((next) => {
        if (next.problem) log.warn({ problem: next.problem }, 'WhatsApp’s page did not say which version is current');
        take(next);
      })
      .catch((error: unknown) => log.warn({ error }, 'the version of WhatsApp Web could not be kept'))
      .finally(() => {
        refreshing = undefined;
      });
    return refreshing;
  };

  function isDue(): boolean {
    if (!options.hasLiveLines()) return false;
    const { source } = effectiveVersion(record, options);
    if (source === 'operator' || source === 'environment') return false;
    const now = clock.now();
    if (now - (record.triedAt ?? 0) < RETRY_AFTER_MS) return false;
    return now - (record.fetched?.at ?? 0) >= DAY_MS + jitterMs;
  }

  async function look(): Promise<void> {
    try {
      take(await readVersionRecord(store.db));
      if (isDue()) await refresh();
    } catch (error) {
      log.debug({ error }, 'the version of WhatsApp Web could not be read; next time');
    }
    if (!isClosed) cancel = clock.after(LOOK_EVERY_MS, () => void look());
  }
  let cancel = clock.after(LOOK_EVERY_MS, () => void look());

  return {
    async versionFor(line) {
      const network = networkOf(line);
      if (network !== LIVE_NETWORK) {
        if (!sandboxes.latest(network)) await sandboxes.ask(network);
        return sandboxes.latest(network);
      }
      if (isDue()) {
        await within(clock, refresh(), FIRST_LOOK_MS);
      }
      return effectiveVersion(record, options).version;
    },
    refused(network, version) {
      if (!isNews(network, version)) return;
      log.warn({ network, version: version && formatVersion(version) }, 'a version of WhatsApp Web was refused');
      void (network === LIVE_NETWORK ? refresh() : sandboxes.ask(network));
    },
    expires(network, version, at) {
      if (network !== LIVE_NETWORK || !version) return;
      const known = record.expires;
      const isSame = known !== null && compareVersions(known.version, version) === 0;
      // Only a sooner end counts (whatsapp-rust, from WhatsApp Web's own rule).
      if (isSame && known.at <= at) return;
      changeVersionRecord(store, () => ({ expires: { version, at } })).then(take, (error: unknown) => {
        log.warn({ error }, 'the end of a version could not be kept');
      });
    },
    known: () => toKnown(record, options),
    close() {
      isClosed = true;
      cancel();
    },
  };
}
