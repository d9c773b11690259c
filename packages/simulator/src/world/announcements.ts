import { formatJid, type Node, SERVER_LID, SERVER_PN } from '@ponte/engine';
import type { Account } from './accounts.ts';
import type { Parcel } from './delivery.ts';
import type { Sender, Tenant } from './tenant.ts';

/** The account's address for others: its number, or its LID when the number is private. */
export function publicJid(account: Account): string {
  return account.isLidOnly ? formatJid(account.lid, SERVER_LID) : formatJid(account.pn, SERVER_PN);
}

/**
 * `<notification type="account_sync">` to the account's other devices: what one device changed, the
 * others must know.
 */
export function tellOwnDevices(tenant: Tenant, from: Sender, content: Node[]): void {
  const account = tenant.accounts.byPn(from.pn);
  if (!account) return;
  const attrs = { from: formatJid(account.pn, SERVER_PN) };
  const others = devicesOf(tenant, from.pn).filter((device) => device !== from.device);
  tenant.post(others.map((device) => tenant.notification({ pn: from.pn, device }, 'account_sync', content, attrs)));
}

/**
 * A notification to every device of all people who wrote with the account; nothing to those it
 * blocked.
 */
export function tellContacts(tenant: Tenant, account: Account, type: string, content: Node[]): void {
  const attrs = { from: publicJid(account), lid: formatJid(account.lid, SERVER_LID) };
  const parcels: Parcel[] = [];
  for (const pn of tenant.peers.of(account.pn)) {
    if (tenant.settings.get(account.pn, 'block', pn) !== undefined) continue;
    for (const device of devicesOf(tenant, pn)) {
      parcels.push({ ...tenant.notification({ pn, device }, type, content, attrs), sender: account.pn });
    }
  }
  tenant.post(parcels);
}

function devicesOf(tenant: Tenant, pn: string): number[] {
  return tenant.accounts
    .devices(pn)
    .filter((device) => device.identity !== undefined && !tenant.delivery.isFull(pn, device.id))
    .map((device) => device.id);
}
