import { bareJid, isBot, type Node } from '@ponte/engine';
import { deviceJid } from './accounts.ts';
import { ackOf, COPY_MAX_BYTES, copiesOf, type MessageOutcome, PASSED_ON, refuse } from './message-parts.ts';
import { el } from './stanzas.ts';
import type { Sender, Tenant } from './tenant.ts';

/**
 * A prompt from an account to one of WhatsApp's bots: no bot answers here, but the account's other
 * devices get their copies, to be acknowledged with a receipt that names the bot (whatsapp-rust
 * #659).
 */
export function routePrompt(tenant: Tenant, from: Sender, message: Node): MessageOutcome {
  const sender = tenant.accounts.byPn(from.pn);
  if (!sender || !message.attrs.id) return refuse(message, 400, 'message without an id');
  const parcels = copiesOf(message).flatMap(({ jid, enc }) => {
    const target = tenant.accounts.resolve(jid);
    const isOther = target?.account.pn === from.pn && target.device !== from.device;
    const bytes = enc.reduce((sum, { content }) => sum + (content instanceof Uint8Array ? content.length : 0), 0);
    if (!target || !isOther || bytes > COPY_MAX_BYTES) return [];
    if (tenant.delivery.isFull(from.pn, target.device)) return [];
    const attrs: Record<string, string | undefined> = {
      id: message.attrs.id,
      from: deviceJid(sender, from.device, target.mode),
      recipient: bareJid(message.attrs.to ?? ''),
      t: message.attrs.t,
      notify: sender.name,
    };
    for (const name of PASSED_ON) attrs[name] = message.attrs[name];
    const node = el('message', attrs, enc);
    return [{ pn: from.pn, device: target.device, stanzaClass: 'message' as const, sender: from.pn, node }];
  });
  return { ack: ackOf(message, {}), parcels, note: undefined };
}

/** True for the receipt that such a copy wants: to the own account, naming the bot. */
export const isPromptReceipt = (tenant: Tenant, from: Sender, { tag, attrs }: Node): boolean =>
  tag === 'receipt' &&
  attrs.type === 'sender' &&
  isBot(attrs.recipient) &&
  tenant.accounts.resolve(attrs.to)?.account.pn === from.pn;
