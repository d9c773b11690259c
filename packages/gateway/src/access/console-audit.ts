import type { Clock } from '../core/clock.ts';
import type { Mode } from '../core/lines.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import { type AuditFacts, insertAudit, listAudit, pageOfAudit, takeAuditHead } from '../store/access/audit.ts';
import { readSetting, writeSetting } from '../store/access/settings.ts';
import type { Store } from '../store/db/store.ts';

/** One action, done or refused. */
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

/** What the chain of an audit log came to. */
export interface AuditProof {
  /** Entries that are sealed. */
  sealed: number;
  /** Entries from before there was a chain. */
  unsealed: number;
  /** The link of the newest entry: noted elsewhere, it shows later that nothing was cut off. */
  head: string;
  /** The first entry that is not what was written, or behind which some are missing; null: none. */
  brokenAt: number | null;
}

export interface Audit {
  append(entry: AuditEntry): Promise<void>;
  /** Follows the chain from its beginning to its end. */
  verify(): Promise<AuditProof>;
  /** Newest first. `next` is the cursor of the following page; null at the end. */
  list(query: { before?: number; limit: number }): Promise<{ entries: AuditedEntry[]; next: number | null }>;
}

const HEAD = 'audit_head';
const PAGE = 1_000;

/**
 * Entries are sealed under a key of the installation, each with the one before it: an attacker who
 * can write the database but does not hold the master key can neither change nor leave out an
 * entry.
 */
export function createAudit({ store, ring, clock }: { store: Store; ring: KeyRing; clock: Clock }): Audit {
  const linkOf = (before: string, row: AuditFacts): string =>
    ring
      .fingerprint(
        'audit',
        JSON.stringify([
          before,
          Number(row.at),
          row.user_id,
          row.actor,
          row.action,
          row.target,
          row.mode,
          row.outcome,
          row.address,
          row.request_id,
        ]),
      )
      .toString('base64url');
  return {
    async append(entry) {
      const row = {
        at: clock.now(),
        user_id: entry.userId,
        actor: entry.actor,
        action: entry.action,
        target: entry.target.slice(0, MAX_TARGET),
        mode: entry.mode,
        outcome: entry.outcome,
        address: entry.address,
        request_id: entry.requestId,
      };
      await store.transaction(async ({ db }) => {
        const link = linkOf(await takeAuditHead(db, HEAD), row);
        await insertAudit(db, { ...row, link });
        await writeSetting(db, HEAD, link);
      });
    },
    async verify() {
      let [after, sealed, unsealed, before] = [0, 0, 0, ''];
      let brokenAt: number | null = null;
      for (;;) {
        const rows = await pageOfAudit(store.db, after, PAGE);
        for (const row of rows) {
          after = Number(row.seq);
          if (row.link === null && before === '') {
            unsealed += 1;
            continue;
          }
          if (row.link !== linkOf(before, row)) brokenAt ??= after;
          before = row.link ?? before;
          sealed += 1;
        }
        if (rows.length < PAGE) break;
      }
      // The newest ones were cut off: the head remembers them.
      if (((await readSetting(store.db, HEAD)) ?? '') !== before) brokenAt ??= after;
      return { sealed, unsealed, head: before, brokenAt };
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
