import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { BlobError } from '../blobs/blob-store.ts';
import { copyBlobs } from '../blobs/copy-blobs.ts';
import { openFolderStore } from '../blobs/folder-store.ts';
import { openBlobs } from '../blobs/open-blobs.ts';
import type { Config } from '../config/config.ts';
import { processConfig, processEnvironment } from '../config/environment.ts';
import { systemClock } from '../core/clock.ts';
import { takeGatewayLock } from '../store/db/gateway-lock.ts';
import { LockedError, type ProcessLock } from '../store/db/process-lock.ts';
import { cancelMove, finishCutOffMove, moveDatabase } from '../store/move/move-database.ts';
import { MoveError } from '../store/move/moved-tables.ts';
import { CommandFailed, type Output, print } from './output.ts';

interface Given {
  cancel?: boolean;
  json?: boolean;
}

const SAY_EVERY_MS = 2_000;

/**
 * Moves this installation from SQLite to the PostgreSQL that DATABASE_URL names, and its files to
 * BLOB_URL when that is another place. May be cut off at any instant and run again. Neither
 * database can be served before it is finished; afterwards the SQLite file has another name.
 */
export async function move(given: Given, out: Output): Promise<void> {
  const config = processConfig(processEnvironment());
  const file = join(config.dataDir, 'ponte.db');
  if (given.cancel) return cancel(config, file, given, out);
  if (config.database.engine === 'sqlite') {
    throw new CommandFailed('DATABASE_URL is not set: set it to the empty PostgreSQL database that the data goes to');
  }
  const locks: ProcessLock[] = [];
  try {
    locks.push(await lock({ database: { engine: 'sqlite', url: '' }, dataDir: config.dataDir }));
    locks.push(await lock({ database: config.database, dataDir: config.dataDir }));
    if (existsSync(file)) return await run(config, file, given, out);
    if (!(await finishCutOffMove(config.database.url))) {
      throw new CommandFailed(`there is no database at ${file}; nothing to move`);
    }
    print(out, given.json, { moved: true, resumed: true }, () => 'the move had ended; the database is free now');
  } catch (error) {
    if (error instanceof MoveError || error instanceof BlobError || error instanceof LockedError) {
      throw new CommandFailed(error.message, { cause: error });
    }
    throw error;
  } finally {
    for (const one of locks) await one.release();
  }
}

const lock = (place: Parameters<typeof takeGatewayLock>[0]): Promise<ProcessLock> =>
  takeGatewayLock(place, {
    clock: systemClock,
    onCut: () => {},
    // The connection of the copy is cut too then, and the command ends with its error.
    onLost: () => {},
  });

async function run(config: Config, file: string, given: Given, out: Output): Promise<void> {
  const began = systemClock.monotonic();
  let said = began;
  const say = (text: string) => {
    const now = systemClock.monotonic();
    if (now - said < SAY_EVERY_MS) return;
    said = now;
    out.say(text);
  };
  const moved = await moveDatabase({
    ...{ file, url: config.database.url, clock: systemClock },
    onProgress({ table, done, of }) {
      if (done === 0) return;
      const spent = systemClock.monotonic() - began;
      const left = Math.ceil(((spent / done) * Math.max(0, of - done)) / 1_000);
      say(`${table}: ${Math.floor((100 * done) / of)} % of all rows copied and read back, about ${left} s left`);
    },
  });
  try {
    const files = await moveFiles(config, say);
    const stamp = new Date(systemClock.now()).toISOString().replaceAll(':', '-');
    const kept = `${file}.moved-${stamp}`;
    await moved.finish(() => renameSync(file, kept));
    const seconds = Math.round((systemClock.monotonic() - began) / 1_000);
    const rows = moved.tables.reduce((sum, one) => sum + one.rows, 0);
    print(out, given.json, { moved: true, seconds, rows, tables: moved.tables, files, kept }, () =>
      [
        `${rows} rows in ${moved.tables.length} tables are in PostgreSQL, each read back and compared (${seconds} s)`,
        ...(files ? [`${files.files} files (${files.bytes} bytes) are at their new place, each read back`] : []),
        `the SQLite file is ${kept} now: delete it when all is well`,
      ].join('\n'),
    );
  } finally {
    await moved.close();
  }
}

/** Undefined: they stay where they are. */
async function moveFiles(
  { media: { folder, blobs } }: Config,
  say: (text: string) => void,
): Promise<{ files: number; bytes: number } | undefined> {
  if (blobs.kind === 'folder' && blobs.folder === folder) return undefined;
  const to = openBlobs(blobs, systemClock);
  try {
    return await copyBlobs(openFolderStore(folder, systemClock), to, (files, bytes) =>
      say(`files: ${files} of them (${bytes} bytes) copied and read back`),
    );
  } finally {
    await to.close();
  }
}

async function cancel(config: Config, file: string, given: Given, out: Output): Promise<void> {
  if (!existsSync(file)) throw new CommandFailed(`there is no database at ${file}`);
  const held = await lock({ database: { engine: 'sqlite', url: '' }, dataDir: config.dataDir }).catch(
    (cause: unknown) => {
      throw cause instanceof LockedError ? new CommandFailed(cause.message, { cause }) : cause;
    },
  );
  try {
    const wasMoving = cancelMove(file);
    print(out, given.json, { cancelled: wasMoving }, () =>
      wasMoving
        ? 'the SQLite database is served again; what was copied lies in PostgreSQL: empty that database before another move'
        : 'no move had begun',
    );
  } finally {
    await held.release();
  }
}
