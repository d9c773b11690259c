import { sql } from 'kysely';
import type { KnownProblem, Problem } from '../../core/problems.ts';
import type { Db } from '../db/store.ts';

/** More than this many at once say that something larger is wrong; the rest follows later. */
const MAX = 5_000;
/** A message that is due waits this long at most on a connected line. */
const DUE_FOR_MS = 3_600_000;
/** And this long once it is being sent. */
const SENDING_FOR_MS = 300_000;

/** Everything that is wrong now with lines and webhooks of every account. */
export async function findProblems(db: Db, nowMs: number): Promise<Problem[]> {
  const [down, stuck, failing] = await Promise.all([linesDown(db), queuesStuck(db, nowMs), webhooksFailing(db)]);
  return [...down, ...stuck, ...failing];
}

async function linesDown(db: Db): Promise<Problem[]> {
  const rows = await db
    .selectFrom('lines')
    .select(['id', 'account_id', 'mode', 'status_reason'])
    .where('deleted_at', 'is', null)
    // A line that was logged out has no number any more, but had one.
    .where((eb) =>
      eb.or([
        eb('status', '=', 'logged_out'),
        eb.and([eb('phone', 'is not', null), eb('status', 'in', ['connecting', 'disconnected'])]),
      ]),
    )
    .orderBy('number')
    .limit(MAX)
    .execute();
  return rows.map((row) => ({
    accountId: row.account_id,
    mode: row.mode,
    kind: 'line_down',
    subject: row.id,
    lineId: row.id,
    reason: row.status_reason,
  }));
}

async function queuesStuck(db: Db, nowMs: number): Promise<Problem[]> {
  const rows = await db
    .selectFrom('outbox')
    .innerJoin('lines', 'lines.id', 'outbox.line_id')
    .select(['lines.id', 'lines.account_id', 'lines.mode'])
    .distinct()
    .where('outbox.finished_at', 'is', null)
    .where('lines.status', '=', 'connected')
    .where('lines.deleted_at', 'is', null)
    .where((eb) =>
      eb.or([
        eb('outbox.sending_at', '<', nowMs - SENDING_FOR_MS),
        eb(sql<number>`coalesce(outbox.send_at, outbox.accepted_at)`, '<', nowMs - DUE_FOR_MS),
      ]),
    )
    .limit(MAX)
    .execute();
  return rows.map((row) => ({
    accountId: row.account_id,
    mode: row.mode,
    kind: 'queue_stuck',
    subject: row.id,
    lineId: row.id,
    reason: null,
  }));
}

async function webhooksFailing(db: Db): Promise<Problem[]> {
  const rows = await db
    .selectFrom('webhooks')
    .select(['id', 'account_id', 'mode', 'line_id', 'status', 'disabled_reason'])
    .where((eb) =>
      eb.or([
        eb.and([eb('status', '=', 'enabled'), eb('failing_since', 'is not', null)]),
        eb.and([eb('status', '=', 'disabled'), eb('disabled_reason', 'in', ['failing', 'gone'])]),
      ]),
    )
    .orderBy('id')
    .limit(MAX)
    .execute();
  return rows.map((row) => ({
    accountId: row.account_id,
    mode: row.mode,
    kind: 'webhook_failing',
    subject: row.id,
    lineId: row.line_id,
    reason: row.status === 'disabled' ? row.disabled_reason : null,
  }));
}

/** The problems that are kept, of one owner or of all. */
export async function knownProblems(
  db: Db,
  owner?: { accountId: string; mode: Problem['mode'] },
): Promise<KnownProblem[]> {
  let query = db.selectFrom('problems').selectAll().orderBy('since').orderBy('subject');
  if (owner) query = query.where('account_id', '=', owner.accountId).where('mode', '=', owner.mode);
  return (await query.execute()).map((row) => ({
    accountId: row.account_id,
    mode: row.mode,
    kind: row.kind,
    subject: row.subject,
    lineId: row.line_id,
    reason: row.reason,
    since: Number(row.since),
    toldAt: row.told_at === null ? null : Number(row.told_at),
  }));
}

/** Keeps a problem as it stands now. */
export async function keepProblem(db: Db, of: KnownProblem): Promise<void> {
  const changes = { reason: of.reason, told_at: of.toldAt };
  await db
    .insertInto('problems')
    .values({
      account_id: of.accountId,
      mode: of.mode,
      kind: of.kind,
      subject: of.subject,
      line_id: of.lineId,
      since: of.since,
      ...changes,
    })
    .onConflict((conflict) => conflict.columns(['account_id', 'mode', 'kind', 'subject']).doUpdateSet(changes))
    .execute();
}

/** Forgets a problem that is over. */
export async function forgetProblem(db: Db, of: Problem): Promise<void> {
  await db
    .deleteFrom('problems')
    .where('account_id', '=', of.accountId)
    .where('mode', '=', of.mode)
    .where('kind', '=', of.kind)
    .where('subject', '=', of.subject)
    .execute();
}
