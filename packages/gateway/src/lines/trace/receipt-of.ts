import { child, childrenOf, type Node } from '@ponte/engine';
import type { Clock } from '../../core/clock.ts';
import type { StanzaLooks } from './stanza-looks.ts';

/** These say that a message could not be read. */
const NOT_RECEIVED = ['retry', 'enc_rekey_retry', 'server-error'];

/** Whether any device tells within the time that it has the message. */
export async function receiptOf(
  { messageId, waitMs }: { messageId: string; waitMs: number },
  looks: StanzaLooks,
  clock: Clock,
  stopping: AbortSignal,
): Promise<{ received: boolean }> {
  const over = new AbortController();
  const end = () => over.abort();
  let received = false;
  const lookAway = looks.add((direction, stanza) => {
    if (direction !== 'in' || !isReceiptOf(stanza, messageId)) return;
    received = true;
    end();
  });
  stopping.addEventListener('abort', end, { once: true });
  await clock.sleep(waitMs, over.signal);
  stopping.removeEventListener('abort', end);
  lookAway();
  return { received };
}

function isReceiptOf(stanza: Node, messageId: string): boolean {
  if (stanza.tag !== 'receipt' || NOT_RECEIVED.includes(stanza.attrs.type ?? '')) return false;
  const listed = childrenOf(child(stanza, 'list'), 'item');
  return stanza.attrs.id === messageId || listed.some(({ attrs }) => attrs.id === messageId);
}
