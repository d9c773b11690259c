import { isChange } from '@ponte/engine';
import type { ErrorCode, ErrorDetails } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import { accept, type LineRef } from '../../journal/accept.ts';
import type { Store, Tx } from '../../store/db/store.ts';
import { countLineTraffic } from '../../store/lines/traffic.ts';
import { markSendFailed, markUnconfirmed, type OutboxEntry, overdue, unfinished } from '../../store/sends/outbox.ts';
import { returnSent } from '../../store/sends/usage.ts';
import { failedFact } from './failed-fact.ts';

/** Ends an accepted row as failed, with its event. False when it had ended before. */
export async function failSend(
  tx: Tx,
  failure: { line: LineRef; entry: OutboxEntry; code: ErrorCode; details: ErrorDetails; nowMs: number },
): Promise<boolean> {
  const { line, entry, code, details, nowMs } = failure;
  if (!(await markSendFailed(tx, entry.id, { code, details }, nowMs))) return false;
  // What may have arrived stays counted.
  if (!isChange(entry.content) && code !== 'unconfirmed') await returnSent(tx.db, entry);
  const chat = entry.prepared?.recipient ?? entry.toJid;
  const fact = failedFact({ messageId: entry.messageId, chat, code, details, atMs: nowMs });
  if (entry.traceparent !== undefined) fact.traceparent = entry.traceparent;
  await accept(tx, line, [fact], nowMs);
  if (!isChange(entry.content)) await countLineTraffic(tx.db, line.id, { failed: 1 }, nowMs);
  return true;
}

/** Rows of one transaction. */
const PAGE = 100;

/**
 * Fails everything that is due on a line that nothing can send for; what may have left stays
 * unconfirmed. Answers whether anything failed.
 */
export async function failWaiting(
  { store, line, clock, expiresMs }: { store: Store; line: LineRef; clock: Clock; expiresMs: number },
  code: ErrorCode,
  details: ErrorDetails,
): Promise<boolean> {
  let any = await failUnconfirmed(store, line, clock.now(), expiresMs);
  for (let after = 0; ; ) {
    const nowMs = clock.now();
    const page = await unfinished(store.db, line.id, { after, limit: PAGE, nowMs });
    await store.transaction(async (tx) => {
      for (const entry of page) {
        if (entry.mayHaveLeft) await markUnconfirmed(tx, entry.id, nowMs);
        else await failSend(tx, { line, entry, code, details, nowMs });
      }
    }, 'normal');
    any ||= page.some(({ mayHaveLeft }) => !mayHaveLeft);
    if (page.length < PAGE) return any;
    after = page.at(-1)?.seq ?? after;
  }
}

/** Unconfirmed sends whose time is over; a line that does not run cannot see to them itself. */
async function failUnconfirmed(store: Store, line: LineRef, nowMs: number, expiresMs: number): Promise<boolean> {
  if (expiresMs === 0) return false;
  const late = await overdue(store.db, line.id, nowMs - expiresMs, PAGE);
  const unconfirmed = late.filter(({ isUnconfirmed }) => isUnconfirmed);
  if (unconfirmed.length === 0) return false;
  await store.transaction(async (tx) => {
    for (const entry of unconfirmed) await failSend(tx, { line, entry, code: 'unconfirmed', details: {}, nowMs });
  }, 'normal');
  return true;
}
