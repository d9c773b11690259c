import type { Self } from '../address.ts';
import type { EngineEvent } from '../events.ts';
import { child, children, intAttr, type Node } from '../node.ts';
import { party } from './party.ts';

/**
 * Reads `<notification type="picture">`: the picture of a person (or a group) was set or removed.
 * The id is absent when WhatsApp sent a hash only (whatsmeow notification.go).
 */
export function parsePicture(node: Node): EngineEvent[] {
  return children(node).flatMap((part): EngineEvent[] => {
    const jid = part.attrs.jid ?? node.attrs.from;
    if (jid === undefined || !['set', 'add', 'delete'].includes(part.tag)) return [];
    const removed = part.tag === 'delete';
    const timestamp = intAttr(node, 't') ?? 0;
    const of = party(jid, part.attrs.pn_jid, part.attrs.lid_jid);
    const pictureId = removed ? undefined : part.attrs.id;
    return [{ type: 'picture.updated', of, removed, ...(pictureId === undefined ? {} : { pictureId }), timestamp }];
  });
}

/**
 * Reads the `<picture>` of `<notification type="account_sync">`: the account's own picture was
 * changed on another of its devices. WhatsApp does not say whether it was set or removed; an id,
 * when there is one, is that of the new picture (whatsmeow notification.go).
 */
export function parseOwnPicture(node: Node, self: Self): EngineEvent[] {
  const picture = child(node, 'picture');
  if (!picture) return [];
  const pictureId = picture.attrs.id;
  const event = { of: party(self.pn, self.lid), removed: false, timestamp: intAttr(node, 't') ?? 0 };
  return [{ type: 'picture.updated', ...event, ...(pictureId === undefined ? {} : { pictureId }) }];
}
