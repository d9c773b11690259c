import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../../test/store-harness.ts';
import { newestEventBefore } from './event-age.ts';

forEachStore((open) => {
  let opened: TestStore;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(() => opened.close());

  async function append(createdAt: number): Promise<number> {
    const { seq } = await opened.store.db
      .insertInto('events')
      .values({
        id: `evt_${createdAt}`,
        account_id: 'acc_1',
        line_id: 'line_1',
        type: 'typing',
        dedupe_key: String(createdAt),
        chat: null,
        payload: '{}',
        created_at: createdAt,
      })
      .returning('seq')
      .executeTakeFirstOrThrow();
    return Number(seq);
  }

  test('the newest event before a moment is found, whatever was deleted between', async () => {
    const { db } = opened.store;
    expect(await newestEventBefore(db, 1_000)).toBe(0);
    const seqs: number[] = [];
    for (let at = 0; at < 40; at += 1) seqs.push(await append(at * 10));
    const gone = seqs.filter((_, at) => at < 3 || (at > 10 && at < 25) || at === 39);
    await db.deleteFrom('events').where('seq', 'in', gone).execute();
    const left = seqs.filter((seq) => !gone.includes(seq));
    for (let cutoff = 0; cutoff <= 410; cutoff += 5) {
      const before = left.filter((seq) => (seqs.indexOf(seq) ?? 0) * 10 < cutoff);
      expect([cutoff, await newestEventBefore(db, cutoff)]).toEqual([cutoff, before.at(-1) ?? 0]);
    }
  });
});
