import type { Mode } from '../../core/lines.ts';
import type { Db } from '../db/store.ts';

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
  return rows.map((row) => ({
    eventSeq: Number(row.event_seq),
    deliveryId: row.id,
    webhookId: row.webhook_id,
    number: row.number,
    at: Number(row.at),
    durationMs: row.duration_ms,
    statusCode: row.status_code,
    errorClass: row.error_class,
  }));
}
