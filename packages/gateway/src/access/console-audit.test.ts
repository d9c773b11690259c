import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../test/store-harness.ts';
import { systemClock } from '../core/clock.ts';
import { type Audit, createAudit } from './console-audit.ts';
import { openKeyRing } from './open-key-ring.ts';

forEachStore((open) => {
  let opened: TestStore;
  let audit: Audit;
  const entry = (target: string) => ({
    userId: null,
    actor: 'olga@example.com',
    action: 'createKey',
    target,
    mode: 'live' as const,
    outcome: 'ok',
    address: '203.0.113.7',
    requestId: 'req_x',
  });
  const auditOn = async (store: TestStore['store']) =>
    createAudit({
      store,
      clock: systemClock,
      ring: await openKeyRing({ masterKey: Buffer.alloc(32, 7), store, clock: systemClock }),
    });

  beforeEach(async () => {
    opened = await open();
    // One from before there was a chain.
    await opened.store.db
      .insertInto('console_audit')
      .values({ ...row('old'), link: null })
      .execute();
    audit = await auditOn(opened.store);
  });
  afterEach(() => opened.close());

  const row = (target: string) => {
    const { userId, requestId, ...rest } = entry(target);
    return { ...rest, at: 1, user_id: userId, request_id: requestId, target };
  };

  test('two processes at once make one chain', async () => {
    const other = await auditOn(await opened.reopen());
    await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? audit : other).append(entry(`${n}`))));
    expect(await audit.verify()).toMatchObject({ sealed: 20, unsealed: 1, brokenAt: null });
  });

  const sealedRows = async () => {
    for (let n = 0; n < 5; n += 1) await audit.append(entry(`${n}`));
    const rows = await opened.store.db.selectFrom('console_audit').selectAll().orderBy('seq').execute();
    return rows.slice(1);
  };
  const isBroken = async () => (await audit.verify()).brokenAt !== null;

  test('an entry that was changed or put in shows, wherever it stands', async () => {
    const { db } = opened.store;
    for (const { seq, outcome } of await sealedRows()) {
      await db.updateTable('console_audit').set({ outcome: '403' }).where('seq', '=', seq).execute();
      expect((await audit.verify()).brokenAt).toBe(Number(seq));
      await db.updateTable('console_audit').set({ outcome }).where('seq', '=', seq).execute();
      expect(await isBroken()).toBe(false);
    }
    await db
      .insertInto('console_audit')
      .values({ ...row('put in'), link: null })
      .execute();
    expect(await isBroken()).toBe(true);
  });

  test.each([0, 2, 4])('an entry that was taken out shows: %i of 5, the newest too', async (index) => {
    const seq = (await sealedRows())[index]?.seq ?? 0;
    await opened.store.db.deleteFrom('console_audit').where('seq', '=', seq).execute();
    expect(await isBroken()).toBe(true);
  });
});
