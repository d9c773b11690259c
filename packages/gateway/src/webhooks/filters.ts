import { formatJid, type Jid, otherWayToWrite, phoneOf, SERVER_PN } from '@ponte/engine';
import type { JournalEvent } from '../core/events.ts';
import type { WebhookFilters } from '../core/webhooks.ts';

/** The chat an event belongs to; undefined for events of the line itself. */
export function chatOf(event: JournalEvent): { jid: Jid; lid?: Jid; pn?: Jid } | undefined {
  const payload = event.payload;
  if ('chat' in payload) return payload.chat;
  if ('from' in payload) return payload.from;
  if ('of' in payload) return payload.of;
  return undefined;
}

/**
 * Deliveries of one webhook that share this key keep their order: those of one chat, and those of
 * the line itself.
 */
export function orderKeyOf(event: JournalEvent): string {
  const chat = chatOf(event);
  return chat ? `${event.lineId}/${chat.lid ?? chat.pn ?? chat.jid}` : event.lineId;
}

/**
 * Every address of a chat that its owner may have written, the other way to write a number
 * included.
 */
function addressesOf({ jid, lid, pn }: { jid: Jid; lid?: Jid; pn?: Jid }): Jid[] {
  const other = otherWayToWrite(phoneOf(pn ?? jid) ?? '');
  const known = other === undefined ? [jid, lid, pn] : [jid, lid, pn, formatJid(other, SERVER_PN)];
  return known.filter((address) => address !== undefined);
}

/** True when the filters let the event through. */
export function passes(filters: WebhookFilters | null, event: JournalEvent): boolean {
  if (filters === null) return true;
  const { chats, direction, kinds } = filters;
  const payload = event.payload;
  if (chats !== undefined) {
    const chat = chatOf(event);
    if (chat && !addressesOf(chat).some((jid) => chats.includes(jid))) return false;
  }
  if (direction !== undefined && 'fromMe' in payload && payload.fromMe !== (direction === 'out')) return false;
  if (kinds !== undefined && 'content' in payload && !kinds.includes(payload.content.kind)) return false;
  return true;
}
