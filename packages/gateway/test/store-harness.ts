import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { describe } from 'vitest';
import { systemClock } from '../src/core/clock.ts';
import { migrate } from '../src/store/db/migrate.ts';
import { openStore } from '../src/store/db/open.ts';
import type { Store } from '../src/store/db/store.ts';

/** A fresh, migrated database of its own. `reopen` opens it once more, as another process would. */
export interface TestStore {
  store: Store;
  url: string;
  reopen(): Promise<Store>;
  /** Closes every store and removes the database. */
  close(): Promise<void>;
}

export type OpenTestStore = (options?: { migrated?: boolean }) => Promise<TestStore>;

async function assemble(url: string, remove: () => Promise<void> | void, migrated: boolean): Promise<TestStore> {
  const opened: Store[] = [];
  const open = async () => {
    const store = await openStore({ url, clock: systemClock });
    opened.push(store);
    return store;
  };
  const store = await open();
  if (migrated) await migrate(store, systemClock.now);
  return {
    store,
    url,
    reopen: open,
    async close() {
      for (const one of opened) await one.close();
      await remove();
    },
  };
}

export const openTestSqlite: OpenTestStore = async ({ migrated = true } = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'ponte-store-'));
  return assemble(
    `sqlite:${join(folder, 'ponte.db')}`,
    () => rmSync(folder, { recursive: true, force: true }),
    migrated,
  );
};

async function admin(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

export const openTestPostgres: OpenTestStore = async ({ migrated = true } = {}) => {
  const schema = `ponte_${randomBytes(6).toString('hex')}`;
  await admin(`create schema ${schema}`);
  const url = new URL(process.env.TEST_DATABASE_URL ?? '');
  url.searchParams.set('schema', schema);
  return assemble(url.toString(), () => admin(`drop schema ${schema} cascade`), migrated);
};

/**
 * Runs the suite on SQLite, and on PostgreSQL when TEST_DATABASE_URL names a server (`npm test`
 * says when it does not).
 */
export function forEachStore(suite: (open: OpenTestStore, engine: Store['engine']) => void): void {
  describe('on SQLite', () => suite(openTestSqlite, 'sqlite'));
  if (process.env.TEST_DATABASE_URL) describe('on PostgreSQL', () => suite(openTestPostgres, 'postgres'));
}
