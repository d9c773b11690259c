import type { Node } from '@ponte/engine';
import { nowSeconds } from '../clock.ts';
import type { Parcel } from '../delivery.ts';
import { hexId } from '../rng.ts';
import { el } from '../stanzas.ts';
import type { Sender, Tenant } from '../tenant.ts';
import { namedBy } from './group-view.ts';
import { type Group, groupJid } from './groups.ts';

interface Receivers {
  /** People who are no members (any more, or yet) and hear of it too. */
  also?: string[];
  /** Only these of the members. */
  only?: (pn: string) => boolean;
}

/**
 * `<notification type="w:gp2">` to every device of the members (the changer's other devices
 * included, the changing device not): the queue keeps one per device, all with the same bytes.
 * Posts at once; call it after the change was stored and the query answered.
 */
export function tellGroup(
  tenant: Tenant,
  from: Sender,
  group: Group,
  content: Node[],
  receivers: Receivers = {},
): void {
  const actor = tenant.accounts.byPn(from.pn);
  const node = el(
    'notification',
    {
      from: groupJid(group),
      id: hexId(tenant.rng, 8),
      t: String(nowSeconds(tenant.clock)),
      type: 'w:gp2',
      ...namedBy(tenant, group, from.pn, 'participant'),
      notify: actor?.name,
      addressing_mode: group.mode,
    },
    content,
  );
  const parcels: Parcel[] = [];
  const add = (pn: string, device: number): void => {
    if (pn === from.pn && device === from.device) return;
    if (tenant.delivery.isFull(pn, device)) return;
    parcels.push({ pn, device, stanzaClass: 'notification', sender: from.pn, node });
  };
  for (const { pn, device } of tenant.groups.devices(group.id)) if (receivers.only?.(pn) ?? true) add(pn, device);
  for (const pn of receivers.also ?? []) {
    for (const device of tenant.accounts.devices(pn)) if (device.identity !== undefined) add(pn, device.id);
  }
  tenant.post(parcels);
}
