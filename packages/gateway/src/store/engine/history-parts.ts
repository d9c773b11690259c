import type { HistoryPart } from '@ponte/engine';
import type { Kysely, Transaction } from 'kysely';
import type { SealedBox } from '../../crypto/sealed-box.ts';
import type { Database } from '../db/schema.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** A part that waits to be read. */
export interface WaitingPart {
  seq: number;
  part: HistoryPart;
  /** Tries that failed. */
  failures: number;
}

const aad = (lineId: string, partId: string): string => `history_parts|part|${lineId}|${partId}`;

/**
 * Keeps offered parts until they are read; a part that was offered before, and is not read yet, is
 * the same one.
 */
export async function keepParts(
  db: Db,
  box: SealedBox,
  lineId: string,
  parts: readonly HistoryPart[],
  nowMs: number,
): Promise<void> {
  for (const part of parts) {
    const { reference, ...rest } = part;
    const head = Buffer.from(`${JSON.stringify(rest)}\n`);
    await db
      .insertInto('history_parts')
      .values({
        line_id: lineId,
        part_id: part.id,
        kind: part.kind,
        part: box.seal(Buffer.concat([head, reference]), aad(lineId, part.id)),
        created_at: nowMs,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

/** The oldest part that waits. Throws UnreadableError. */
export async function nextPart(db: Db, box: SealedBox, lineId: string): Promise<WaitingPart | undefined> {
  const row = await db
    .selectFrom('history_parts')
    .select(['seq', 'part_id', 'part', 'failures'])
    .where('line_id', '=', lineId)
    .where('failed', 'is', null)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
  if (!row) return undefined;
  const bytes = box.open(row.part, aad(lineId, row.part_id));
  const end = bytes.indexOf(0x0a);
  const head = JSON.parse(Buffer.from(bytes.subarray(0, end)).toString()) as Omit<HistoryPart, 'reference'>;
  const part = { ...head, reference: bytes.subarray(end + 1) };
  return { seq: Number(row.seq), part, failures: Number(row.failures) };
}

/** A part was read to its end. */
export async function dropPart(db: Db, seq: number): Promise<void> {
  await db.deleteFrom('history_parts').where('seq', '=', seq).execute();
}

/** A try failed; `forGood` says why it is not tried again. */
export async function notePartFailure(db: Db, seq: number, failures: number, forGood: string | null): Promise<void> {
  await db.updateTable('history_parts').set({ failures, failed: forGood }).where('seq', '=', seq).execute();
}
