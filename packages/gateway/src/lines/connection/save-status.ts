import type { Self } from '@ponte/engine';
import { phoneOf } from '@ponte/engine';
import { lineStatusKey, timeOfLineStatus } from '../../core/event-keys.ts';
import { toReason } from '../../core/line-reasons.ts';
import type { LineStanding, LineStatus } from '../../core/lines.ts';
import { accept, type LineRef } from '../../journal/accept.ts';
import type { Db, Store } from '../../store/db/store.ts';
import { lastStatusEvent } from '../../store/journal/events.ts';
import { destroyKept } from '../../store/lines/kept-keys.ts';
import { readLineStatus, updateLineStatus } from '../../store/lines/line-row.ts';
import { isNews, type ToldStatus } from './line-state.ts';

/** The last status that was journaled, and when; null for a line that never had any. */
export async function loadTold(db: Db, lineId: string): Promise<(ToldStatus & { atMs: number }) | null> {
  const row = await lastStatusEvent(db, lineId);
  if (!row) return null;
  const { status, reason } = JSON.parse(row.payload) as { status: LineStatus; reason: string | null };
  return { status, reason: toReason(reason), atMs: timeOfLineStatus(row.dedupeKey) };
}

/** A moment of a line's life, to be written down. */
export interface StatusSnapshot extends LineStanding {
  self: Self | undefined;
  atMs: number;
}

/**
 * Writes a line's status into its row and, when it is news, into the journal; one transaction.
 * Returns what has been told by now, and whether there are new deliveries.
 */
export async function saveStatus(
  store: Store,
  line: LineRef,
  told: (ToldStatus & { atMs: number }) | null,
  now: StatusSnapshot,
): Promise<{ told: (ToldStatus & { atMs: number }) | null; isNew: boolean }> {
  const isGone = now.status === 'unpaired' || now.status === 'logged_out';
  const news = isNews(told, now);
  // Two events of one line never share a key, and their keys sort, whatever the wall clock does.
  const atMs = Math.max(now.atMs, (told?.atMs ?? 0) + 1);
  await store.transaction(async (tx) => {
    const before = await readLineStatus(tx.db, line.id);
    if (!before) return;
    await updateLineStatus(tx.db, line.id, {
      status: now.status,
      status_reason: now.reason,
      status_until: now.until,
      status_code: now.whatsappCode,
      ...(isGone ? { phone: null, jid: null, lid: null, name: null, connected_at: null } : addresses(now.self)),
      ...(now.status === 'connected' && before.status !== 'connected' ? { connected_at: now.atMs } : {}),
    });
    // Paired anew, or restored: what was kept is of no use any more.
    if (now.status === 'connected' && before.credentials_kept_until !== null) await destroyKept(tx.db, line.id);
    if (!news) return;
    const payload = {
      status: now.status,
      previous: told?.status ?? 'unpaired',
      phone: phoneOf(now.self?.pn) ?? before.phone,
      reason: now.reason,
      until: now.until,
      whatsappCode: now.whatsappCode,
    } as const;
    const dedupeKey = lineStatusKey(atMs);
    await accept(tx, line, [{ type: 'line.status', payload, dedupeKey, chat: null }], now.atMs);
  }, 'normal');
  return news ? { told: { status: now.status, reason: now.reason, atMs }, isNew: true } : { told, isNew: false };
}

function addresses(self: Self | undefined): { phone?: string | null; jid?: string; lid?: string; name?: string } {
  if (!self) return {};
  return {
    phone: phoneOf(self.pn) ?? null,
    jid: self.pn,
    ...(self.lid === undefined ? {} : { lid: self.lid }),
    ...(self.name === '' ? {} : { name: self.name }),
  };
}
