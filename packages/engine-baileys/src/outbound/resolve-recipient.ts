import {
  type AddressPair,
  EngineError,
  isLid,
  isPn,
  type Jid,
  type Party,
  party,
  personJid,
  phoneOf,
  type UsyncNumber,
} from '@ponte/engine';
import type { LidMap } from '../store/lid-map.ts';

/** Whom to send to, and how WhatsApp wants the stanza to say so. */
export interface Recipient {
  to: Jid;
  recipient: Party;
  attrs: Record<string, string>;
}

export interface RecipientLookups {
  lids: LidMap;
  learn(pairs: AddressPair[]): Promise<void>;
  /** Asks WhatsApp about a number. */
  askNumber(phone: string): Promise<UsyncNumber>;
}

/**
 * The address to send to: the LID whenever WhatsApp has one, with the number beside it
 * (`peer_recipient_pn`), as its own clients do since 2026 (whatsmeow send.go); people who were
 * migrated refuse mail to their number (463). Asks WhatsApp only about numbers whose LID is not
 * known yet. Rejects with `not_on_whatsapp`.
 */
export async function resolveRecipient(chat: Jid, { lids, learn, askNumber }: RecipientLookups): Promise<Recipient> {
  const jid = personJid(chat);
  if (isLid(jid)) return byLid(jid, await lids.pnOf(jid));
  if (!isPn(jid)) return { to: jid, recipient: party(jid), attrs: {} };
  const known = await lids.lidOf(jid);
  if (known !== undefined) return byLid(known, jid);
  const phone = phoneOf(jid);
  if (phone === undefined) throw new EngineError('not_on_whatsapp', `${jid} is no phone number`);
  const found = await askNumber(phone);
  if (!found.registered) throw new EngineError('not_on_whatsapp', 'the number has no WhatsApp account');
  const pn = found.pn ?? jid;
  if (found.lid === undefined) return { to: pn, recipient: party(pn), attrs: {} };
  await learn([{ lid: found.lid, pn }]);
  return byLid(found.lid, pn);
}

function byLid(lid: Jid, pn: Jid | undefined): Recipient {
  return { to: lid, recipient: party(lid, pn), attrs: pn === undefined ? {} : { peer_recipient_pn: pn } };
}
