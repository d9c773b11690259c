import type { EventPayloads } from '../../core/events.ts';
import type { Tx } from '../db/store.ts';
import { noteGroups } from './chat-groups.ts';

/** Keeps what groups are called in step with the journal. */
export async function projectGroup(
  tx: Tx,
  lineId: string,
  { group: jid, change, timestamp }: EventPayloads['group.updated'],
  nowMs: number,
): Promise<void> {
  if (change.kind === 'created') await noteGroups(tx.db, lineId, [change.group], nowMs);
  if (change.kind === 'subject') {
    await noteGroups(tx.db, lineId, [{ jid, subject: change.subject, subjectAt: timestamp }], nowMs);
  }
}
