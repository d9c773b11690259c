import type { Self } from '../address.ts';
import type { EngineEvent } from '../events.ts';
import { intAttr, type Node } from '../node.ts';
import { parseRestrictions } from '../restriction.ts';
import { parseCall } from './call.ts';
import { groupPicture, parseGroupUpdate } from './group-update.ts';
import { parseOffline } from './offline.ts';
import { parseOwnPicture, parsePicture } from './picture.ts';
import { parseReceipt } from './receipt.ts';

/** The events in a stanza that is no message. Kinds without a meaning of their own give none. */
export function stanzaEvents(node: Node, self: Self): EngineEvent[] {
  if (node.tag === 'receipt') return parseReceipt(node, self);
  if (node.tag === 'call') return parseCall(node);
  if (node.tag === 'ib') return parseOffline(node);
  if (node.tag === 'notification' && node.attrs.type === 'w:gp2') return parseGroupUpdate(node, self);
  if (node.tag === 'notification' && node.attrs.type === 'server_sync') return [{ type: 'settings.changed' }];
  if (node.tag === 'notification' && node.attrs.type === 'picture') {
    return parsePicture(node).flatMap((event) => [event, ...groupPicture(event, node)]);
  }
  if (node.tag === 'notification' && node.attrs.type === 'account_sync') return parseOwnPicture(node, self);
  if (node.tag === 'iq' || node.attrs.type === 'mex') return restricted(node);
  return [];
}

/** What the account may not do, told by itself or on a question of ours. */
function restricted(node: Node): EngineEvent[] {
  const timestamp = intAttr(node, 't') ?? 0;
  return parseRestrictions(node).map((restriction) => ({ type: 'restricted', ...restriction, timestamp }));
}
