import Sqlite from 'better-sqlite3';

/** Another process holds the lock. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
}

export interface ProcessLock {
  release(): void | Promise<void>;
}

/** A lock that is free as soon as `release` returns. */
export interface FileLock extends ProcessLock {
  release(): void;
}

/**
 * Keeps a reference to each lock: if its database were garbage-collected, it would close and free
 * the lock.
 */
const held = new Set<Sqlite.Database>();

/**
 * A lock between processes that the operating system frees when its holder dies, however it dies:
 * SQLite's own file locks on an empty database. `exclusive` excludes all others, `shared` excludes
 * exclusive holders only. Waits up to `waitMs` (blocking this thread), then throws LockedError.
 */
export function takeProcessLock(file: string, kind: 'exclusive' | 'shared', waitMs: number): FileLock {
  const db = new Sqlite(file, { timeout: waitMs });
  try {
    // Locks of WAL mode would not exclude readers.
    db.pragma('journal_mode = DELETE');
    db.exec(kind === 'exclusive' ? 'begin exclusive' : 'begin');
    // A read transaction takes its shared lock with the first read.
    if (kind === 'shared') db.prepare('select count(*) from sqlite_master').get();
  } catch (cause) {
    db.close();
    if (cause instanceof Error && 'code' in cause && String(cause.code).startsWith('SQLITE_BUSY')) {
      throw new LockedError(`${file} is held by another process`, { cause });
    }
    throw cause;
  }
  held.add(db);
  return {
    release() {
      held.delete(db);
      if (db.open) db.close();
    },
  };
}
