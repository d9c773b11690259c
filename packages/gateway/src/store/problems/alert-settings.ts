import type { Selectable } from 'kysely';
import type { AlertWishes } from '../../core/alerts.ts';
import type { SealedBox } from '../../crypto/sealed-box.ts';
import type { AlertSettingsTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';

/** The scope of the key ring that secrets of alert webhooks are sealed under. */
export const ALERT_SCOPE = 'system';

const aad = (userId: string) => `alert_settings|secret|${userId}`;

/** A person who can sign in, and where they are alerted. */
export interface AlertedPerson extends AlertWishes {
  userId: string;
  address: string;
  sealedSecret: Uint8Array | null;
}

type Row = Selectable<AlertSettingsTable> & { address: string };

const toPerson = (row: Row): AlertedPerson => ({
  userId: row.user_id,
  address: row.address,
  hasEmail: Number(row.email) === 1,
  url: row.url,
  hasTexts: Number(row.texts) === 1,
  sealedSecret: row.secret,
});

const persons = (db: Db) =>
  db
    .selectFrom('alert_settings')
    .innerJoin('console_users', 'console_users.id', 'alert_settings.user_id')
    .selectAll('alert_settings')
    .select('console_users.email as address')
    .where('console_users.disabled_at', 'is', null);

/** All users who have an alert channel and can sign in. */
export async function alertedPeople(db: Db): Promise<AlertedPerson[]> {
  const rows = await persons(db)
    .where((eb) => eb.or([eb('alert_settings.email', '=', 1), eb('alert_settings.url', 'is not', null)]))
    .orderBy('alert_settings.user_id')
    .execute();
  return rows.map(toPerson);
}

/** Undefined when the person set nothing, or cannot sign in any more. */
export async function findAlerted(db: Db, userId: string): Promise<AlertedPerson | undefined> {
  const row = await persons(db).where('alert_settings.user_id', '=', userId).executeTakeFirst();
  return row && toPerson(row);
}

/** Opens the secret that posts to a person's address are signed with. Throws UnreadableError. */
export const openAlertSecret = (box: SealedBox, userId: string, sealed: Uint8Array): string =>
  box.open(sealed, aad(userId)).toString('utf8');

/** Writes a person's wishes; a secret that is not given stays as it is. */
export async function saveAlertSettings(
  db: Db,
  box: SealedBox,
  of: AlertWishes & { userId: string; secret?: string; now: number },
): Promise<void> {
  const changes = {
    email: of.hasEmail ? 1 : 0,
    url: of.url,
    texts: of.hasTexts ? 1 : 0,
    changed_at: of.now,
    ...(of.secret === undefined ? {} : { secret: box.seal(Buffer.from(of.secret, 'utf8'), aad(of.userId)) }),
  };
  await db
    .insertInto('alert_settings')
    .values({ secret: null, ...changes, user_id: of.userId })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(changes))
    .execute();
}
