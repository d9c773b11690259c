import type { EngineEvent } from '../events.ts';
import { child, children, intAttr, type Node } from '../node.ts';
import { party } from './party.ts';

type Terminated = Extract<EngineEvent, { type: 'call.terminated' }>;

/**
 * Reads a `<call>`: its first child says what happened (whatsmeow call.go, Baileys generics.js
 * getCallStatusFromNode).
 */
export function parseCall(node: Node): EngineEvent[] {
  const [what] = children(node);
  const callId = what?.attrs['call-id'];
  const caller = what?.attrs['call-creator'] ?? what?.attrs.from ?? node.attrs.from;
  if (!what || callId === undefined || caller === undefined) return [];
  const from = party(caller, what.attrs.caller_pn, what.attrs.caller_lid, node.attrs.sender_pn, node.attrs.sender_lid);
  const timestamp = intAttr(node, 't') ?? 0;
  if (what.tag === 'offer' || what.tag === 'offer_notice') {
    const video = child(what, 'video') !== undefined || what.attrs.media === 'video';
    return [{ type: 'call.incoming', callId, from, platform: node.attrs.platform ?? '', video, timestamp }];
  }
  if (what.tag === 'terminate' || what.tag === 'reject') {
    return [{ type: 'call.terminated', callId, from, reason: reasonOf(what), timestamp }];
  }
  return [];
}

function reasonOf({ tag, attrs }: Node): Terminated['reason'] {
  const reason = attrs.reason ?? '';
  if (reason === 'timeout' || reason === 'busy') return reason;
  if (tag === 'reject' || reason.startsWith('reject') || reason === 'declined') return 'decline';
  return 'hangup';
}
