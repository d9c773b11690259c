import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';

/** A file that is no database of ours. The message is for the user. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

/** All that is left in one step: writers of other processes then cannot make it begin again. */
const ALL_PAGES = 0x7fffffff;

/**
 * Copies a SQLite database into a new file (mode 0600), as it stands at one instant, also while
 * other processes write. The file appears whole and on the disk, or not at all. Throws BackupError
 * when `target` exists.
 */
export async function copyDatabase(source: string, target: string): Promise<void> {
  const draft = `${target}.partial`;
  reserve(target);
  try {
    rmSync(draft, { force: true });
    closeSync(openSync(draft, 'wx', 0o600));
    const db = new Sqlite(source, { readonly: true, fileMustExist: true });
    try {
      await db.backup(draft, { progress: () => ALL_PAGES });
    } finally {
      db.close();
    }
    settle(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    rmSync(target, { force: true });
    throw error;
  }
}

/** Takes the name, so that of two backups at once one is refused. */
function reserve(target: string): void {
  try {
    closeSync(openSync(target, 'wx', 0o600));
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    if (exists) throw new BackupError(`${target} exists already; name a new file`, { cause });
    throw new BackupError(`${target} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** Gives a complete file its name, durably. */
function settle(draft: string, target: string): void {
  sync(draft);
  renameSync(draft, target);
  if (process.platform !== 'win32') sync(dirname(target));
}

function sync(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Throws BackupError unless the file is an undamaged database of Ponte. */
export function verifyBackup(file: string): void {
  let db: Sqlite.Database;
  try {
    db = new Sqlite(file, { readonly: true, fileMustExist: true });
  } catch (cause) {
    throw new BackupError(`${file} cannot be read; name a file that "ponte backup" made`, { cause });
  }
  try {
    const check = db.pragma('quick_check', { simple: true });
    if (check !== 'ok') throw new BackupError(`${file} is damaged: ${String(check)}`);
    const names = db.prepare("select name from sqlite_master where name in ('migrations', 'lines', 'settings')").all();
    if (names.length !== 3) throw new BackupError(`${file} is a database, but none of Ponte`);
  } catch (cause) {
    if (cause instanceof BackupError) throw cause;
    throw new BackupError(`${file} is no database; name a file that "ponte backup" made`, { cause });
  } finally {
    db.close();
  }
}

/**
 * Puts a database in the place of another one, which keeps the name `keptAs`, whatever state it is
 * in. Neither may be open in any process.
 */
export function replaceDatabase(place: string, file: string, keptAs: string): void {
  // The old journal belongs to the old file.
  for (const suffix of ['-wal', '']) if (existsSync(place + suffix)) renameSync(place + suffix, keptAs + suffix);
  rmSync(`${place}-shm`, { force: true });
  settle(file, place);
}
