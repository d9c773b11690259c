import { sql } from 'kysely';
import type { ContentsState } from '../../core/contents.ts';
import type { MessageFacts } from '../../core/events.ts';
import { searchText, textsOf } from '../../core/search-text.ts';
import { storable } from '../../core/storable.ts';
import { accountText, lineBytes, lineText, lineWords, SEALED_MARK, sendBytes } from '../db/contents.ts';
import { lockRows } from '../db/dialect.ts';
import type { Db, Store } from '../db/store.ts';

/** An account whose contents are not simply plain. */
export interface ContentsRow {
  accountId: string;
  state: ContentsState;
  /** Unix milliseconds. */
  since: number;
}

export async function listContents(db: Db): Promise<ContentsRow[]> {
  const rows = await db
    .selectFrom('accounts')
    .select(['id', 'contents', 'contents_since'])
    .where('contents', '<>', 'plain')
    .execute();
  return rows.map((row) => ({ accountId: row.id, state: row.contents, since: Number(row.contents_since) }));
}

/** False when it was not in one of the states `from`. */
export async function changeContents(
  db: Db,
  accountId: string,
  change: { from: readonly ContentsState[]; to: ContentsState; atMs: number },
): Promise<boolean> {
  const result = await db
    .updateTable('accounts')
    .set({ contents: change.to, contents_since: change.atMs })
    .where('id', '=', accountId)
    .where('contents', 'in', change.from)
    .executeTakeFirst();
  return Number(result.numUpdatedRows) === 1;
}

/** Rows that are rewritten in one transaction. */
const BATCH = 100;

/** The first character of a column that is never empty tells whether its row is sealed. */
const isIn = (column: string, wanted: 'sealed' | 'plain') =>
  wanted === 'sealed'
    ? sql<boolean>`substr(${sql.ref(column)}, 1, 1) = ${SEALED_MARK}`
    : sql<boolean>`substr(${sql.ref(column)}, 1, 1) <> ${SEALED_MARK}`;

/** Rewrites some rows after `cursor` that are still `from`; answers the last one, or undefined. */
type Rewrite = (
  store: Store,
  accountId: string,
  from: 'sealed' | 'plain',
  cursor: number,
) => Promise<number | undefined>;

// What is read here comes open, and goes back as the account has it now (store/db/contents.ts).
const messages: Rewrite = (store, accountId, from, cursor) =>
  store.transaction(async ({ db }) => {
    const query = db
      .selectFrom('messages as m')
      .innerJoin('lines as l', 'l.id', 'm.line_id')
      .select(['m.seq', 'm.line_id', 'm.body', 'm.facts', 'm.proto'])
      .where('l.account_id', '=', accountId)
      .where('m.seq', '>', cursor)
      .where(isIn('m.facts', from))
      .orderBy('m.seq')
      .limit(BATCH);
    const rows = await lockRows(store.engine, query).execute();
    for (const { seq, line_id: lineId, body, facts, proto } of rows) {
      const { content } = JSON.parse(facts) as MessageFacts;
      await db
        .updateTable('messages')
        .set({
          body: lineText(lineId, body),
          facts: lineText(lineId, facts),
          search: lineWords(lineId, searchText(storable(textsOf(content)))),
          proto: proto && lineBytes(lineId, proto),
        })
        .where('seq', '=', seq)
        .execute();
    }
    const last = rows.at(-1)?.seq;
    return last === undefined ? undefined : Number(last);
  }, 'normal');

const events: Rewrite = (store, accountId, from, cursor) =>
  store.transaction(async ({ db }) => {
    const query = db
      .selectFrom('events')
      .select(['seq', 'payload'])
      .where('account_id', '=', accountId)
      .where('seq', '>', cursor)
      .where(isIn('payload', from))
      .orderBy('seq')
      .limit(BATCH);
    const rows = await lockRows(store.engine, query).execute();
    for (const { seq, payload } of rows) {
      const text = accountText(accountId, payload);
      await db.updateTable('events').set({ payload: text }).where('seq', '=', seq).execute();
    }
    const last = rows.at(-1)?.seq;
    return last === undefined ? undefined : Number(last);
  }, 'normal');

const outbox: Rewrite = (store, accountId, from, cursor) =>
  store.transaction(async ({ db }) => {
    const query = db
      .selectFrom('outbox')
      .select(['seq', 'id', 'content', 'proto'])
      .where('account_id', '=', accountId)
      .where('seq', '>', cursor)
      .where(isIn('content', from))
      .orderBy('seq')
      .limit(BATCH);
    const rows = await lockRows(store.engine, query).execute();
    for (const { seq, id, content, proto } of rows) {
      await db
        .updateTable('outbox')
        .set({ content: accountText(accountId, content), proto: proto && sendBytes(id, proto) })
        .where('seq', '=', seq)
        .execute();
    }
    const last = rows.at(-1)?.seq;
    return last === undefined ? undefined : Number(last);
  }, 'normal');

/** There are few, and they live for days. */
const approvals: Rewrite = (store, accountId, from) =>
  store.transaction(async ({ db }) => {
    const query = db
      .selectFrom('approvals')
      .select(['id', 'shown', 'input'])
      .where('account_id', '=', accountId)
      .where(isIn('input', from))
      .limit(BATCH);
    const rows = await lockRows(store.engine, query).execute();
    for (const { id, shown, input } of rows) {
      const set = { shown: accountText(accountId, shown), input: accountText(accountId, input) };
      await db.updateTable('approvals').set(set).where('id', '=', id).execute();
    }
    return rows.length === 0 ? undefined : 0;
  }, 'normal');

/**
 * Rewrites everything of the account that is still `from`, in small transactions; answers how many
 * batches there were. The writer must know the account's new state, or nothing changes.
 */
export async function rewriteContents(
  store: Store,
  accountId: string,
  from: 'sealed' | 'plain',
  isStopped: () => boolean,
): Promise<number> {
  let batches = 0;
  for (const rewrite of [messages, events, outbox, approvals]) {
    let cursor: number | undefined = 0;
    while (cursor !== undefined && !isStopped()) {
      cursor = await rewrite(store, accountId, from, cursor);
      if (cursor !== undefined) batches += 1;
    }
  }
  return batches;
}
