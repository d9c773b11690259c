import type { Node } from '@ponte/engine';
import { el } from './stanzas.ts';
import type { Sender, Tenant } from './tenant.ts';

/** The persisted query for the account's own time-lock (Baileys Types/Mex). */
export const TIMELOCK_QUERY = '23983697327930364';

/**
 * What the account may not do, as GraphQL says it (whatsmeow types/events, Baileys
 * messages-recv.js).
 */
export function timelockOf(untilMs: number | undefined): Record<string, unknown> {
  if (untilMs === undefined) return { is_active: false };
  const ends = String(Math.ceil(untilMs / 1_000));
  return { is_active: true, time_enforcement_ends: ends, enforcement_type: 'WEB_COMPANION_ONLY' };
}

/** Tells every companion of an account about its time-lock. */
export function tellTimelock(tenant: Tenant, from: Sender, untilMs: number | undefined): void {
  const body = { data: { xwa2_notify_account_reachout_timelock: timelockOf(untilMs) } };
  const attrs = { op_name: 'NotificationUserReachoutTimelockUpdate' };
  const content: Node[] = [el('update', attrs, Buffer.from(JSON.stringify(body)))];
  const parcels = tenant.accounts
    .devices(from.pn)
    .filter(({ id }) => id !== 0 && !tenant.delivery.isFull(from.pn, id))
    .map(({ id }) => tenant.notification({ pn: from.pn, device: id }, 'mex', content));
  tenant.post(parcels);
}
