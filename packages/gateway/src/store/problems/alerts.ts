import type { Alert, AlertFacts } from '../../core/alerts.ts';
import { newAlertId } from '../../core/ids.ts';
import type { Db } from '../db/store.ts';
import { alertedPeople } from './alert-settings.ts';

/** More than this many wait for no one: what comes on top is dropped. */
export const MAX_WAITING_ALERTS = 1_000;

/**
 * Puts an alert on its way to each of these people, or to all people who want alerts. Answers how
 * many found no place in the queue.
 */
export async function queueAlert(db: Db, facts: AlertFacts, now: number, onlyUser?: string): Promise<number> {
  const people = (await alertedPeople(db)).filter(({ userId }) => onlyUser === undefined || userId === onlyUser);
  const wanted = people.flatMap(({ userId, hasEmail, url }) => [
    ...(hasEmail ? [{ user_id: userId, channel: 'email' as const }] : []),
    ...(url === null ? [] : [{ user_id: userId, channel: 'webhook' as const }]),
  ]);
  if (wanted.length === 0) return 0;
  const { count } = await db
    .selectFrom('alerts')
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  const taken = wanted.slice(0, Math.max(0, MAX_WAITING_ALERTS - Number(count)));
  if (taken.length > 0) {
    const common = { facts: JSON.stringify(facts), attempts: 0, due_at: now, created_at: now };
    await db
      .insertInto('alerts')
      .values(taken.map((one) => ({ ...one, ...common, id: newAlertId() })))
      .execute();
  }
  return wanted.length - taken.length;
}

/** What is due, the oldest first. */
export async function dueAlerts(db: Db, now: number, limit: number): Promise<Alert[]> {
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where('due_at', '<=', now)
    .orderBy('due_at')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    userId: row.user_id,
    channel: row.channel,
    facts: JSON.parse(row.facts) as AlertFacts,
    attempts: Number(row.attempts),
    createdAt: Number(row.created_at),
  }));
}

export async function postponeAlert(db: Db, id: string, of: { attempts: number; dueAt: number }): Promise<void> {
  await db.updateTable('alerts').set({ attempts: of.attempts, due_at: of.dueAt }).where('id', '=', id).execute();
}

/** It arrived, or is given up. */
export async function endAlert(db: Db, id: string): Promise<void> {
  await db.deleteFrom('alerts').where('id', '=', id).execute();
}
