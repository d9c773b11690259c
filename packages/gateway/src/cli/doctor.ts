import { existsSync, statfsSync } from 'node:fs';
import { openKeyRing } from '../access/open-key-ring.ts';
import { toKnown } from '../client-version/version-desk.ts';
import type { Config } from '../config/config.ts';
import { prepareDataDir } from '../config/data-dir.ts';
import { processConfig, processEnvironment } from '../config/environment.ts';
import { loadMasterKey } from '../config/master-key.ts';
import { isNewEnough, nodeAdvice } from '../config/node-floor.js';
import type { Environment } from '../config/reader.ts';
import { systemClock } from '../core/clock.ts';
import { builtInVersion } from '../endpoints.ts';
import { readCanaryRecord } from '../store/access/canary-record.ts';
import { writeSetting } from '../store/access/settings.ts';
import { readVersionRecord } from '../store/access/version-record.ts';
import { migrate } from '../store/db/migrate.ts';
import { openStore } from '../store/db/open.ts';
import type { Store } from '../store/db/store.ts';
import { findLineUnowned } from '../store/lines/lines.ts';
import { explainFailure } from './explain-failure.ts';
import { isoTime, type Output, print } from './output.ts';
import { isPonteAt, provePort } from './port-holder.ts';
import { describeVersion } from './whatsapp-version.ts';

interface Check {
  name: string;
  ok: boolean;
  /** What was found; when not ok, what to do about it. */
  detail: string;
}

const MIN_FREE_BYTES = 500 * 1024 * 1024;
const SLOW_COMMIT_MS = 50;

function checkNode(): Check {
  const ok = isNewEnough();
  return { name: 'node', ok, detail: ok ? process.versions.node : nodeAdvice() };
}

async function checkDataDir(config: Config): Promise<Check> {
  const name = 'data directory';
  try {
    await prepareDataDir(config.dataDir);
    const { bavail, bsize } = statfsSync(config.dataDir);
    const free = bavail * bsize;
    const megabytes = Math.round(free / 1024 / 1024);
    if (free < MIN_FREE_BYTES)
      return { name, ok: false, detail: `${config.dataDir} has ${megabytes} MB left: make room` };
    return { name, ok: true, detail: `${config.dataDir}, ${megabytes} MB free` };
  } catch (error) {
    return { name, ok: false, detail: message(error) };
  }
}

async function checkDatabase(config: Config, environment: Environment): Promise<Check[]> {
  let store: Store | undefined;
  try {
    store = await openStore({ url: config.database.url, clock: systemClock });
    const applied = await migrate(store, systemClock.now);
    const started = systemClock.monotonic();
    await store.transaction(({ db }) => writeSetting(db, 'doctor', String(systemClock.now())));
    const tookMs = systemClock.monotonic() - started;
    const speed = `${config.database.engine}, a durable write takes ${tookMs.toFixed(1)} ms${applied.length > 0 ? `, applied ${applied.join(', ')}` : ''}`;
    const database: Check = {
      name: 'database',
      ok: tookMs < SLOW_COMMIT_MS,
      detail: tookMs < SLOW_COMMIT_MS ? speed : `${speed}: every message waits for several of them; use a faster disk`,
    };
    return [
      database,
      await checkMasterKey(config, environment, store),
      await checkVersion(config, store),
      ...(await checkCanary(config, store)),
    ];
  } catch (error) {
    return [{ name: 'database', ok: false, detail: explainFailure(error, config) ?? message(error) }];
  } finally {
    await store?.close();
  }
}

const OLD_AFTER_MS = 60 * 86_400_000;

/** A version lives 80 to 150 days at WhatsApp; what is older than two months is worth a look. */
async function checkVersion(config: Config, store: Store): Promise<Check> {
  const sources = { environment: config.whatsappVersion, builtIn: builtInVersion };
  const known = toKnown(await readVersionRecord(store.db), sources);
  const now = systemClock.now();
  const name = 'whatsapp version';
  const detail = describeVersion(known, now);
  const isEnding = known.expiresAt !== null && known.expiresAt - now < 7 * 86_400_000;
  const isOld = known.source === 'whatsapp' && now - (known.fetchedAt ?? 0) > OLD_AFTER_MS;
  if (!isEnding && !isOld) return { name, ok: true, detail };
  return { name, ok: false, detail: `${detail}: run "ponte whatsapp-version refresh", or set a newer one` };
}

const CANARY_SILENT_MS = 3 * 3_600_000;

/** The line that writes to itself, where there is one. */
async function checkCanary({ canaryLine }: Config, store: Store): Promise<Check[]> {
  if (canaryLine === undefined) return [];
  const name = 'canary line';
  const line = await findLineUnowned(store.db, canaryLine);
  if (!line) return [{ name, ok: false, detail: `CANARY_LINE is "${canaryLine}", but there is no such line` }];
  const { lastSuccessAt, problem } = await readCanaryRecord(store.db, canaryLine);
  const last = lastSuccessAt === null ? 'never heard itself' : `last heard itself ${isoTime(lastSuccessAt)}`;
  const ok = problem === null && (lastSuccessAt === null || systemClock.now() - lastSuccessAt < CANARY_SILENT_MS);
  return [{ name, ok, detail: `${canaryLine} ${last}${problem === null ? '' : `; then: ${problem}`}` }];
}

async function checkMasterKey(
  config: Config,
  environment: Environment,
  store: Parameters<typeof openKeyRing>[0]['store'],
): Promise<Check> {
  try {
    const masterKey = loadMasterKey(environment, config.dataDir);
    await openKeyRing({ masterKey, store, clock: systemClock });
    return { name: 'master key', ok: true, detail: 'opens this database' };
  } catch (error) {
    return { name: 'master key', ok: false, detail: message(error) };
  }
}

async function checkPort(config: Config): Promise<Check> {
  const { host, port } = config.http;
  const name = 'port';
  try {
    await provePort(host, port);
    return { name, ok: true, detail: `${host}:${port} is free` };
  } catch (error) {
    if (await isPonteAt(host, port)) return { name, ok: true, detail: `${host}:${port}: Ponte runs there` };
    return { name, ok: false, detail: explainFailure(error, config) ?? message(error) };
  }
}

function checkConsole(folder: string): Check {
  const ok = existsSync(folder);
  return { name: 'console', ok, detail: ok ? 'built' : 'not built: run "npm run build"' };
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Checks the installation and says how to mend what it finds. True when all is well. */
export async function doctor(options: { json?: boolean; consoleFolder: string }, out: Output): Promise<boolean> {
  const environment = processEnvironment();
  const checks: Check[] = [checkNode()];
  let config: Config | undefined;
  try {
    config = processConfig(environment);
    checks.push({ name: 'configuration', ok: true, detail: 'valid' });
  } catch (error) {
    checks.push({ name: 'configuration', ok: false, detail: message(error) });
  }
  if (config) {
    checks.push(await checkDataDir(config));
    if (checks.every((check) => check.ok)) checks.push(...(await checkDatabase(config, environment)));
    checks.push(await checkPort(config), checkConsole(options.consoleFolder));
  }
  const ok = checks.every((check) => check.ok);
  print(out, options.json, { ok, checks }, () =>
    checks.map((c) => `${c.ok ? 'ok  ' : 'FAIL'}  ${c.name}: ${c.detail}`).join('\n'),
  );
  return ok;
}
