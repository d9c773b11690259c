import type { Mode } from '../../core/lines.ts';
import type { Db } from '../db/store.ts';
import { unpackAttempt } from '../webhooks/delivering-attempt.ts';

export interface RecentEvent {
  seq: number;
  id: string;
  type: string;
  lineId: string;
  payload: string;
  createdAt: number;
}

/** The newest events of an account's lines of one mode, newest first. */
export async function recentEvents(
  db: Db,
  owner: { accountId: string; mode: Mode },
  limit: number,
): Promise<RecentEvent[]> {
  const rows = await db
    .selectFrom('events as e')
    .innerJoin('lines as l', 'l.id', 'e.line_id')
    .select(['e.seq', 'e.id', 'e.type', 'e.line_id', 'e.payload', 'e.created_at'])
    .where('e.account_id', '=', owner.accountId)
    .where('l.mode', '=', owner.mode)
    .orderBy('e.seq', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    seq: Number(row.seq),
    id: row.id,
    type: row.type,
    lineId: row.line_id,
    payload: row.payload,
    createdAt: Number(row.created_at),
  }));
}

export interface RecentAttempt {
  eventSeq: number;
  deliveryId: string;
  webhookId: string;
  number: number;
  at: number;
  durationMs: number;
  statusCode: number | null;
  errorClass: string | null;
}

/** Every attempt to deliver these events, newest first. */
export async function attemptsOfEvents(db: Db, eventSeqs: readonly number[], limit: number): Promise<RecentAttempt[]> {
  if (eventSeqs.length === 0) return [];
  const delivering = await deliveringAttempts(db, eventSeqs, limit);
  const rows = await db
    .selectFrom('deliveries as d')
    .innerJoin('attempts as a', 'a.delivery_id', 'd.id')
    .select([
      'd.event_seq',
      'd.id',
      'd.webhook_id',
      'a.number',
      'a.at',
      'a.duration_ms',
      'a.status_code',
      'a.error_class',
    ])
    .where('d.event_seq', 'in', [...eventSeqs])
    .orderBy('a.at', 'desc')
    .limit(limit)
    .execute();
  const failed = rows.map((row) => ({
    eventSeq: Number(row.event_seq),
    deliveryId: row.id,
    webhookId: row.webhook_id,
    number: Number(row.number),
    at: Number(row.at),
    durationMs: Number(row.duration_ms),
    statusCode: row.status_code === null ? null : Number(row.status_code),
    errorClass: row.error_class,
  }));
  return [...failed, ...delivering].sort((a, b) => b.at - a.at).slice(0, limit);
}

/** Those that delivered, which stand in the rows of their deliveries. */
async function deliveringAttempts(db: Db, eventSeqs: readonly number[], limit: number): Promise<RecentAttempt[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select(['event_seq', 'id', 'webhook_id', 'attempts', 'delivered'])
    .where('event_seq', 'in', [...eventSeqs])
    .where('delivered', 'is not', null)
    .orderBy('finished_at', 'desc')
    .limit(limit)
    .execute();
  return rows.flatMap((row) => {
    const attempt = unpackAttempt(row.delivered, Number(row.attempts));
    if (!attempt) return [];
    const { responseExcerpt: _excerpt, ...shown } = attempt;
    return [{ eventSeq: Number(row.event_seq), deliveryId: row.id, webhookId: row.webhook_id, ...shown }];
  });
}
