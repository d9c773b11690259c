import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Clock } from '../world/clock.ts';
import { openDatabase } from '../world/database.ts';
import { createRng } from '../world/rng.ts';
import { type Blobs, fileBlobs, memoryBlobs } from './blobs.ts';
import { createMediaStore, LINK_TTL_MS, type MediaStore } from './media-store.ts';

const DAY_MS = 24 * 3600 * 1000;
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.each(['memory', 'files'])('media kept in %s', (kind) => {
  const folders: string[] = [];
  let nowMs = 1_790_000_000_000;
  const clock: Clock = { nowMs: () => nowMs, after: () => ({ cancel: () => undefined }) };

  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });

  async function blobs(): Promise<Blobs> {
    if (kind === 'memory') return memoryBlobs();
    const folder = await mkdtemp(join(tmpdir(), 'media-store-'));
    folders.push(folder);
    return fileBlobs(folder);
  }

  async function opened(quota = { tenantBytes: 1000, totalBytes: 10_000 }) {
    const kept = await blobs();
    const store = createMediaStore({ db: openDatabase(':memory:'), clock, rng: createRng(), blobs: kept, quota });
    return { store, kept };
  }

  async function put(store: MediaStore, tenant: string, size: number) {
    const bytes = randomBytes(size);
    nowMs += 1000;
    return { bytes, link: await store.put(tenant, 'image', sha(bytes), bytes) };
  }

  const stateOf = (store: MediaStore, tenant: string, id: string): string => {
    const found = store.find(tenant, id);
    return typeof found === 'string' ? found : 'there';
  };

  it('gives back what was put, to the tenant it belongs to', async () => {
    const { store } = await opened();
    const { bytes, link } = await put(store, 'a', 100);
    expect(Buffer.from((await store.all('a', link)) ?? [])).toEqual(bytes);
    expect(stateOf(store, 'b', link.id)).toBe('missing');
    expect(await store.all('b', link)).toBeUndefined();
  });

  it('ends a link after its time, and forgets the bytes a month later', async () => {
    const { store, kept } = await opened();
    const { link } = await put(store, 'a', 100);
    nowMs += LINK_TTL_MS;
    expect(stateOf(store, 'a', link.id)).toBe('expired');
    const again = store.relink('a', link.hash);
    expect(again && stateOf(store, 'a', again.id)).toBe('there');
    nowMs += 61 * DAY_MS;
    await put(store, 'a', 10);
    expect(store.relink('a', link.hash)).toBeUndefined();
    expect(await kept.all('a', link.hash)).toBeUndefined();
  });

  it('lets the oldest go when a tenant has too much, and refuses what alone is too much', async () => {
    const { store, kept } = await opened();
    const first = await put(store, 'a', 600);
    const second = await put(store, 'a', 600);
    expect([stateOf(store, 'a', first.link.id), stateOf(store, 'a', second.link.id)]).toEqual(['missing', 'there']);
    expect(await kept.all('a', first.link.hash)).toBeUndefined();
    await expect(put(store, 'a', 1001)).rejects.toMatchObject({ reason: 'too_large' });
    expect(stateOf(store, 'a', second.link.id)).toBe('there');
  });

  it('lets the oldest of all go when all tenants together have too much', async () => {
    const { store } = await opened({ tenantBytes: 1000, totalBytes: 2500 });
    const made = [];
    for (const tenant of ['a', 'b', 'c']) made.push({ tenant, ...(await put(store, tenant, 900)) });
    expect(made.map(({ tenant, link }) => stateOf(store, tenant, link.id))).toEqual(['missing', 'there', 'there']);
  });

  it('keeps nothing of bytes with another hash', async () => {
    const { store, kept } = await opened();
    const wanted = sha(randomBytes(5));
    await expect(store.put('a', 'image', wanted, randomBytes(100))).rejects.toMatchObject({ reason: 'wrong_hash' });
    expect(await kept.all('a', wanted)).toBeUndefined();
    const [folder] = folders;
    if (folder) expect(await readdir(join(folder, 't-a'))).toEqual([]);
  });

  it('forgets everything of a tenant that is reset', async () => {
    const { store } = await opened();
    const { link } = await put(store, 'a', 100);
    const { link: other } = await put(store, 'b', 100);
    await store.reset('a');
    expect(await store.all('a', link)).toBeUndefined();
    expect(await store.all('b', other)).toHaveLength(100);
  });
});

it('removes what a crash left half written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'media-store-'));
  const first = fileBlobs(folder);
  const bytes = randomBytes(10);
  await first.write(
    'a',
    sha(bytes),
    (async function* () {
      yield bytes;
    })(),
    100,
  );
  await writeFile(join(folder, 't-a', `${sha(bytes)}.7.part`), 'half');
  const second = fileBlobs(folder);
  const more = randomBytes(10);
  await second.write(
    'a',
    sha(more),
    (async function* () {
      yield more;
    })(),
    100,
  );
  expect((await readdir(join(folder, 't-a'))).sort()).toEqual([sha(bytes), sha(more)].sort());
  await rm(folder, { recursive: true, force: true });
});
