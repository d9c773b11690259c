import { isGroup } from '../address.ts';
import type { EngineEvent } from '../events.ts';
import { children, type Node } from '../node.ts';
import { party } from './party.ts';

/**
 * Reads a `<chatstate>`: a person is typing, recording (`<composing media="audio"/>`), or stopped.
 */
export function parseChatState(node: Node): EngineEvent | undefined {
  const { from, participant } = node.attrs;
  const [what] = children(node);
  if (from === undefined || (what?.tag !== 'composing' && what?.tag !== 'paused')) return undefined;
  if (isGroup(from) && participant === undefined) return undefined;
  const sender =
    participant === undefined
      ? party(from, node.attrs.sender_pn, node.attrs.sender_lid)
      : party(participant, node.attrs.participant_pn, node.attrs.participant_lid);
  return {
    type: 'typing',
    chat: isGroup(from) ? party(from) : sender,
    sender,
    state: what.tag,
    mode: what.attrs.media === 'audio' ? 'voice' : 'text',
  };
}
