import { type Selectable, sql } from 'kysely';
import { hot } from '../db/hot.ts';
import type { WebhooksTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';
import type { DueDelivery } from './delivery-queue.ts';

/** A delivery that was just put into the queue, with its webhook as it is now. */
export interface NewlyDue {
  delivery: DueDelivery;
  webhook: Selectable<WebhooksTable>;
}

interface Row extends Selectable<WebhooksTable> {
  d_seq: number;
  d_id: string;
  d_order_key: string | null;
  d_attempts: number;
  d_step: number;
  d_expires_at: number | null;
  d_created_at: number;
  d_event_seq: number;
  e_id: string | null;
  e_account_id: string | null;
  e_line_id: string | null;
  e_type: string | null;
  e_payload: string | null;
  e_created_at: number | null;
  l_number: number | null;
  l_customer_ref: string | null;
  l_label: string | null;
  l_phone: string | null;
}

export interface NewlyDueQuery {
  after: number;
  limit: number;
  /** Webhooks whose deliveries are read in another way. */
  without: readonly string[];
  /** Who asks: lanes that another process holds at `now` are left out. */
  taker: string;
  now: number;
}

/** Columns by name: one that a newer version adds must not change what is prepared. */
const NEW = `select d.seq as d_seq, d.id as d_id, d.order_key as d_order_key, d.attempts as d_attempts,
      d.step as d_step, d.expires_at as d_expires_at, d.created_at as d_created_at, d.event_seq as d_event_seq,
      e.id as e_id, e.account_id as e_account_id, e.line_id as e_line_id, e.type as e_type, e.payload as e_payload,
      e.created_at as e_created_at,
      l.number as l_number, l.customer_ref as l_customer_ref, l.label as l_label, l.phone as l_phone,
      w.id, w.account_id, w.mode, w.line_id, w.url, w.secret, w.previous_secret,
      w.previous_secret_until, w.events, w.selectors, w.filters, w.headers, w.format, w.description,
      w.details, w.strict_order, w.status, w.disabled_reason, w.disabled_at, w.created_at,
      w.failing_since, w.last_failure_at, w.lane_owner, w.lane_until
    from deliveries d
    join webhooks w on w.id = d.webhook_id
    left join events e on e.seq = d.event_seq
    left join lines l on l.id = e.line_id
    where d.finished_at is null and d.next_at = 0 and w.status = 'enabled'`;

const selectNew = hot<[number, string, number, number], Row>(
  `${NEW} and d.seq > ?
    and (w.lane_owner is null or w.lane_owner = ? or w.lane_until <= ?)
  order by d.seq limit ?`,
);

const newWithout = ({ after, limit, without, taker, now }: NewlyDueQuery) =>
  sql<Row>`${sql.raw(NEW)} and d.seq > ${after}
    and (w.lane_owner is null or w.lane_owner = ${taker} or w.lane_until <= ${now})
    and d.webhook_id not in (${sql.join(without)})
  order by d.seq limit ${limit}`;

/**
 * What is due at once of the deliveries numbered after `after`, in the order of their numbers, with
 * everything that sending them takes: one statement from the nudge to the request. Disabled
 * webhooks are left out. `limit` rows may not be all.
 */
export async function newlyDue(db: Db, query: NewlyDueQuery): Promise<NewlyDue[]> {
  const { after, limit, without, taker, now } = query;
  const rows =
    without.length === 0
      ? await selectNew.all(db, after, taker, now, limit)
      : (await newWithout(query).execute(db)).rows;
  return rows.map((row) => ({ delivery: toDelivery(row), webhook: row }));
}

function toDelivery(row: Row): DueDelivery {
  const { e_id, e_account_id, e_line_id, e_type, e_payload } = row;
  const known = e_id !== null && e_account_id !== null && e_line_id !== null && e_type !== null && e_payload !== null;
  const eventSeq = Number(row.d_event_seq);
  return {
    seq: Number(row.d_seq),
    eventSeq,
    id: row.d_id,
    orderKey: row.d_order_key,
    attempts: Number(row.d_attempts),
    step: Number(row.d_step),
    nextAt: 0,
    expiresAt: row.d_expires_at === null ? null : Number(row.d_expires_at),
    createdAt: Number(row.d_created_at),
    event: known
      ? {
          seq: eventSeq,
          id: e_id,
          accountId: e_account_id,
          lineId: e_line_id,
          type: e_type,
          payload: e_payload,
          createdAt: Number(row.e_created_at),
        }
      : null,
    line:
      row.l_number === null || e_line_id === null
        ? null
        : {
            id: e_line_id,
            number: Number(row.l_number),
            customerRef: row.l_customer_ref,
            label: row.l_label,
            phone: row.l_phone,
          },
  };
}
