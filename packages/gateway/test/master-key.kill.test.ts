import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { masterKeyOf, wrapKey } from '../src/access/master-keys.ts';
import { readConfig } from '../src/config/config.ts';
import { endMasterKeyRotation, openInstallation } from '../src/installation.ts';
import { silentLog } from '../src/observe/logger.ts';
import type { Store } from '../src/store/db/store.ts';
import { gatewayEntry } from './support/product-code.ts';

const RECORDS = 10_000;

const rotation = (dataDir: string) =>
  spawn(process.execPath, [gatewayEntry, 'keys', 'rotate-master', '--json'], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });

const countNotUnder = async ({ db }: Store, id: string): Promise<number> => {
  const { count } = await db
    .selectFrom('data_keys')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('master_key_id', '!=', id)
    .where('scope', 'like', 'line_%')
    .executeTakeFirstOrThrow();
  return Number(count);
};

it('kill -9 in the middle of a rotation loses nothing, and the next one goes on where it was', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ponte-rotation-'));
  const environment = { DATA_DIR: dataDir };
  const open = () => openInstallation(environment, readConfig(environment, { cores: 1, cwd: dataDir }));
  try {
    const running = await open();
    const own = masterKeyOf(running.masterKey);
    for (let at = 0; at < RECORDS; at += 1_000) {
      const rows = Array.from({ length: 1_000 }, (_, n) => wrapKey(own, `line_${at + n}`, randomBytes(32), at));
      await running.store.db.insertInto('data_keys').values(rows).execute();
    }
    const { key } = await running.keys.create({ accountId: running.defaultAccountId, mode: 'test', name: 'mine' });
    const sealed = (await running.ring.box('line_9999')).seal(Buffer.from('identity'), 'p');

    let before = 0;
    for (let round = 0; round < 2; round += 1) {
      const child = rotation(dataDir);
      // A process takes its time to start on a busy machine.
      await vi.waitFor(async () => expect(await countNotUnder(running.store, own.id)).toBeGreaterThan(before), {
        timeout: 60_000,
        interval: 5,
      });
      child.kill('SIGKILL');
      await once(child, 'close');
      const now = await countNotUnder(running.store, own.id);
      expect(now).toBeGreaterThan(before);
      before = now;
      // What runs goes on meanwhile, and what starts finds everything.
      await running.ring.box(`line_${round}`);
      const other = await open();
      expect((await other.ring.box('line_9999')).open(sealed, 'p').toString()).toBe('identity');
      expect(await other.keys.authenticate(key)).toBeDefined();
      await other.close();
    }
    expect(before).toBeLessThan(RECORDS);

    const child = rotation(dataDir);
    let said = '';
    child.stdout.on('data', (piece) => {
      said += String(piece);
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(JSON.parse(said)).toMatchObject({ kept: expect.stringMatching(/^master\.key\.before-/) });
    expect(existsSync(join(dataDir, 'master.key.next'))).toBe(false);
    await running.close();

    const after = await open();
    await endMasterKeyRotation(after, silentLog);
    expect(after.masterKey.equals(running.masterKey)).toBe(false);
    expect(await countNotUnder(after.store, masterKeyOf(after.masterKey).id)).toBe(0);
    expect((await after.ring.box('line_9999')).open(sealed, 'p').toString()).toBe('identity');
    expect(await after.keys.authenticate(key)).toBeDefined();
    await after.close();
    expect(readdirSync(dataDir).filter((name) => name.startsWith('master.key'))).toHaveLength(2);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}, 120_000);
