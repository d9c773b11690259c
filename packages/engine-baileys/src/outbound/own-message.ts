import { type MessageLookup, personJid, STATUS_BROADCAST } from '@ponte/engine';
import { proto } from '../baileys.ts';
import { never } from '../store/store-guard.ts';
import type { RetryBudget } from './retry-budget.ts';

/**
 * A message of ours that a recipient could not decrypt, when it may be sent again. A failing lookup
 * ends the connection: the request comes again, unanswered.
 */
export async function ownMessage(
  lookup: MessageLookup,
  key: { id: string; remoteJid: string },
  budget: RetryBudget,
  onFailed: (cause: unknown) => void,
): Promise<proto.IMessage | undefined> {
  try {
    const found = await lookup.proto(key.id, key.remoteJid);
    if (!found?.fromMe) return undefined;
    const isStatus = key.remoteJid === STATUS_BROADCAST;
    if (!budget.take(personJid(key.remoteJid), found.timestamp, isStatus)) return undefined;
    return proto.Message.decode(found.proto);
  } catch (cause) {
    onFailed(cause);
    return never();
  }
}
