import { formatJid, type Node, SERVER_LID, SERVER_PN } from '@ponte/engine';
import { type Account, deviceJid } from './accounts.ts';
import type { Parcel } from './delivery.ts';
import { atomically } from './shared-commit.ts';
import { el } from './stanzas.ts';
import type { Tenant } from './tenant.ts';

/**
 * Takes a linked device out of its account: its keys and mail are deleted, its connection ends with
 * 401 device_removed, later logins fail with 401, and all people who wrote with the account are
 * notified. Does nothing for a device that is gone.
 */
export function removeCompanion(tenant: Tenant, pn: string, device: number): void {
  const account = tenant.accounts.byPn(pn);
  if (!account || device === 0 || !tenant.accounts.device(pn, device)) return;
  const endpoint = tenant.delivery.endpoint(pn, device);
  atomically(tenant.db, () => tenant.accounts.removeDevice(pn, device));
  tenant.queue.forget();
  if (endpoint) {
    tenant.delivery.detach(endpoint);
    endpoint.end('device_removed');
  }
  announceDevices(tenant, account, 'remove', device);
}

/**
 * `<notification type="devices">` to the account's own devices, all people it wrote with and all
 * members of its groups (whatsmeow notification.go).
 */
export function announceDevices(tenant: Tenant, account: Account, change: 'add' | 'remove', device: number): void {
  const keyIndex = tenant.accounts.device(account.pn, device)?.keyIndex;
  const parcels: Parcel[] = [];
  for (const pn of new Set([account.pn, ...tenant.peers.of(account.pn), ...tenant.groups.companyOf(account.pn)])) {
    for (const target of tenant.accounts.devices(pn)) {
      if (target.identity === undefined || (pn === account.pn && target.id === device)) continue;
      if (tenant.delivery.isFull(pn, target.id)) continue;
      parcels.push(parcel(tenant, account, { pn, device: target.id }, change, device, keyIndex));
    }
  }
  tenant.post(parcels);
}

/**
 * `<notification type="encrypt"><identity/>`: the account's phone has other keys than before
 * (whatsmeow notification.go).
 */
export function announceIdentity(tenant: Tenant, pn: string): void {
  const account = tenant.accounts.byPn(pn);
  if (!account) return;
  const attrs = namesOf(account, false);
  const others = new Set([...tenant.peers.of(pn), ...tenant.groups.companyOf(pn)]);
  others.delete(pn);
  const parcels = [...others].flatMap((peer) =>
    tenant.accounts
      .devices(peer)
      .filter((target) => target.identity !== undefined && !tenant.delivery.isFull(peer, target.id))
      .map((target) => ({
        ...tenant.notification({ pn: peer, device: target.id }, 'encrypt', [el('identity')], attrs),
        sender: pn,
      })),
  );
  tenant.post(parcels);
}

function parcel(
  tenant: Tenant,
  account: Account,
  to: { pn: string; device: number },
  change: 'add' | 'remove',
  device: number,
  keyIndex: number | undefined,
): Parcel {
  const index = keyIndex === undefined ? undefined : String(keyIndex);
  const pn = deviceJid(account, device, 'pn');
  const lid = deviceJid(account, device, 'lid');
  const isOwn = to.pn === account.pn;
  const isHidden = account.isLidOnly && !isOwn;
  const content: Node[] = [
    el(change, {}, [
      ...(isHidden ? [] : [el('device', { jid: pn, lid, 'key-index': index })]),
      // Baileys reads `jid` only, and keeps a device list per name of the account: this drops the
      // one under the LID.
      el('device', { jid: lid, 'key-index': index }),
      el('key-index-list', { ts: String(Math.floor(tenant.clock.nowMs() / 1000)) }),
    ]),
  ];
  const attrs = namesOf(account, isOwn);
  return { ...tenant.notification(to, 'devices', content, attrs), sender: account.pn };
}

/**
 * Who a notification is about: by number with the LID beside it, or by LID alone where the number
 * is not disclosed.
 */
function namesOf(account: Account, isOwn: boolean): { from: string; lid?: string } {
  const lid = formatJid(account.lid, SERVER_LID);
  return account.isLidOnly && !isOwn ? { from: lid } : { from: formatJid(account.pn, SERVER_PN), lid };
}
