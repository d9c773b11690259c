import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestSqlite, type TestStore } from '../../test/store-harness.ts';
import { startS3 } from '../../test/support/s3-server.ts';
import { systemClock } from '../core/clock.ts';
import { openFolderStore } from './folder-store.ts';
import { NotSharedError, proveShared } from './prove-shared.ts';
import { openS3Store } from './s3-store.ts';

let folder: string;
let opened: TestStore;
let s3: Awaited<ReturnType<typeof startS3>>;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.close());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ponte-shared-'));
  opened = await openTestSqlite();
});
afterEach(async () => {
  await opened.close();
  rmSync(folder, { recursive: true, force: true });
});

test('nodes that have one folder are told nothing, however many start at once', async () => {
  const nodes = Array.from({ length: 5 }, () => proveShared(opened.store.db, openFolderStore(folder, systemClock)));
  await Promise.all(nodes);
  await proveShared(opened.store.db, openFolderStore(folder, systemClock));
  expect(readdirSync(join(folder, 'installation'))).toHaveLength(1);
});

test('a node with a folder of its own is refused, also one that was filled from another installation', async () => {
  await proveShared(opened.store.db, openFolderStore(join(folder, 'one'), systemClock));
  const own = openFolderStore(join(folder, 'two'), systemClock);
  await expect(proveShared(opened.store.db, own)).rejects.toBeInstanceOf(NotSharedError);
  const other = await openTestSqlite();
  await proveShared(other.store.db, own);
  await expect(proveShared(opened.store.db, own)).rejects.toThrow(/BLOB_URL.*the same shared folder/);
  await other.close();
});

test('storage that speaks S3 proves it in the same way', async () => {
  const one = openS3Store(s3.settings, systemClock);
  await proveShared(opened.store.db, one);
  await proveShared(opened.store.db, one);
  const elsewhere = openS3Store({ ...s3.settings, prefix: 'elsewhere/' }, systemClock);
  await expect(proveShared(opened.store.db, elsewhere)).rejects.toBeInstanceOf(NotSharedError);
  await one.close();
  await elsewhere.close();
});
