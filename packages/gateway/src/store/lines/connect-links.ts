import type { Kysely, Transaction } from 'kysely';
import type { Database } from '../db/schema.ts';

type Db = Kysely<Database> | Transaction<Database>;

export interface ConnectLink {
  lineId: string;
  createdAt: number;
  expiresAt: number;
  usedAt: number | null;
}

/**
 * Notes a link that was handed out, and forgets those that ended a day ago. `hash` is the SHA-256
 * of its token.
 */
export async function insertConnectLink(
  db: Db,
  link: { hash: Buffer; lineId: string; createdAt: number; expiresAt: number },
): Promise<void> {
  await db
    .deleteFrom('connect_links')
    .where('expires_at', '<', link.createdAt - 86_400_000)
    .execute();
  await db
    .insertInto('connect_links')
    .values({
      hash: link.hash,
      line_id: link.lineId,
      created_at: link.createdAt,
      expires_at: link.expiresAt,
      used_at: null,
    })
    .execute();
}

export async function findConnectLink(db: Db, hash: Buffer): Promise<ConnectLink | undefined> {
  const row = await db.selectFrom('connect_links').selectAll().where('hash', '=', hash).executeTakeFirst();
  return (
    row && {
      lineId: row.line_id,
      createdAt: Number(row.created_at),
      expiresAt: Number(row.expires_at),
      usedAt: row.used_at === null ? null : Number(row.used_at),
    }
  );
}

/** The line was paired: every link to it is used up. */
export async function useConnectLinks(db: Db, lineId: string, nowMs: number): Promise<void> {
  await db
    .updateTable('connect_links')
    .set({ used_at: nowMs })
    .where('line_id', '=', lineId)
    .where('used_at', 'is', null)
    .execute();
}
