import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openKeyRing } from '../access/open-key-ring.ts';
import type { Config } from '../config/config.ts';
import { processConfig, processEnvironment } from '../config/environment.ts';
import { isOwnMasterKey, loadMasterKey } from '../config/master-key.ts';
import type { Environment } from '../config/reader.ts';
import { systemClock } from '../core/clock.ts';
import { BackupError, copyDatabase, replaceDatabase, verifyBackup } from '../store/db/backup.ts';
import { migrate } from '../store/db/migrate.ts';
import { openStore } from '../store/db/open.ts';
import { LockedError, takeProcessLock } from '../store/db/process-lock.ts';
import { forgetSessions } from '../store/engine/engine-rows.ts';
import { CommandFailed, type Output, print } from './output.ts';

interface Json {
  json?: boolean;
}

/** A killed server's workers notice within a second that it is gone. */
const WORKERS_END_WITHIN_MS = 3_000;
const KEY_NOTE =
  'The master key is not in it, and without that key it cannot be used: keep DATA_DIR/master.key (or MASTER_KEY) apart from it.';

/** PostgreSQL has its own tools, which know more than we do. */
function sqliteFile(config: Config, command: string): string {
  if (config.database.engine === 'sqlite') return config.database.url.slice('sqlite:'.length);
  throw new CommandFailed(
    `ponte ${command} is for SQLite; this installation uses PostgreSQL: use pg_dump and pg_restore, and keep the master key apart`,
  );
}

/** Expected refusals become sentences for the terminal. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof BackupError ? new CommandFailed(error.message, { cause: error }) : error;
  }
}

/**
 * Writes the database into a new file, as it stands at one instant, also while the server runs.
 * Without the master key, and without the simulated network.
 */
export async function backup(target: string, options: Json, out: Output): Promise<void> {
  const config = processConfig(processEnvironment());
  const source = sqliteFile(config, 'backup');
  if (!existsSync(source)) throw new CommandFailed(`there is no database at ${source} yet; nothing to back up`);
  const file = resolve(target);
  await told(() => copyDatabase(source, file));
  const { size } = statSync(file);
  print(out, options.json, { file, bytes: size, master_key_included: false }, () => `${file}: ${size} bytes`);
  if (!options.json) out.say(KEY_NOTE);
}

/**
 * Puts a backup in the place of the database, after proving it and the master key. The server must
 * not run. The database that was there is kept beside it. Lines stay paired and go on from where
 * the backup stands; what came later is missing. Sessions with other people's devices are begun
 * anew.
 */
export async function restore(from: string, options: Json, out: Output): Promise<void> {
  const environment = processEnvironment();
  const config = processConfig(environment);
  const place = sqliteFile(config, 'restore');
  const file = resolve(from);
  const masterKey = givenMasterKey(environment, config);
  const lock = stopped(config);
  const draft = `${place}.restoring`;
  try {
    await told(async () => {
      verifyBackup(file);
      rmSync(draft, { force: true });
      await copyDatabase(file, draft);
      await prove(draft, masterKey);
      const stamp = new Date(systemClock.now()).toISOString().replaceAll(':', '-');
      const kept = existsSync(place) ? `${place}.before-${stamp}` : null;
      replaceDatabase(place, draft, `${place}.before-${stamp}`);
      print(out, options.json, { file, restored: place, kept }, () =>
        [`${file} is restored to ${place}`, ...(kept === null ? [] : [`what was there is ${kept}`])].join('\n'),
      );
    });
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(draft + suffix, { force: true });
    lock.release();
  }
}

/** A key made now would open nothing: the one of the backup has to be there first. */
function givenMasterKey(environment: Environment, config: Config): Buffer {
  const own = join(config.dataDir, 'master.key');
  const isGiven = !isOwnMasterKey(environment);
  if (!isGiven && !existsSync(own)) {
    throw new CommandFailed(
      `there is no master key: put the one that belongs to the backup at ${own} first (mode 0600)`,
    );
  }
  return loadMasterKey(environment, config.dataDir);
}

/** Keeps the server from being started, and its workers, too. */
function stopped(config: Config) {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  try {
    takeProcessLock(join(config.dataDir, 'workers.lock'), 'exclusive', WORKERS_END_WITHIN_MS).release();
    return takeProcessLock(join(config.dataDir, 'gateway.lock'), 'exclusive', 0);
  } catch (cause) {
    if (!(cause instanceof LockedError)) throw cause;
    throw new CommandFailed('the server runs; stop it first, then restore', { cause });
  }
}

/**
 * The backup opens with this master key, and this version can work with it. Brings its schema up to
 * date.
 */
async function prove(file: string, masterKey: Buffer): Promise<void> {
  const store = await openStore({ url: `sqlite:${file}`, clock: systemClock });
  try {
    await migrate(store, systemClock.now);
    await openKeyRing({ masterKey, store, clock: systemClock });
    // People have gone on since: old session keys would encrypt what their phones take for
    // repetitions. New ones are agreed on with the next message.
    await store.transaction(async ({ db }) => forgetSessions(db));
  } finally {
    await store.close();
  }
}

/** Brings the schema up to date; every start does the same. */
export async function migrateNow(options: Json, out: Output): Promise<void> {
  const config = processConfig(processEnvironment());
  const store = await openStore({ url: config.database.url, clock: systemClock });
  try {
    const applied = await migrate(store, systemClock.now);
    print(out, options.json, { applied }, () =>
      applied.length === 0 ? 'the database is up to date' : `applied ${applied.join(', ')}`,
    );
  } finally {
    await store.close();
  }
}
