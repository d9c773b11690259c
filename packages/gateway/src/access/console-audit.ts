import type { Clock } from '../core/clock.ts';
import type { Mode } from '../core/lines.ts';
import { insertAudit, listAudit } from '../store/access/audit.ts';
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
      await insertAudit(store.db, {
        at: clock.now(),
        user_id: entry.userId,
        actor: entry.actor,
        action: entry.action,
        target: entry.target.slice(0, MAX_TARGET),
        mode: entry.mode,
        outcome: entry.outcome,
        address: entry.address,
        request_id: entry.requestId,
      });
    },
    async list({ before, limit }) {
      const rows = await listAudit(store.db, { before, limit: limit + 1 });
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
