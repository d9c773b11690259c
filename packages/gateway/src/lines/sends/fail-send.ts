import { isChange } from '@ponte/engine';
import type { ErrorCode, ErrorDetails } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import { accept, type LineRef } from '../../journal/accept.ts';
import type { Store, Tx } from '../../store/db/store.ts';
import { countLineTraffic } from '../../store/lines/traffic.ts';
import { markFailed, type OutboxEntry, unfinished } from '../../store/sends/outbox.ts';
import { returnSent } from '../../store/sends/usage.ts';
import { failedFact } from './failed-fact.ts';

/** Ends an accepted row as failed, with its event. False when it had ended before. */
export async function failSend(
  tx: Tx,
  failure: { line: LineRef; entry: OutboxEntry; code: ErrorCode; details: ErrorDetails; nowMs: number },
): Promise<boolean> {
  const { line, entry, code, details, nowMs } = failure;
  if (!(await markFailed(tx, entry.id, { code, details }, nowMs))) return false;
  if (!isChange(entry.content)) await returnSent(tx.db, entry);
  const chat = entry.prepared?.recipient ?? entry.toJid;
  const fact = failedFact({ messageId: entry.messageId, chat, code, details, atMs: nowMs });
  await accept(tx, line, [fact], nowMs);
  if (!isChange(entry.content)) await countLineTraffic(tx.db, line.id, { failed: 1 }, nowMs);
  return true;
}

/** Rows of one transaction. */
const PAGE = 100;

/**
 * Fails everything that is due on a line that nothing can send for. Answers whether anything did.
 */
export async function failWaiting(
  { store, line, clock }: { store: Store; line: LineRef; clock: Clock },
  code: ErrorCode,
  details: ErrorDetails,
): Promise<boolean> {
  let any = false;
  for (let after = 0; ; ) {
    const nowMs = clock.now();
    const page = await unfinished(store.db, line.id, { after, limit: PAGE, nowMs });
    await store.transaction(async (tx) => {
      for (const entry of page) await failSend(tx, { line, entry, code, details, nowMs });
    }, 'normal');
    any ||= page.length > 0;
    if (page.length < PAGE) return any;
    after = page.at(-1)?.seq ?? after;
  }
}
