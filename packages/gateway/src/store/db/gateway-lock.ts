import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { takePostgresLock } from './postgres-lock.ts';
import { type FileLock, LockedError, type ProcessLock, takeProcessLock } from './process-lock.ts';

/** Where this installation keeps its rows. */
export interface LockPlace {
  database: { url: string; engine: 'sqlite' | 'postgres' };
  dataDir: string;
  /** Anything but undefined: one of several nodes, whose lines have leases. */
  fleet?: object | undefined;
}

export interface LockWatch {
  clock: Clock;
  /** The connection that holds the lock was cut (PostgreSQL); it is taken again. */
  onCut(error: Error): void;
  /** Another process took the lock in the meantime: this process must not go on. */
  onLost(error: Error): void;
}

/**
 * A killed predecessor's workers notice within a second that it is gone; a stuck one is waited for.
 */
const OLD_WORKERS_WITHIN_MS = 10_000;
/** The server of a killed predecessor's connection notices at once, but not in the same instant. */
const OLD_SESSION_WITHIN_MS = 2_000;
/** The main process holds it for an instant only, while it makes sure that no older worker runs. */
const INSTANT_MS = 5_000;

export const workersLockFile = (dataDir: string): string => join(dataDir, 'workers.lock');

/**
 * One gateway per database, or several of one fleet; and none starts lines while workers still run
 * that know nothing of it: those of a killed predecessor, or of a fleet that is over. Throws
 * LockedError, which names the holder.
 */
export async function takeGatewayLock(place: LockPlace, watch: LockWatch): Promise<ProcessLock> {
  if (place.database.engine === 'sqlite') return takeFileLocks(place.dataDir);
  const { url } = place.database;
  const lock = await takePostgresLock({
    ...watch,
    url,
    of: 'gateway',
    kind: place.fleet ? 'shared' : 'exclusive',
    waitMs: OLD_SESSION_WITHIN_MS,
  });
  try {
    for (const of of place.fleet ? (['workers'] as const) : (['workers', 'fleetWorkers'] as const)) {
      const old = { ...watch, url, of, kind: 'exclusive', waitMs: OLD_WORKERS_WITHIN_MS } as const;
      await (await takePostgresLock(old)).release();
    }
  } catch (error) {
    await lock.release();
    throw error;
  }
  return lock;
}

/**
 * Held by each worker as long as it lives, so that a new gateway can tell when the workers of a
 * killed one are gone. `lockFile` is null on PostgreSQL.
 */
export async function holdWorkersLock(
  { databaseUrl, lockFile, nodeId }: { databaseUrl: string; lockFile: string | null; nodeId?: string },
  watch: LockWatch,
): Promise<void> {
  // Neither is released by hand: the end of the process frees it, however it ends.
  if (lockFile !== null) takeProcessLock(lockFile, 'shared', INSTANT_MS);
  else if (!databaseUrl.startsWith('sqlite:'))
    await takePostgresLock({
      ...watch,
      url: databaseUrl,
      of: nodeId === undefined ? 'workers' : 'fleetWorkers',
      kind: 'shared',
      waitMs: INSTANT_MS,
    });
}

function takeFileLocks(dataDir: string): FileLock {
  const lock = takeNamed(dataDir);
  try {
    takeProcessLock(workersLockFile(dataDir), 'exclusive', OLD_WORKERS_WITHIN_MS).release();
  } catch (error) {
    lock.release();
    throw error;
  }
  return lock;
}

/** The lock itself cannot be read while it is held, so its holder's name lies beside it. */
function takeNamed(dataDir: string): FileLock {
  const note = join(dataDir, 'gateway.holder');
  let lock: FileLock;
  try {
    lock = takeProcessLock(join(dataDir, 'gateway.lock'), 'exclusive', 0);
  } catch (cause) {
    if (!(cause instanceof LockedError)) throw cause;
    throw new LockedError(
      `${dataDir} is in use by another Ponte${holderOf(note)}: one gateway serves one data directory. Stop that one, or give this one a DATA_DIR of its own`,
      { cause },
    );
  }
  writeFileSync(note, `${process.pid} ${hostname()}`);
  return {
    release() {
      rmSync(note, { force: true });
      lock.release();
    },
  };
}

function holderOf(note: string): string {
  try {
    const [pid, host] = readFileSync(note, 'utf8').split(' ');
    return pid && host ? ` (process ${pid} on ${host})` : '';
  } catch {
    return '';
  }
}
