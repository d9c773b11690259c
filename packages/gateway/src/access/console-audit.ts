import type { Clock } from '../core/clock.ts';
import type { Mode } from '../core/lines.ts';
import type { Store } from '../store/db/store.ts';

/** One thing somebody did, or tried to. */
export interface AuditEntry {
  userId: string | null;
  actor: string;
  action: string;
  target: string;
  mode: Mode | null;
  outcome: string;
  address: string;
  requestId: string;
}

export interface AuditedEntry extends AuditEntry {
  seq: number;
  at: number;
}

const MAX_TARGET = 300;

export interface Audit {
  append(entry: AuditEntry): Promise<void>;
  /** Newest first. `next` is the cursor of the following page; null at the end. */
  list(query: { before?: number; limit: number }): Promise<{ entries: AuditedEntry[]; next: number | null }>;
}

export function createAudit({ store, clock }: { store: Store; clock: Clock }): Audit {
  return {
    async append(entry) {
      await store.db
        .insertInto('console_audit')
        .values({
          at: clock.now(),
          user_id: entry.userId,
          actor: entry.actor,
          action: entry.action,
          target: entry.target.slice(0, MAX_TARGET),
          mode: entry.mode,
          outcome: entry.outcome,
          address: entry.address,
          request_id: entry.requestId,
        })
        .execute();
    },
    async list({ before, limit }) {
      let query = store.db
        .selectFrom('console_audit')
        .selectAll()
        .orderBy('seq', 'desc')
        .limit(limit + 1);
      if (before !== undefined) query = query.where('seq', '<', before);
      const rows = await query.execute();
      const entries = rows.slice(0, limit).map((row) => ({
        seq: Number(row.seq),
        at: Number(row.at),
        userId: row.user_id,
        actor: row.actor,
        action: row.action,
        target: row.target,
        mode: row.mode,
        outcome: row.outcome,
        address: row.address,
        requestId: row.request_id,
      }));
      return { entries, next: rows.length > limit ? (entries.at(-1)?.seq ?? null) : null };
    },
  };
}
