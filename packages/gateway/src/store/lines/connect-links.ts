import type { Kysely, Transaction } from 'kysely';
import type { Database } from '../db/schema.ts';

/** How the page looks and what follows it, as the creator of the link wants it. */
export interface ConnectPage {
  /** Who asks for the number. */
  name?: string;
  /** A data: URL of a picture. */
  logo?: string;
  /** #rrggbb */
  colour?: string;
  /** Language of the page; else the visitor's. */
  locale?: string;
  /** Where the browser goes when the number is connected. */
  redirectUrl?: string;
  /** Origins whose pages may show this one in a frame. */
  embedOrigins?: string[];
}

type Db = Kysely<Database> | Transaction<Database>;

export interface ConnectLink {
  hash: Buffer;
  lineId: string;
  createdAt: number;
  expiresAt: number;
  usedAt: number | null;
  visitor: Buffer | null;
  page: ConnectPage;
}

/**
 * Notes a link that was handed out, and forgets those that ended a day ago. `hash` is the SHA-256
 * of its token.
 */
export async function insertConnectLink(
  db: Db,
  link: { hash: Buffer; lineId: string; createdAt: number; expiresAt: number; page: ConnectPage },
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
      visitor: null,
      page: JSON.stringify(link.page),
    })
    .execute();
}

export async function findConnectLink(db: Db, hash: Buffer): Promise<ConnectLink | undefined> {
  const row = await db.selectFrom('connect_links').selectAll().where('hash', '=', hash).executeTakeFirst();
  return (
    row && {
      hash,
      lineId: row.line_id,
      visitor: row.visitor,
      page: row.page === null ? {} : (JSON.parse(row.page) as ConnectPage),
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

/** Gives a link to the browser that uses it first; false: another one was there before. */
export async function bindConnectLink(db: Db, hash: Buffer, visitor: Buffer): Promise<boolean> {
  const done = await db
    .updateTable('connect_links')
    .set({ visitor })
    .where('hash', '=', hash)
    .where((where) => where.or([where('visitor', 'is', null), where('visitor', '=', visitor)]))
    .executeTakeFirst();
  return Number(done.numUpdatedRows) > 0;
}
