import { type Kysely, sql, type Transaction } from 'kysely';
import { hot } from '../db/hot.ts';
import type { Database } from '../db/schema.ts';
import type { LineOwner } from './lines.ts';

type Db = Kysely<Database> | Transaction<Database>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/**
 * Steps in which traffic is counted, and how long each is kept. Both are whole multiples since
 * 1970: hours and days in UTC.
 */
export const STEPS = { hour: HOUR_MS, day: DAY_MS } as const;
export type Step = keyof typeof STEPS;
export const KEEP_TRAFFIC_MS: Record<Step, number> = { hour: 8 * DAY_MS, day: 400 * DAY_MS };
const PRUNE_BATCH = 1_000;

export const startOf = (stepMs: number, atMs: number): number => Math.floor(atMs / stepMs) * stepMs;

/** What a line carried. `sendMs`: how long each of `sent` took, in sum and at most. */
export interface LineTraffic {
  received: number;
  sent: number;
  failed: number;
  sendMs: number;
  slowestSendMs: number;
}

/** What webhooks were told. `answerMs` is the sum over all attempts. */
export interface WebhookTraffic {
  delivered: number;
  failedAttempts: number;
  answerMs: number;
  slowestAnswerMs: number;
}

type LineTrafficRow = [
  lineId: string,
  step: number,
  at: number,
  received: number,
  sent: number,
  failed: number,
  sendMs: number,
  slowestSendMs: number,
];

/** The two steps together. */
const addLineTraffic = hot<[...LineTrafficRow, ...LineTrafficRow]>(
  `insert into line_traffic (line_id, step, at, received, sent, failed, send_ms, slowest_send_ms)
  values (?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (line_id, step, at) do update set
    received = line_traffic.received + excluded.received,
    sent = line_traffic.sent + excluded.sent,
    failed = line_traffic.failed + excluded.failed,
    send_ms = line_traffic.send_ms + excluded.send_ms,
    slowest_send_ms = case when line_traffic.slowest_send_ms > excluded.slowest_send_ms
      then line_traffic.slowest_send_ms else excluded.slowest_send_ms end`,
);

/** Counts in the transaction of what is counted: both happen or neither. */
export async function countLineTraffic(
  db: Transaction<Database>,
  lineId: string,
  traffic: Partial<LineTraffic>,
  nowMs: number,
): Promise<void> {
  const { received = 0, sent = 0, failed = 0, sendMs = 0, slowestSendMs = 0 } = traffic;
  const counted = [received, sent, failed, sendMs, slowestSendMs] as const;
  const { hour, day } = STEPS;
  await addLineTraffic.run(
    db,
    ...[lineId, hour, startOf(hour, nowMs), ...counted],
    ...[lineId, day, startOf(day, nowMs), ...counted],
  );
}

type WebhookTrafficRow = [
  webhookId: string,
  step: number,
  at: number,
  delivered: number,
  failed: number,
  answerMs: number,
  slowestAnswerMs: number,
];

const addWebhookTraffic = hot<[...WebhookTrafficRow, ...WebhookTrafficRow]>(
  `insert into webhook_traffic (webhook_id, step, at, delivered, failed, answer_ms, slowest_answer_ms)
  values (?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?)
  on conflict (webhook_id, step, at) do update set
    delivered = webhook_traffic.delivered + excluded.delivered,
    failed = webhook_traffic.failed + excluded.failed,
    answer_ms = webhook_traffic.answer_ms + excluded.answer_ms,
    slowest_answer_ms = case when webhook_traffic.slowest_answer_ms > excluded.slowest_answer_ms
      then webhook_traffic.slowest_answer_ms else excluded.slowest_answer_ms end`,
);

/** Counts attempts by webhook, in the transaction that stores them. */
export async function countWebhookTraffic(
  db: Transaction<Database>,
  byWebhook: ReadonlyMap<string, WebhookTraffic>,
  nowMs: number,
): Promise<void> {
  // Always in the same order: two transactions that count for the same webhooks wait for each
  // other, and never in a circle.
  const sorted = [...byWebhook].sort(([a], [b]) => (a < b ? -1 : 1));
  const { hour, day } = STEPS;
  for (const [webhookId, { delivered, failedAttempts, answerMs, slowestAnswerMs }] of sorted) {
    const counted = [delivered, failedAttempts, answerMs, slowestAnswerMs] as const;
    await addWebhookTraffic.run(
      db,
      ...[webhookId, hour, startOf(hour, nowMs), ...counted],
      ...[webhookId, day, startOf(day, nowMs), ...counted],
    );
  }
}

/** Which steps: those that begin in `[fromMs, toMs)`. */
export interface Span {
  step: Step;
  fromMs: number;
  toMs: number;
}

/**
 * What the lines of an account (or one of them) carried, by step; steps without traffic are left
 * out.
 */
export async function readLineTraffic(
  db: Db,
  owner: LineOwner,
  span: Span,
  lineId?: string,
): Promise<Map<number, LineTraffic>> {
  let query = db
    .selectFrom('lines as l')
    .innerJoin('line_traffic as t', 't.line_id', 'l.id')
    .select(({ fn }) => [
      't.at',
      fn.sum<number>('t.received').as('received'),
      fn.sum<number>('t.sent').as('sent'),
      fn.sum<number>('t.failed').as('failed'),
      fn.sum<number>('t.send_ms').as('send_ms'),
      fn.max('t.slowest_send_ms').as('slowest_send_ms'),
    ])
    .where('l.account_id', '=', owner.accountId)
    .where('l.mode', '=', owner.mode)
    .where('l.deleted_at', 'is', null)
    .where('t.step', '=', STEPS[span.step])
    .where('t.at', '>=', span.fromMs)
    .where('t.at', '<', span.toMs)
    .groupBy('t.at');
  if (lineId !== undefined) query = query.where('l.id', '=', lineId);
  const rows = await query.execute();
  return new Map(
    rows.map((row) => [
      Number(row.at),
      {
        received: Number(row.received),
        sent: Number(row.sent),
        failed: Number(row.failed),
        sendMs: Number(row.send_ms),
        slowestSendMs: Number(row.slowest_send_ms),
      },
    ]),
  );
}

/**
 * What the webhooks of an account (or those of one line, or one of them) were told, by step; steps
 * without attempts are left out.
 */
export async function readWebhookTraffic(
  db: Db,
  owner: LineOwner,
  span: Span,
  only: { lineId?: string; webhookId?: string } = {},
): Promise<Map<number, WebhookTraffic>> {
  let query = db
    .selectFrom('webhooks as w')
    .innerJoin('webhook_traffic as t', 't.webhook_id', 'w.id')
    .select(({ fn }) => [
      't.at',
      fn.sum<number>('t.delivered').as('delivered'),
      fn.sum<number>('t.failed').as('failed'),
      fn.sum<number>('t.answer_ms').as('answer_ms'),
      fn.max('t.slowest_answer_ms').as('slowest_answer_ms'),
    ])
    .where('w.account_id', '=', owner.accountId)
    .where('w.mode', '=', owner.mode)
    .where('t.step', '=', STEPS[span.step])
    .where('t.at', '>=', span.fromMs)
    .where('t.at', '<', span.toMs)
    .groupBy('t.at');
  if (only.lineId !== undefined) query = query.where('w.line_id', '=', only.lineId);
  if (only.webhookId !== undefined) query = query.where('w.id', '=', only.webhookId);
  const rows = await query.execute();
  return new Map(
    rows.map((row) => [
      Number(row.at),
      {
        delivered: Number(row.delivered),
        failedAttempts: Number(row.failed),
        answerMs: Number(row.answer_ms),
        slowestAnswerMs: Number(row.slowest_answer_ms),
      },
    ]),
  );
}

/**
 * Messages of every line of an account by hour since `fromMs`: for a list of lines. Lines and hours
 * without any are left out.
 */
export async function readHoursByLine(
  db: Db,
  owner: LineOwner,
  fromMs: number,
): Promise<{ lineId: string; at: number; received: number; sent: number; failed: number }[]> {
  const rows = await db
    .selectFrom('lines as l')
    .innerJoin('line_traffic as t', 't.line_id', 'l.id')
    .select(['t.line_id', 't.at', 't.received', 't.sent', 't.failed'])
    .where('l.account_id', '=', owner.accountId)
    .where('l.mode', '=', owner.mode)
    .where('l.deleted_at', 'is', null)
    .where('t.step', '=', STEPS.hour)
    .where('t.at', '>=', fromMs)
    .execute();
  return rows.map((row) => ({
    lineId: row.line_id,
    at: Number(row.at),
    received: Number(row.received),
    sent: Number(row.sent),
    failed: Number(row.failed),
  }));
}

/** Deletes up to a thousand rows that are past their time. True when there may be more. */
export async function pruneTraffic(db: Db, nowMs: number): Promise<boolean> {
  let more = false;
  for (const table of ['line_traffic', 'webhook_traffic'] as const) {
    const owner = table === 'line_traffic' ? 'line_id' : 'webhook_id';
    for (const step of ['hour', 'day'] as const) {
      const { numAffectedRows } = await sql`
        delete from ${sql.table(table)} where (${sql.ref(owner)}, step, at) in (
          select ${sql.ref(owner)}, step, at from ${sql.table(table)}
          where step = ${STEPS[step]} and at < ${nowMs - KEEP_TRAFFIC_MS[step]} limit ${PRUNE_BATCH}
        )`.execute(db);
      more ||= Number(numAffectedRows ?? 0) === PRUNE_BATCH;
    }
  }
  return more;
}
