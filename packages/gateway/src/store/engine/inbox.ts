import type { InboxEntry, StanzaFailure } from '@ponte/engine';
import { sql } from 'kysely';
import type { SealedBox } from '../../crypto/sealed-box.ts';
import { FEW, hot } from '../db/hot.ts';
import type { Db, Store, Tx } from '../db/store.ts';

/**
 * Tombstones outlive WhatsApp's own memory of undelivered messages (14 days: whatsmeow deletes its
 * hashes after that time).
 */
export const TOMBSTONE_MS = 14 * 24 * 60 * 60 * 1_000;

export const stanzaAad = (lineId: string, place: string) => `inbox|stanza|${lineId}|${place}`;
export const plaintextAad = (lineId: string, hash: string) => `inbox|plaintext|${lineId}|${hash}`;

/** Unencrypted stanzas have no ciphertext to hash: a drawn name takes its place. */
export const PLAIN_PLACE = 'plain:';

/** A row that waits to become events. */
export interface PendingInboxRow {
  seq: number;
  /** When the stanza became durable (Unix milliseconds). */
  createdAt: number;
  entry: InboxEntry;
}

/**
 * What of a line's inbox is not events yet, oldest first, after a sequence number. Throws
 * UnreadableError.
 */
export async function pendingInbox(
  store: Store,
  box: SealedBox,
  lineId: string,
  afterSeq: number,
  limit: number,
): Promise<PendingInboxRow[]> {
  const rows = await store.db
    .selectFrom('inbox')
    .select(['seq', 'kind', 'hash', 'tag', 'enc_index', 'stanza', 'plaintext', 'failure', 'created_at'])
    .where('line_id', '=', lineId)
    // As a literal, so that the index of what waits is seen to fit.
    .where('done', '=', sql.lit(0))
    .where('seq', '>', afterSeq)
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map((row) => {
    const hash = row.hash ?? '';
    const place = { seq: Number(row.seq), createdAt: Number(row.created_at) };
    const stanza = box.open(row.stanza ?? Buffer.alloc(0), stanzaAad(lineId, hash));
    if (row.kind === 'stanza') {
      const failure = row.failure === null ? undefined : readFailure(row.failure);
      return { ...place, entry: { kind: 'stanza', stanza, tag: row.tag, failure } };
    }
    const plaintext = box.open(row.plaintext ?? Buffer.alloc(0), plaintextAad(lineId, hash));
    return {
      ...place,
      entry: { kind: 'sealed', hash, stanza, encIndex: Number(row.enc_index), plaintext },
    };
  });
}

/** Rows of 0.1.0 hold the words alone. */
function readFailure(stored: string): StanzaFailure {
  if (stored.startsWith('{')) return JSON.parse(stored) as StanzaFailure;
  return { cause: 'decryption_failed', detail: stored };
}

/**
 * These rows became events: decrypted ones stay as empty tombstones (a redelivery is known by its
 * hash), the others go.
 */
export async function closeInbox(tx: Tx, rows: readonly ClosedRow[]): Promise<void> {
  for (const kind of ['sealed', 'stanza'] as const) {
    const seqs = rows.filter((row) => row.kind === kind).map((row) => row.seq);
    if (seqs.length > FEW) await closeMany(tx, kind, seqs);
    else for (const seq of seqs) await (kind === 'sealed' ? emptyOne : dropOne).run(tx.db, seq);
  }
}

export interface ClosedRow {
  seq: number;
  kind: 'sealed' | 'stanza';
}

const emptyOne = hot<[number]>('update inbox set done = 1, stanza = null, plaintext = null where seq = ?');
const dropOne = hot<[number]>('delete from inbox where seq = ?');

async function closeMany(tx: Tx, kind: ClosedRow['kind'], seqs: number[]): Promise<void> {
  if (kind === 'stanza') await tx.db.deleteFrom('inbox').where('seq', 'in', seqs).execute();
  else {
    const emptied = { done: 1, stanza: null, plaintext: null };
    await tx.db.updateTable('inbox').set(emptied).where('seq', 'in', seqs).execute();
  }
}

const SWEEP_BATCH = 100;

/** How far a sweep of tombstones came; `after` is where its next batch begins. */
export interface SweptTo {
  after: number;
  deleted: number;
  /** Older rows may follow. */
  more: boolean;
}

/**
 * Removes a batch of tombstones that no redelivery can ask for any more, from the row after `after`
 * on. The oldest rows come first, so it ends at the first one that is young enough.
 */
export async function sweepTombstones(db: Db, now: number, after = 0): Promise<SweptTo> {
  const rows = await db
    .selectFrom('inbox')
    .select(['seq', 'done', 'created_at'])
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(SWEEP_BATCH)
    .execute();
  const old = rows.filter((row) => Number(row.created_at) < now - TOMBSTONE_MS);
  const seqs = old.filter((row) => Number(row.done) === 1).map((row) => Number(row.seq));
  if (seqs.length > 0) await db.deleteFrom('inbox').where('seq', 'in', seqs).execute();
  return { after: Number(old.at(-1)?.seq ?? after), deleted: seqs.length, more: old.length === SWEEP_BATCH };
}

/** Received stanzas of all lines that are not events yet, and since when the oldest waits. */
export async function inboxBacklog(store: Store): Promise<{ count: number; oldestAt: number | null }> {
  const row = await store.db
    .selectFrom('inbox')
    .select((eb) => [eb.fn.countAll().as('count'), eb.fn.min('created_at').as('oldest')])
    .where('done', '=', sql.lit(0))
    .executeTakeFirstOrThrow();
  return { count: Number(row.count), oldestAt: row.oldest === null ? null : Number(row.oldest) };
}
