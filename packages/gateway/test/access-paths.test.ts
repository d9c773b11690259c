import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSealedBox } from '../src/crypto/sealed-box.ts';
import { endedKeys } from '../src/store/access/ended-keys.ts';
import type { Database } from '../src/store/db/schema.ts';
import type { Store, Tx } from '../src/store/db/store.ts';
import { pendingInbox, sweepTombstones } from '../src/store/engine/inbox.ts';
import { isWishedFor, pruneEvents, readEvents } from '../src/store/journal/event-log.ts';
import { findLineById, findLineByNumber, findLineByRef, listLines } from '../src/store/lines/lines.ts';
import { pruneTraffic, readHoursByLine, readLineTraffic, readWebhookTraffic } from '../src/store/lines/traffic.ts';
import { findChat, knownIn, unreadOf } from '../src/store/messages/reading.ts';
import * as approvals from '../src/store/sends/approvals.ts';
import { findClaim, sweepExpired } from '../src/store/sends/idempotency.ts';
import { unfinished } from '../src/store/sends/outbox.ts';
import { countWaiting, countWaitingByLine, findSend } from '../src/store/sends/sends.ts';
import { countUsed } from '../src/store/sends/usage.ts';
import { replayRange } from '../src/store/webhooks/deliveries.ts';
import { markDelivered } from '../src/store/webhooks/delivering-attempt.ts';
import * as queue from '../src/store/webhooks/delivery-queue.ts';
import { newlyDue } from '../src/store/webhooks/new-deliveries.ts';
import { openTestSqlite, type TestStore } from './store-harness.ts';

let opened: TestStore;
let raw: Sqlite.Database;
let db: Kysely<Database>;
const plans: { sql: string; detail: string }[] = [];

// Runs on SQLite only: the indexes are the same ones on both, and SQLite says how it uses them
// without needing data.
beforeAll(async () => {
  opened = await openTestSqlite();
  raw = new Sqlite(opened.url.slice('sqlite:'.length));
  const explaining = {
    prepare(sql: string) {
      const statement = raw.prepare(sql);
      const explain = (parameters: readonly unknown[]) => {
        for (const row of raw.prepare<unknown[], { detail: string }>(`explain query plan ${sql}`).all(...parameters)) {
          plans.push({ sql, detail: row.detail });
        }
      };
      return {
        reader: statement.reader,
        all(parameters: readonly unknown[]) {
          explain(parameters);
          return statement.all(...parameters);
        },
        run(parameters: readonly unknown[]) {
          explain(parameters);
          return statement.run(...parameters);
        },
        iterate: (parameters: readonly unknown[]) => statement.iterate(...parameters) as IterableIterator<unknown>,
      };
    },
    close: () => void raw.close(),
  };
  db = new Kysely<Database>({ dialect: new SqliteDialect({ database: explaining }) });
});
afterAll(async () => {
  await db.destroy();
  await opened.close();
});

const owner = { accountId: 'acc_1', mode: 'live' } as const;
const span = { step: 'hour', fromMs: 0, toMs: 1 } as const;
const period = { startMs: 0, endMs: 1 };
const box = createSealedBox(Buffer.alloc(32));

const PATHS: Record<string, (db: Kysely<Database>) => Promise<unknown>> = {
  'a line by id': (db) => findLineById(db, owner, 'line_1'),
  'a line by customer_ref': (db) => findLineByRef(db, owner, 'a'),
  'a line by number': (db) => findLineByNumber(db, owner, 1),
  'the lines of an account': (db) => listLines(db, owner),
  'a send': (db) => findSend(db, 'out_1'),
  'how many sends wait': (db) => countWaiting(db, 'line_1', 1),
  'the sends that wait': (db) => unfinished(db, 'line_1', { after: 0, limit: 10, nowMs: 1 }),
  'the inbox that waits': (db) => pendingInbox({ db } as Store, box, 'line_1', 0, 10),
  'old tombstones': (db) => sweepTombstones(db, 1),
  'an idempotency key': (db) => findClaim(db, { scope: 'a', key: 'b', fingerprint: 'c' }, 1),
  'expired idempotency keys': (db) => sweepExpired(db, 1),
  'a chat by any address': (db) => findChat(db, 'line_1', '1@lid'),
  'the unread messages of a chat': (db) => unreadOf(db, 'line_1', { jid: '1@lid', unreadCount: 5 }),
  'messages by id': (db) => knownIn(db, 'line_1', '15550001111@s.whatsapp.net', ['a', 'b']),
  'messages of a chat, newest first': (db) =>
    db
      .selectFrom('messages')
      .selectAll()
      .where('line_id', '=', 'line_1')
      .where('chat_jid', '=', '1@lid')
      .orderBy('timestamp', 'desc')
      .orderBy('seq', 'desc')
      .limit(50)
      .execute(),
  'events of an account after a cursor': (db) => readEvents(db, { after: 5, upTo: 9, limit: 5, owner }),
  'events of one line after a cursor': (db) =>
    readEvents(db, { after: 5, upTo: 9, limit: 5, owner: { ...owner, lineId: 'line_1' } }),
  'new events of everybody': (db) => readEvents(db, { after: 5, upTo: 9, limit: 5 }),
  'events to prune': (db) => pruneEvents(db, 1),
  'whether a key is over': (db) => endedKeys(db, ['key_1'], 1),
  'whether live facts are wished for': (db) => isWishedFor(db, 'line_1', 1),
  'deliveries to replay': (db) =>
    replayRange({ transaction: (work) => work({ db } as Tx) }, { webhookId: 'whk_1', since: 1, until: 2 }),
  'sent messages of a period': (db) => countUsed(db, 'sent_messages', { ...owner, period }),
  'deliveries of a period': (db) => countUsed(db, 'webhook_events', { ...owner, period }),
  'lines of an account, counted': (db) => countUsed(db, 'lines', { ...owner, period }),
  'how many sends wait, by line': (db) => countWaitingByLine(db, owner),
  'what lines carried': (db) => readLineTraffic(db, owner, span),
  'what webhooks were told': (db) => readWebhookTraffic(db, owner, span),
  'what each line carried': (db) => readHoursByLine(db, owner, 1),
  'traffic past its time': (db) => pruneTraffic(db, 1),
  'an approval': (db) => approvals.findApproval(db, owner, 'apr_1'),
  'an approval asked for twice': (db) => approvals.findRepeated(db, owner, 'k'),
  'approvals, newest first': (db) => approvals.listApprovals(db, owner, 50),
  'approvals that wait': (db) => approvals.countPending(db, owner, 1),
  'approvals that a crash cut off': (db) => approvals.unfinishedApprovals(db, 10),
  'old approvals': (db) => approvals.forgetApprovals(db, 1),
  'what is due at once': (db) => queue.dueAtOnce(db, 'whk_1', 10),
  'retries that are due': (db) => queue.dueRetries(db, 'whk_1', 1, 10),
  'webhooks of new deliveries': (db) => queue.webhooksSince(db, 5),
  'ended deliveries to prune': (db) => queue.pruneDeliveries(db, ['delivered'], 1),
  'deliveries past their time': (db) => queue.expirePending(db, 1, 1),
  'retries to pull forward': (db) => queue.pullForward(db, 'whk_1'),
};

test.each(Object.keys(PATHS))('%s: found through an index, in order, without reading a table', async (name) => {
  plans.length = 0;
  await PATHS[name]?.(db);
  expect(plans.length).toBeGreaterThan(0);
  // A constant row and the few rows of a limited subquery may be scanned.
  const slow = /^SCAN (?!CONSTANT|news\b)|TEMP B-TREE FOR ORDER BY/;
  expect(plans.filter((plan) => slow.test(plan.detail))).toEqual([]);
});

test('the webhooks with pending deliveries are stepped through in the index', async () => {
  plans.length = 0;
  await queue.pendingWebhooks(db);
  const ofTable = plans.filter((plan) => /\bdeliveries\b/.test(plan.detail)).map((plan) => plan.detail);
  expect(ofTable.length).toBeGreaterThan(0);
  for (const detail of ofTable) expect(detail).toMatch(/^SEARCH deliveries USING (COVERING )?INDEX deliveries_due/);
});

test('new deliveries are read from the end of their table on, whatever waits before', async () => {
  plans.length = 0;
  await newlyDue(db, { after: 5, limit: 10, without: ['whk_1', 'whk_2'], taker: 'node_1', now: 1 });
  expect(plans.map((plan) => plan.detail)).toEqual([
    'SEARCH d USING INTEGER PRIMARY KEY (rowid>?)',
    expect.stringMatching(/^SEARCH w USING INDEX \S+ \(id=\?\)$/),
    expect.stringMatching(/^SEARCH e USING INTEGER PRIMARY KEY \(rowid=\?\)/),
    expect.stringMatching(/^SEARCH l USING INDEX \S+ \(id=\?\)/),
  ]);
});

test('outcomes are stored by row number, whatever waits beside them', async () => {
  plans.length = 0;
  // A few one by one, many together.
  const ended = (count: number) => Array.from({ length: count }, (_, at) => ({ seq: at + 1, attempt: '[]' }));
  await markDelivered(db, ended(3), 1);
  await markDelivered(db, ended(9), 1);
  await queue.markFailed(db, 1, { nextAt: 5, at: 1 });
  await queue.closeDeliveries(db, [1, 2], 'expired', 1);
  const ofTable = plans.filter((plan) => /\bdeliveries\b/.test(plan.detail)).map((plan) => plan.detail);
  expect(ofTable.length).toBe(6);
  for (const detail of ofTable) expect(detail).toBe('SEARCH deliveries USING INTEGER PRIMARY KEY (rowid=?)');
});
