import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../../test/store-harness.ts';
import {
  deleteLineRows,
  findLineById,
  findLineByNumber,
  findLineByRef,
  insertLine,
  type LineOwner,
  listHalfDeleted,
  listLines,
  markDeleted,
  updateLine,
} from './lines.ts';

const LIVE: LineOwner = { accountId: 'acc_1', mode: 'live' };
const TEST: LineOwner = { accountId: 'acc_1', mode: 'test' };
const OTHER: LineOwner = { accountId: 'acc_2', mode: 'live' };

forEachStore((open) => {
  let opened: TestStore;
  beforeEach(async () => {
    opened = await open();
    await opened.store.db
      .insertInto('accounts')
      .values(['acc_1', 'acc_2'].map((id) => ({ id, name: id, plan: 'p', subscription: 'active', created_at: 1 })))
      .execute();
  });
  afterEach(() => opened.close());

  const create = (id: string, owner: LineOwner, customerRef: string | null = null) =>
    opened.store.transaction((tx) =>
      insertLine(tx.db, { id, owner, customerRef, label: null, createdAt: 1_800_000_000_000 }),
    );
  const remove = (id: string) => opened.store.transaction((tx) => deleteLineRows(tx.db, id));

  test('a line is seen by its account and mode only, under each of its names', async () => {
    await create('line_1', LIVE, 'shop');
    const line = await findLineById(opened.store.db, LIVE, 'line_1');
    expect(line).toMatchObject({ id: 'line_1', customerRef: 'shop', status: 'unpaired', createdAt: 1_800_000_000_000 });
    const number = line?.number ?? 0;
    expect(await findLineByNumber(opened.store.db, LIVE, number)).toEqual(line);
    expect(await findLineByRef(opened.store.db, LIVE, 'shop')).toEqual(line);
    for (const stranger of [TEST, OTHER]) {
      expect(await findLineById(opened.store.db, stranger, 'line_1')).toBeUndefined();
      expect(await findLineByNumber(opened.store.db, stranger, number)).toBeUndefined();
      expect(await findLineByRef(opened.store.db, stranger, 'shop')).toBeUndefined();
      expect(await listLines(opened.store.db, stranger)).toEqual([]);
    }
  });

  test('a customer_ref names one line per account and mode, and is free again when its line is being deleted', async () => {
    expect(await create('line_1', LIVE, 'shop')).toBe(true);
    expect(await create('line_2', LIVE, 'shop')).toBe(false);
    expect(await create('line_3', TEST, 'shop')).toBe(true);
    expect(await create('line_4', OTHER, 'shop')).toBe(true);
    expect(await markDeleted(opened.store.db, 'line_1', 5)).toBe(true);
    expect(await markDeleted(opened.store.db, 'line_1', 6)).toBe(false);
    expect(await create('line_5', LIVE, 'shop')).toBe(true);
    expect((await listHalfDeleted(opened.store.db)).map((line) => line.id)).toEqual(['line_1']);
    await updateLine(opened.store.db, 'line_5', { label: 'Shop' });
    expect(await findLineByRef(opened.store.db, LIVE, 'shop')).toMatchObject({ id: 'line_5', label: 'Shop' });
  });

  test('a number is never given twice, not even the last one of all', async () => {
    await create('line_1', LIVE);
    await create('line_2', LIVE);
    const last = (await findLineById(opened.store.db, LIVE, 'line_2'))?.number ?? 0;
    await remove('line_2');
    await create('line_3', LIVE);
    expect((await findLineById(opened.store.db, LIVE, 'line_3'))?.number).toBeGreaterThan(last);
  });

  test('a deleted line leaves no row behind, and every row of the others', async () => {
    for (const [id, owner] of [['line_1', LIVE] as const, ['line_2', LIVE] as const]) {
      await create(id, owner);
      await fill(id);
    }
    const before = await rowsOf('line_2');
    expect([...before].filter(([, count]) => count === 0)).toEqual([]);
    expect([...before.keys()]).toEqual(expect.arrayContaining(['inbox', 'outbox', 'events', 'webhooks', 'line_keys']));
    await remove('line_1');
    expect([...(await rowsOf('line_1')).values()].every((count) => count === 0)).toBe(true);
    expect(await rowsOf('line_2')).toEqual(before);
    const kept = async (table: 'deliveries' | 'attempts' | 'idempotency' | 'data_keys') =>
      Number(
        (await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(opened.store.db)).rows[0]?.n,
      );
    expect(await Promise.all([kept('deliveries'), kept('attempts'), kept('idempotency'), kept('data_keys')])).toEqual([
      1, 1, 1, 1,
    ]);
  });

  /** Rows by table, of every table that has a line_id. */
  async function rowsOf(lineId: string): Promise<Map<string, number>> {
    const { db } = opened.store;
    const tables = (await db.introspection.getTables()).filter(
      // The full-text index follows the messages by itself.
      (t) => t.columns.some((c) => c.name === 'line_id') && !t.name.startsWith('messages_search'),
    );
    const counts = new Map<string, number>();
    for (const { name } of tables) {
      const { rows } = await sql<{ n: number }>`
        select count(*) as n from ${sql.table(name)} where line_id = ${lineId}`.execute(db);
      counts.set(name, Number(rows[0]?.n));
    }
    return counts;
  }

  /** One row of everything a line can own. */
  async function fill(lineId: string): Promise<void> {
    await opened.store.transaction(async ({ db }) => {
      await db
        .insertInto('connect_links')
        .values({ hash: Buffer.from(lineId), line_id: lineId, created_at: 1, expires_at: 2, used_at: null })
        .execute();
      const at = { created_at: 1 };
      const line = { line_id: lineId };
      const bytes = Buffer.of(1);
      await db
        .insertInto('data_keys')
        .values({ scope: lineId, master_key_id: 'm', wrapped: bytes, ...at })
        .execute();
      await db
        .insertInto('line_keys')
        .values({ ...line, kind: 'k', id: 'i', value: bytes })
        .execute();
      await db
        .insertInto('inbox')
        .values({ ...line, kind: 'sealed', hash: 'h', tag: 'message', enc_index: 0, done: 0, ...at })
        .execute();
      await db
        .insertInto('outbox')
        .values({
          ...line,
          id: `out_${lineId}`,
          account_id: 'acc_1',
          message_id: 'm',
          to_jid: 'j',
          content: '{}',
          state: 'accepted',
          accepted_at: 1,
        })
        .execute();
      await db
        .insertInto('idempotency')
        .values({ scope: 's', key: lineId, fingerprint: 'f', outbox_id: `out_${lineId}`, ...at, expires_at: 2 })
        .execute();
      const { seq } = await db
        .insertInto('events')
        .values({ ...line, id: `evt_${lineId}`, account_id: 'acc_1', type: 't', dedupe_key: 'd', payload: '{}', ...at })
        .returning('seq')
        .executeTakeFirstOrThrow();
      await db
        .insertInto('messages')
        .values({
          ...line,
          message_id: 'm',
          chat_jid: 'j',
          sender_jid: 'j',
          from_me: 0,
          kind: 'text',
          body: '',
          facts: '{}',
          status: 'sent',
          timestamp: 1,
          ...at,
        })
        .execute();
      const chat = { ...line, jid: 'j', updated_at: 1 };
      await db
        .insertInto('chats')
        .values({ ...chat, is_group: 0, archived: 0, unread_count: 0 })
        .execute();
      await db.insertInto('contacts').values(chat).execute();
      await db
        .insertInto('addresses')
        .values({ ...line, lid: 'l', pn: 'p' })
        .execute();
      await db
        .insertInto('problems')
        .values({ ...line, account_id: 'acc_1', mode: 'live', kind: 'line_down', subject: lineId, since: 1 })
        .execute();
      await db
        .insertInto('kept_keys')
        .values({ ...line, kind: 'k', id: 'i', value: Buffer.of(1) })
        .execute();
      await db
        .insertInto('line_leases')
        .values({ ...line, epoch: 1, expires_at: 1 })
        .execute();
      await db
        .insertInto('chat_expirations')
        .values({ ...line, jid: 'j', seconds: 60, set_at: 1 })
        .execute();
      await db
        .insertInto('number_aliases')
        .values({ ...line, asked: 'a', pn: 'p' })
        .execute();
      await db
        .insertInto('message_readers')
        .values({ ...line, message_id: 'm', reader: 'r', updated_at: 1 })
        .execute();
      const counted = { received: 1, sent: 0, failed: 0, send_ms: 0, slowest_send_ms: 0 };
      await db
        .insertInto('line_traffic')
        .values({ ...line, step: 1, at: 1, ...counted })
        .execute();
      const asked = { key_id: 'key_1', key_name: 'k', operation: 'o', shown: '{}', command: 'c', input: '{}' };
      await db
        .insertInto('approvals')
        .values({
          ...line,
          ...asked,
          id: `apr_${lineId}`,
          account_id: 'acc_1',
          mode: 'live',
          fingerprint: 'f',
          state: 'pending',
          created_at: 1,
          expires_at: 2,
        })
        .execute();
      await db
        .insertInto('history_parts')
        .values({ ...line, part_id: 'p', kind: 'full', part: bytes, created_at: 1 })
        .execute();
      await db
        .insertInto('chat_groups')
        .values({ ...chat, subject: 's', subject_at: 1 })
        .execute();
      await db
        .insertInto('webhooks')
        .values({
          ...line,
          id: `whk_${lineId}`,
          account_id: 'acc_1',
          mode: 'live',
          url: 'u',
          secret: bytes,
          events: '[]',
          selectors: '[]',
          format: 'lines',
          strict_order: 0,
          status: 'enabled',
          lane_until: 0,
          ...at,
        })
        .execute();
      await db
        .insertInto('deliveries')
        .values({
          id: `dlv_${lineId}`,
          account_id: 'acc_1',
          webhook_id: `whk_${lineId}`,
          event_seq: seq,
          state: 'pending',
          attempts: 1,
          step: 0,
          pulls: 0,
          next_at: 0,
          ...at,
        })
        .execute();
      await db
        .insertInto('attempts')
        .values({ delivery_id: `dlv_${lineId}`, number: 1, at: 1, duration_ms: 1 })
        .execute();
    });
  }
});
