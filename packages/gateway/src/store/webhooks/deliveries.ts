import { type Kysely, sql, type Transaction } from 'kysely';
import type { DeliveryState } from '../../core/webhooks.ts';
import type { Database } from '../db/schema.ts';
import type { Store } from '../db/store.ts';
import type { LineOwner } from '../lines/lines.ts';
import { type AttemptView, unpackAttempt } from './delivering-attempt.ts';
import { insertAttempts } from './delivery-queue.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** One delivery in the log. */
export interface DeliveryView {
  /** Place in the log (that of its event); the cursor. */
  seq: number;
  id: string;
  webhookId: string;
  /** Null when the event was deleted with its line. */
  event: { id: string; type: string; lineId: string; createdAt: number } | null;
  state: DeliveryState;
  attempts: number;
  /** While pending: due time of the next attempt; 0 = at once. */
  nextAt: number;
  createdAt: number;
  finishedAt: number | null;
  lastAttempt: AttemptView | null;
}

function deliveriesOf(db: Db, owner: LineOwner) {
  return db
    .selectFrom('deliveries as d')
    .innerJoin('webhooks as w', 'w.id', 'd.webhook_id')
    .leftJoin('events as e', 'e.seq', 'd.event_seq')
    .leftJoin('attempts as a', (join) => join.onRef('a.delivery_id', '=', 'd.id').onRef('a.number', '=', 'd.attempts'))
    .select([
      'd.event_seq',
      'd.id',
      'd.webhook_id',
      'd.state',
      'd.attempts',
      'd.next_at',
      'd.created_at',
      'd.finished_at',
      'd.delivered',
    ])
    .select(['e.id as event_id', 'e.type', 'e.line_id', 'e.created_at as event_at'])
    .select(['a.number', 'a.at', 'a.duration_ms', 'a.status_code', 'a.error_class', 'a.response_excerpt'])
    .where('d.account_id', '=', owner.accountId)
    .where('w.mode', '=', owner.mode);
}

type Row = Awaited<ReturnType<ReturnType<typeof deliveriesOf>['execute']>>[number];
type AttemptRow = Pick<Row, 'number' | 'at' | 'duration_ms' | 'status_code' | 'error_class' | 'response_excerpt'>;

function toAttempt(row: AttemptRow): AttemptView | null {
  if (row.number === null || row.at === null) return null;
  return {
    number: Number(row.number),
    at: Number(row.at),
    durationMs: Number(row.duration_ms),
    statusCode: row.status_code === null ? null : Number(row.status_code),
    errorClass: row.error_class,
    responseExcerpt: row.response_excerpt,
  };
}

function toView(row: Row): DeliveryView {
  const { event_id, type, line_id, event_at } = row;
  const known = event_id !== null && type !== null && line_id !== null;
  return {
    seq: Number(row.event_seq),
    id: row.id,
    webhookId: row.webhook_id,
    event: known ? { id: event_id, type, lineId: line_id, createdAt: Number(event_at) } : null,
    state: row.state,
    attempts: Number(row.attempts),
    nextAt: Number(row.next_at),
    createdAt: Number(row.created_at),
    finishedAt: row.finished_at === null ? null : Number(row.finished_at),
    lastAttempt: unpackAttempt(row.delivered, Number(row.attempts)) ?? toAttempt(row),
  };
}

export interface DeliveryQuery {
  webhookId: string;
  state?: DeliveryState;
  /** Only those of this type of event, in the journal's words. */
  type?: string;
  /** Only those of this line. */
  lineId?: string;
  /** Only the one with this id, or those of the event with this id. */
  of?: string;
  /** Unix milliseconds when the event was: from (inclusive) and to (exclusive). */
  since?: number;
  until?: number;
  /** Only those before this place in the log. */
  before?: number;
  limit: number;
}

/**
 * A webhook's log, newest event first. `next` is the cursor of the following page; null at the end.
 */
export async function listDeliveries(
  db: Db,
  owner: LineOwner,
  query: DeliveryQuery,
): Promise<{ deliveries: DeliveryView[]; next: number | null }> {
  let select = deliveriesOf(db, owner)
    .where('d.webhook_id', '=', query.webhookId)
    .orderBy('d.event_seq', 'desc')
    .limit(query.limit + 1);
  // As a literal, so that the index of the dead ones is seen to fit.
  if (query.state !== undefined) select = select.where('d.state', '=', sql.lit(query.state));
  if (query.type !== undefined) select = select.where('e.type', '=', query.type);
  if (query.lineId !== undefined) select = select.where('e.line_id', '=', query.lineId);
  // One of the two, so that an index answers.
  const { of } = query;
  if (of !== undefined) select = select.where(of.startsWith('dlv_') ? 'd.id' : 'e.id', '=', of);
  if (query.since !== undefined) select = select.where('e.created_at', '>=', query.since);
  if (query.until !== undefined) select = select.where('e.created_at', '<', query.until);
  if (query.before !== undefined) select = select.where('d.event_seq', '<', query.before);
  const rows = await select.execute();
  const deliveries = rows.slice(0, query.limit).map(toView);
  return { deliveries, next: rows.length > query.limit ? (deliveries.at(-1)?.seq ?? null) : null };
}

export async function findDelivery(db: Db, owner: LineOwner, id: string): Promise<DeliveryView | undefined> {
  const row = await deliveriesOf(db, owner).where('d.id', '=', id).executeTakeFirst();
  return row && toView(row);
}

/** The event of a delivery with what formats may say of its line; undefined when it was deleted. */
export async function findDeliveryEvent(db: Db, eventSeq: number) {
  const row = await db
    .selectFrom('events as e')
    .leftJoin('lines as l', 'l.id', 'e.line_id')
    .select(['e.seq', 'e.id', 'e.account_id', 'e.line_id', 'e.type', 'e.payload', 'e.created_at'])
    .select(['l.number', 'l.customer_ref', 'l.label', 'l.phone'])
    .where('e.seq', '=', eventSeq)
    .executeTakeFirst();
  return (
    row && {
      event: {
        seq: Number(row.seq),
        id: row.id,
        accountId: row.account_id,
        lineId: row.line_id,
        type: row.type,
        payload: row.payload,
        createdAt: Number(row.created_at),
      },
      line: {
        id: row.line_id,
        number: Number(row.number ?? 0),
        customerRef: row.customer_ref,
        label: row.label,
        phone: row.phone,
      },
    }
  );
}

/**
 * Every attempt of a delivery, first to last. Whether the caller may see it is for `findDelivery`
 * to say.
 */
export async function attemptsOf(db: Db, deliveryId: string): Promise<AttemptView[]> {
  const rows = await db
    .selectFrom('attempts')
    .selectAll()
    .where('delivery_id', '=', deliveryId)
    .orderBy('number')
    .execute();
  const delivery = await db
    .selectFrom('deliveries')
    .select(['delivered', 'attempts'])
    .where('id', '=', deliveryId)
    .executeTakeFirst();
  const last = delivery && unpackAttempt(delivery.delivered, Number(delivery.attempts));
  return [...rows.flatMap((row) => toAttempt(row) ?? []), ...(last ? [last] : [])];
}

/** More than this is not counted. */
const COUNTED = 10_000;

/**
 * How much waits for a webhook, and how much of it is dead; 10 000 stands for that many or more.
 */
export async function countOpen(db: Db, webhookId: string): Promise<{ pending: number; dead: number }> {
  const of = db.selectFrom('deliveries').select('seq').where('webhook_id', '=', webhookId).limit(COUNTED);
  const count = async (rows: typeof of) => {
    const { n } = await db
      .selectFrom(rows.as('some'))
      .select((eb) => eb.fn.countAll().as('n'))
      .executeTakeFirstOrThrow();
    return Number(n);
  };
  return {
    pending: await count(of.where('finished_at', 'is', null)),
    // As a literal, so that the index of the dead ones is seen to fit.
    dead: await count(of.where('state', '=', sql.lit('dead'))),
  };
}

/**
 * What holds back a webhook in strict order: its oldest delivery, when that failed before and
 * waits. Undefined when nothing does.
 */
export async function blockedOn(db: Db, owner: LineOwner, webhookId: string): Promise<DeliveryView | undefined> {
  const row = await deliveriesOf(db, owner)
    .where('d.webhook_id', '=', webhookId)
    .where('w.strict_order', '=', 1)
    .where('d.finished_at', 'is', null)
    .orderBy('d.event_seq')
    .executeTakeFirst();
  return row && Number(row.attempts) > 0 ? toView(row) : undefined;
}

/**
 * A delivery as it was first: due at once, its schedule ahead of it, without an expiry. Its attempt
 * log goes on counting.
 */
const AFRESH = {
  state: 'pending',
  ...{ step: 0, pulls: 0, next_at: 0 },
  ...{ finished_at: null, expires_at: null, delivered: null },
} as const;

/** The attempts that delivered these go to the log: their places in the rows are needed again. */
async function logDelivering<K extends 'seq' | 'id'>(
  db: Db,
  key: K,
  values: readonly (K extends 'seq' ? number : string)[],
): Promise<void> {
  const rows = await db
    .selectFrom('deliveries')
    .select(['id', 'attempts', 'delivered'])
    .where(key, 'in', values as never)
    .where('delivered', 'is not', null)
    .execute();
  await insertAttempts(
    db,
    rows.flatMap(({ id, attempts, delivered }) => {
      const attempt = unpackAttempt(delivered, Number(attempts));
      return attempt ? [{ delivery_id: id, ...attemptColumns(attempt) }] : [];
    }),
  );
}

const attemptColumns = ({ number, at, durationMs, statusCode, errorClass, responseExcerpt }: AttemptView) => ({
  ...{ number, at, duration_ms: durationMs, status_code: statusCode },
  ...{ error_class: errorClass, response_excerpt: responseExcerpt },
});

/**
 * Sends a delivery again now, whatever became of it (a pending one need not wait for its schedule).
 * Same ids, new timestamp.
 */
export function replayDelivery(
  store: Pick<Store, 'transaction'>,
  owner: LineOwner,
  id: string,
): Promise<{ webhookId: string } | undefined> {
  return store.transaction(async ({ db }) => {
    const delivery = await findDelivery(db, owner, id);
    if (!delivery?.event) return undefined;
    await logDelivering(db, 'id', [id]);
    await db.updateTable('deliveries').set(AFRESH).where('id', '=', id).execute();
    return { webhookId: delivery.webhookId };
  });
}

/**
 * Gives a pending delivery up, so that a webhook in strict order goes on. False when it is not
 * pending.
 */
export async function giveUpDelivery(db: Db, owner: LineOwner, id: string, now: number): Promise<boolean> {
  const delivery = await findDelivery(db, owner, id);
  if (delivery?.state !== 'pending') return false;
  const done = await db
    .updateTable('deliveries')
    .set({ state: 'dead', finished_at: now })
    .where('id', '=', id)
    .where('finished_at', 'is', null)
    .executeTakeFirst();
  return Number(done.numUpdatedRows) > 0;
}

export interface ReplayRange {
  webhookId: string;
  /** Unix milliseconds of the events: from (inclusive) and to (exclusive). */
  since: number;
  until?: number;
  /** Which ones; default: those that failed for good (`dead`, `expired`). */
  states?: readonly DeliveryState[];
  /** Only of these events. */
  wants?(event: { type: string; payload: string }): boolean;
}

const REPLAY_BATCH = 500;

/**
 * Sends a range again, in the order of the events, a batch in each transaction: a cut-off replay is
 * asked for again and goes on with what is left. Answers how many. The webhook must be the
 * caller's.
 */
export async function replayRange(store: Pick<Store, 'transaction'>, range: ReplayRange): Promise<number> {
  let replayed = 0;
  for (let after = 0; ; ) {
    const from = after;
    const batch = await store.transaction(async ({ db }) => {
      const rows = await inRange(db, range, from);
      const wanted = rows.filter((row) => range.wants?.(row) ?? true).map((row) => row.seq);
      if (wanted.length > 0) {
        await logDelivering(db, 'seq', wanted);
        await db.updateTable('deliveries').set(AFRESH).where('seq', 'in', wanted).execute();
      }
      return { count: wanted.length, last: rows.at(-1)?.event_seq, isFull: rows.length === REPLAY_BATCH };
    }, 'normal');
    replayed += batch.count;
    if (!batch.isFull || batch.last === undefined) return replayed;
    after = Number(batch.last);
  }
}

function inRange(db: Db, range: ReplayRange, after: number) {
  const query = db
    .selectFrom('deliveries as d')
    .innerJoin('events as e', 'e.seq', 'd.event_seq')
    .select(['d.seq', 'd.event_seq', 'e.type', 'e.payload'])
    .where('d.webhook_id', '=', range.webhookId)
    .where('d.state', 'in', range.states ?? ['dead', 'expired'])
    .where('d.event_seq', '>', after)
    .where('e.created_at', '>=', range.since)
    .orderBy('d.event_seq')
    .limit(REPLAY_BATCH);
  return (range.until === undefined ? query : query.where('e.created_at', '<', range.until)).execute();
}
