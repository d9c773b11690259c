import { isGroup } from '@ponte/engine';
import type { JournalEvent, MessageFacts, NewEvent } from '../../core/events.ts';
import { searchText, textsOf } from '../../core/search-text.ts';
import { storable } from '../../core/storable.ts';
import { lineText, lineWords } from '../db/contents.ts';
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
 * is not stored passes: it cannot be checked here, and nothing is rewritten.
 */
export async function authentic(tx: Tx, lineId: string, changes: ChangeEvent[]): Promise<ChangeEvent[]> {
  const allowed: ChangeEvent[] = [];
  for (const change of changes) {
    const known = await storedOf(tx, lineId, change);
    if (known.length === 0 || known.some(({ facts }) => mayChange(change, facts))) allowed.push(change);
  }
  return allowed;
}

/**
 * Rewrites the stored message. A revoked one loses its content, its bytes included, and keeps what
 * kind it was.
 */
export async function projectChange(tx: Tx, lineId: string, change: ChangeEventOf): Promise<void> {
  const known = await storedOf(tx, lineId, change);
  const target = known.find(({ facts }) => mayChange(change, facts));
  if (!target || target.facts.revoked) return;
  const { seq, facts } = target;
  const { content, ...mark } = changed(facts, change);
  await tx.db
    .updateTable('messages')
    .set({
      facts: lineText(lineId, JSON.stringify({ ...facts, ...mark, content })),
      body: lineText(lineId, storable(content.body)),
      search: lineWords(lineId, searchText(storable(textsOf(content)))),
      kind: content.kind,
      ...(change.type === 'message.revoked' ? { proto: null } : {}),
    })
    .where('seq', '=', seq)
    .execute();
}

type ChangeEventOf = Extract<JournalEvent, { type: ChangeType }>;
type Changed = Pick<MessageFacts, 'content' | 'edited' | 'revoked'>;

function changed({ content }: MessageFacts, change: ChangeEventOf): Changed {
  const { sender: by, timestamp: at } = change.payload;
  if (change.type === 'message.edited') {
    // The card is of a link in the text as it was.
    const { linkPreview: _, ...kept } = content;
    return { content: { ...kept, body: change.payload.body }, edited: { at, by } };
  }
  // What could not be read may still come again: not in the place of what was deleted.
  const kind = content.kind === 'undecryptable' ? 'unknown' : content.kind;
  return { content: { kind, body: '' }, revoked: { at, by, byAdmin: change.payload.byAdmin } };
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
