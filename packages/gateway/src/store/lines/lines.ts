import { isChange, type OutboundContent } from '@ponte/engine';
import type { Kysely, Selectable, Transaction } from 'kysely';
import { toReason } from '../../core/line-reasons.ts';
import type { Line, LineStatus, Mode } from '../../core/lines.ts';
import type { Pacing } from '../../core/pacing.ts';
import { hot } from '../db/hot.ts';
import type { Database, LinesTable } from '../db/schema.ts';
import { returnSent } from '../sends/usage.ts';
import { readRestrictions } from './restrictions.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** Whose lines: an account's of one mode. */
export interface LineOwner {
  accountId: string;
  mode: Mode;
}

/** A row in the words of the core. */
export function toLine(row: Selectable<LinesTable>): Line {
  return {
    id: row.id,
    number: Number(row.number),
    accountId: row.account_id,
    mode: row.mode,
    customerRef: row.customer_ref,
    label: row.label,
    status: row.status as LineStatus,
    statusReason: toReason(row.status_reason),
    statusUntil: row.status_until === null ? null : Number(row.status_until),
    statusCode: row.status_code === null ? null : Number(row.status_code),
    phone: row.phone,
    jid: row.jid,
    lid: row.lid,
    name: row.name,
    createdAt: Number(row.created_at),
    connectedAt: row.connected_at === null ? null : Number(row.connected_at),
    restrictions: readRestrictions(row.restrictions),
    credentialsKeptUntil: row.credentials_kept_until === null ? null : Number(row.credentials_kept_until),
  };
}

const ownedBy = (db: Db, owner: LineOwner) =>
  db
    .selectFrom('lines')
    .selectAll()
    .where('account_id', '=', owner.accountId)
    .where('mode', '=', owner.mode)
    .where('deleted_at', 'is', null);

export async function findLineById(db: Db, owner: LineOwner, id: string): Promise<Line | undefined> {
  const row = await readById.first(db, owner.accountId, owner.mode, id);
  return row && toLine(row);
}

const OWNED = 'select * from lines where account_id = ? and mode = ? and deleted_at is null';
const readById = hot<[string, Mode, string], Selectable<LinesTable>>(`${OWNED} and id = ?`);
const readByRef = hot<[string, Mode, string], Selectable<LinesTable>>(`${OWNED} and customer_ref = ?`);

/** A line of any account; for callers that hold a secret for this one line. */
export async function findLineUnowned(db: Db, id: string): Promise<Line | undefined> {
  const row = await db
    .selectFrom('lines')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return row && toLine(row);
}

export async function findLineByRef(db: Db, owner: LineOwner, customerRef: string): Promise<Line | undefined> {
  const row = await readByRef.first(db, owner.accountId, owner.mode, customerRef);
  return row && toLine(row);
}

export async function findLineByNumber(db: Db, owner: LineOwner, number: number): Promise<Line | undefined> {
  const row = await ownedBy(db, owner).where('number', '=', number).executeTakeFirst();
  return row && toLine(row);
}

/** An account's lines of one mode, oldest first. */
export async function listLines(db: Db, owner: LineOwner): Promise<Line[]> {
  const rows = await ownedBy(db, owner).orderBy('number').execute();
  return rows.map(toLine);
}

/** Creates an unpaired line. False when the account has a line with that customer_ref already. */
export async function insertLine(
  db: Transaction<Database>,
  line: { id: string; owner: LineOwner; customerRef: string | null; label: string | null; createdAt: number },
): Promise<boolean> {
  const result = await db
    .insertInto('lines')
    .values({
      id: line.id,
      account_id: line.owner.accountId,
      mode: line.owner.mode,
      customer_ref: line.customerRef,
      label: line.label,
      status: 'unpaired',
      status_reason: null,
      status_until: null,
      status_code: null,
      phone: null,
      jid: null,
      lid: null,
      name: null,
      created_at: line.createdAt,
      connected_at: null,
      deleted_at: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
}

/** Changes what a caller may change about a line; absent fields stay. */
export async function updateLine(
  db: Db,
  id: string,
  change: { label?: string | null; customerRef?: string | null; pacing?: Pacing | null },
): Promise<void> {
  const set = {
    ...(change.label === undefined ? {} : { label: change.label }),
    ...(change.customerRef === undefined ? {} : { customer_ref: change.customerRef }),
    ...(change.pacing === undefined ? {} : { pacing: change.pacing === null ? null : JSON.stringify(change.pacing) }),
  };
  if (Object.keys(set).length === 0) return;
  await db.updateTable('lines').set(set).where('id', '=', id).execute();
}

/** The line's own pacing; null when it has none. */
export async function readPacing(db: Db, id: string): Promise<Pacing | null> {
  const row = await db.selectFrom('lines').select('pacing').where('id', '=', id).executeTakeFirst();
  return row?.pacing == null ? null : (JSON.parse(row.pacing) as Pacing);
}

/** Ids of every line of an account, of both modes. */
export async function linesOfAccount(db: Db, accountId: string): Promise<string[]> {
  const rows = await db.selectFrom('lines').select('id').where('account_id', '=', accountId).execute();
  return rows.map(({ id }) => id);
}

/**
 * From here on the line is gone for callers, and its customer_ref is free; the rows follow. False
 * when another request has begun already.
 */
export async function markDeleted(db: Db, id: string, nowMs: number): Promise<boolean> {
  const result = await db
    .updateTable('lines')
    .set({ deleted_at: nowMs, customer_ref: null })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return Number(result.numUpdatedRows) === 1;
}

/** Lines whose deletion began (before a time) and was cut off. */
export async function listHalfDeleted(db: Db, before = Number.MAX_SAFE_INTEGER): Promise<Line[]> {
  const rows = await db.selectFrom('lines').selectAll().where('deleted_at', '<', before).orderBy('number').execute();
  return rows.map(toLine);
}

const LINE_TABLES = [
  'outbox',
  'events',
  'messages',
  'chats',
  'contacts',
  'chat_groups',
  'addresses',
  'number_aliases',
  'message_readers',
  'chat_expirations',
  'history_parts',
  'inbox',
  'line_keys',
  'kept_keys',
  'connect_links',
] as const;

/** What was accepted and never left does not count. What was sent stays counted. */
async function giveBackUnsent(tx: Transaction<Database>, id: string): Promise<void> {
  const rows = await tx
    .selectFrom('outbox')
    .select(['account_id', 'accepted_at', 'content'])
    .where('line_id', '=', id)
    .where('finished_at', 'is', null)
    .where('state', '=', 'accepted')
    .execute();
  for (const row of rows) {
    if (isChange(JSON.parse(row.content) as OutboundContent)) continue;
    await returnSent(tx, { accountId: row.account_id, lineId: id, acceptedAt: Number(row.accepted_at) });
  }
}

/**
 * Deletes every row that belongs to a line, and the line. Its worker must have let go of it before.
 */
export async function deleteLineRows(tx: Transaction<Database>, id: string): Promise<void> {
  // First, so that an owner's commit that is under way ends before anything goes.
  await tx.deleteFrom('line_leases').where('line_id', '=', id).execute();
  const events = tx.selectFrom('events').select('seq').where('line_id', '=', id);
  const webhooks = tx.selectFrom('webhooks').select('id').where('line_id', '=', id);
  const deliveries = tx
    .selectFrom('deliveries')
    .select('id')
    .where((eb) => eb.or([eb('event_seq', 'in', events), eb('webhook_id', 'in', webhooks)]));
  await tx.deleteFrom('attempts').where('delivery_id', 'in', deliveries).execute();
  await tx
    .deleteFrom('deliveries')
    .where((eb) => eb.or([eb('event_seq', 'in', events), eb('webhook_id', 'in', webhooks)]))
    .execute();
  await tx.deleteFrom('webhooks').where('line_id', '=', id).execute();
  await tx
    .deleteFrom('idempotency')
    .where('outbox_id', 'in', tx.selectFrom('outbox').select('id').where('line_id', '=', id))
    .execute();
  await giveBackUnsent(tx, id);
  for (const table of LINE_TABLES) {
    await tx.deleteFrom(table).where('line_id', '=', id).execute();
  }
  await tx.deleteFrom('data_keys').where('scope', '=', id).execute();
  await tx.deleteFrom('lines').where('id', '=', id).execute();
}
