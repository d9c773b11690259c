import type { Jid } from '../address.ts';
import type { Node } from '../node.ts';

/**
 * `<presence>` that shows the account online or not. Without a name WhatsApp keeps the one it has
 * (whatsmeow presence.go).
 */
export function presence(state: 'available' | 'unavailable', name: string): Node {
  const pushName = name.replaceAll('@', '');
  return { tag: 'presence', attrs: { type: state, ...(pushName === '' ? {} : { name: pushName }) } };
}

/** Asks for a person's presence. `proof` is the privacy token of that person, when there is one. */
export function presenceSubscription(person: Jid, proof: Node | undefined): Node {
  const node: Node = { tag: 'presence', attrs: { to: person, type: 'subscribe' } };
  return proof ? { ...node, content: [proof] } : node;
}

/** `<chatstate>`: typing, recording (typing with `media="audio"`), or stopped. */
export function chatState(to: Jid, state: 'composing' | 'paused', mode: 'text' | 'voice'): Node {
  const attrs: Record<string, string> = state === 'composing' && mode === 'voice' ? { media: 'audio' } : {};
  return { tag: 'chatstate', attrs: { to }, content: [{ tag: state, attrs }] };
}
