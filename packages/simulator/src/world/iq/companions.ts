import { removeCompanion } from '../companions.ts';
import { badRequest, type IqHandler, type IqRequest, notFound } from './iq-handler.ts';

/**
 * `<iq xmlns="md">` of a logged-in device: a companion logs itself (or the phone one of its
 * companions) out.
 */
export const companionHandlers: IqHandler[] = [
  { xmlns: 'md', type: 'set', child: 'remove-companion-device', answer: remove },
];

function remove({ tenant, from, child }: IqRequest): { afterwards: () => void } {
  const address = tenant.accounts.resolve(child.attrs.jid);
  if (!address || address.account.pn !== from.pn) throw badRequest();
  // A companion may remove itself only; the phone any of its companions, never itself.
  if (address.device === 0 || (from.device !== 0 && from.device !== address.device)) throw badRequest();
  if (!tenant.accounts.device(from.pn, address.device)) throw notFound();
  return { afterwards: () => removeCompanion(tenant, from.pn, address.device) };
}
