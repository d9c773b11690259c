import { isLid, isPn, type Jid } from '@ponte/engine';
import { AppError } from '../../core/app-error.ts';
import type { Line } from '../../core/lines.ts';
import { listAddressBook } from '../../store/messages/contacts.ts';
import { ask } from '../contacts/contacts.ts';
import type { Context } from '../context.ts';

/** People that one status is encrypted for. */
const AUDIENCE_MAX = 4_000;

/**
 * Who may see a status, by the list in force (whatsmeow broadcast.go): all people in the address
 * book of the phone, the same without some, or some only. A person who merely wrote is no contact.
 * `validation_error` when no one would see it.
 */
export async function statusAudienceOf(context: Context, line: Line): Promise<Jid[]> {
  const lists = await ask(context, line, 'account.statusAudience', {});
  const inForce = lists.find(({ isDefault }) => isDefault);
  const listed = new Set(inForce?.people ?? []);
  if (inForce?.type === 'whitelist') return bounded([...listed]);
  const contacts = await listAddressBook(context.store.db, line.id);
  const isHidden = (jids: (Jid | undefined)[]) =>
    inForce?.type === 'blacklist' && jids.some((jid) => jid !== undefined && listed.has(jid));
  return bounded(
    contacts.flatMap(({ jid, lid, pn }) => {
      const address = lid ?? pn ?? jid;
      return (isPn(address) || isLid(address)) && !isHidden([jid, lid, pn]) ? [address] : [];
    }),
  );
}

function bounded(people: Jid[]): Jid[] {
  if (people.length > 0) return people.slice(0, AUDIENCE_MAX);
  const message =
    'This status would have no audience: the address book of the phone is empty or not known yet, or its privacy settings exclude all contacts.';
  throw new AppError('validation_error', { details: [{ path: '', message }] }, { message });
}
