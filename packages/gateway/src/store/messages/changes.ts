import { isGroup } from '@ponte/engine';
import type { JournalEvent, MessageFacts, NewEvent } from '../../core/events.ts';
import { searchText } from '../../core/search-text.ts';
import { storable } from '../../core/storable.ts';
import type { Tx } from '../db/store.ts';

type ChangeType = 'message.edited' | 'message.revoked';
export type ChangeEvent = Extract<NewEvent, { type: ChangeType }>;
type Change = Pick<ChangeEvent, 'type' | 'payload'>;

interface Stored {
  seq: number;
  facts: MessageFacts;
}

/** Ids are drawn by clients: two people could use the same one. */
const SAME_ID_MAX = 20;

/**
 * The changes that their sender had the right to make: own messages only, except that a group admin
 * may take others' back. WhatsApp does not check this for its clients. A change to a message that
 * is not stored passes: nobody here can judge it, and nothing is rewritten.
 */
export async function authentic(tx: Tx, lineId: string, changes: ChangeEvent[]): Promise<ChangeEvent[]> {
  const allowed: ChangeEvent[] = [];
  for (const change of changes) {
    const known = await storedOf(tx, lineId, change);
    if (known.length === 0 || known.some(({ facts }) => mayChange(change, facts))) allowed.push(change);
  }
  return allowed;
}

/** Rewrites the stored message. A revoked one loses its content, its bytes included. */
export async function projectChange(
  tx: Tx,
  lineId: string,
  change: Extract<JournalEvent, { type: ChangeType }>,
): Promise<void> {
  const known = await storedOf(tx, lineId, change);
  const target = known.find(({ facts }) => mayChange(change, facts));
  if (!target) return;
  const { seq, facts } = target;
  const content: MessageFacts['content'] =
    change.type === 'message.edited' ? { ...facts.content, body: change.payload.body } : { kind: 'unknown', body: '' };
  await tx.db
    .updateTable('messages')
    .set({
      facts: JSON.stringify({ ...facts, content }),
      body: storable(content.body),
      search: searchText(storable(content.body)),
      kind: content.kind,
      ...(change.type === 'message.revoked' ? { proto: null } : {}),
    })
    .where('seq', '=', seq)
    .execute();
}

async function storedOf(tx: Tx, lineId: string, { payload }: Change): Promise<Stored[]> {
  const { chat, messageId } = payload;
  const addresses = [chat.jid, chat.lid, chat.pn].filter((jid) => jid !== undefined);
  const rows = await tx.db
    .selectFrom('messages')
    .select(['seq', 'facts'])
    .where('line_id', '=', lineId)
    .where('message_id', '=', messageId)
    .where('chat_jid', 'in', addresses)
    .limit(SAME_ID_MAX)
    .execute();
  return rows.map(({ seq, facts }) => ({ seq: Number(seq), facts: JSON.parse(facts) as MessageFacts }));
}

function mayChange({ payload }: Change, { sender, fromMe, chat }: MessageFacts): boolean {
  const addresses = new Set([sender.jid, sender.lid, sender.pn]);
  const by = payload.sender;
  if (fromMe && payload.fromMe) return true;
  if ([by.jid, by.lid, by.pn].some((jid) => jid !== undefined && addresses.has(jid))) return true;
  return 'byAdmin' in payload && payload.byAdmin && isGroup(chat.jid);
}
