import { bareJid, child, formatJid, type Node, SERVER_LID, SERVER_PN } from '@ponte/engine';
import { deviceJid } from './accounts.ts';
import type { Endpoint } from './mailbox.ts';
import { el } from './stanzas.ts';
import type { Sender, Tenant } from './tenant.ts';

const SUBSCRIPTIONS_MAX = 1000;

interface Watch {
  mode: 'pn' | 'lid';
}

export type Presence = ReturnType<typeof createPresence>;

/**
 * Who is online and who is typing. Nothing of it is durable: subscriptions end with the connection that made them, and only
 * connections that show themselves as available are told anything (whatsmeow, events.Presence and events.ChatPresence).
 */
export function createPresence(tenant: Tenant) {
  const watches = new WeakMap<Endpoint, Map<string, Watch>>();

  function isOnline(pn: string): boolean {
    return tenant.accounts.devices(pn).some((device) => tenant.delivery.endpoint(pn, device.id)?.isAvailable === true);
  }

  function tell(endpoint: Endpoint, pn: string, mode: 'pn' | 'lid', online: boolean): void {
    const account = tenant.accounts.byPn(pn);
    if (!account || !endpoint.isAvailable) return;
    const from = mode === 'lid' ? formatJid(account.lid, SERVER_LID) : formatJid(account.pn, SERVER_PN);
    const last = tenant.settings.get(pn, 'presence', 'last') ?? 'deny';
    const attrs = online ? { from } : { from, type: 'unavailable', last };
    tenant.delivery.sendNow(endpoint.pn, endpoint.device, el('presence', attrs));
  }

  function announce(pn: string, online: boolean): void {
    if (!online) tenant.settings.set(pn, 'presence', 'last', String(Math.floor(tenant.clock.nowMs() / 1000)));
    for (const endpoint of tenant.delivery.endpoints()) {
      const watch = watches.get(endpoint)?.get(pn);
      if (watch) tell(endpoint, pn, watch.mode, online);
    }
  }

  function setAvailable(endpoint: Endpoint, isAvailable: boolean): void {
    const before = isOnline(endpoint.pn);
    endpoint.isAvailable = isAvailable;
    const now = isOnline(endpoint.pn);
    if (before !== now) announce(endpoint.pn, now);
  }

  function subscribe(endpoint: Endpoint, to: string | undefined): void {
    const target = tenant.accounts.resolve(to);
    if (!target) return;
    const mine = watches.get(endpoint) ?? new Map<string, Watch>();
    watches.set(endpoint, mine);
    if (!mine.has(target.account.pn) && mine.size >= SUBSCRIPTIONS_MAX) return;
    mine.set(target.account.pn, { mode: target.mode });
    tell(endpoint, target.account.pn, target.mode, isOnline(target.account.pn));
  }

  return {
    /** `<presence>` of a device: availability, push name or a subscription. */
    presence(from: Sender, node: Node): void {
      const endpoint = tenant.delivery.endpoint(from.pn, from.device);
      if (!endpoint) return;
      const { type, to, name } = node.attrs;
      if (type === 'subscribe') subscribe(endpoint, to);
      else if (type === 'available' || (type === undefined && name === undefined)) setAvailable(endpoint, true);
      else if (type === 'unavailable') setAvailable(endpoint, false);
    },
    /** `<chatstate>` of a device. */
    chatState: (from: Sender, node: Node): void => chatState(tenant, from, node),
    /** A connection is gone. */
    left(endpoint: Endpoint): void {
      if (endpoint.isAvailable) {
        endpoint.isAvailable = false;
        if (!isOnline(endpoint.pn)) announce(endpoint.pn, false);
      }
    },
  };
}

/** Goes to the devices of the other side that are available now. */
function chatState(tenant: Tenant, from: Sender, node: Node): void {
  const sender = tenant.accounts.byPn(from.pn);
  const target = tenant.accounts.resolve(node.attrs.to);
  const state = child(node, 'composing') ?? child(node, 'paused');
  if (!sender || !target || !state || target.account.pn === from.pn) return;
  const isBlocked = tenant.settings.get(target.account.pn, 'block', from.pn) !== undefined;
  if (isBlocked) return;
  const content = [el(state.tag, { media: state.attrs.media })];
  const attrs = { from: bareJid(deviceJid(sender, from.device, target.mode)) };
  for (const device of tenant.accounts.devices(target.account.pn)) {
    const endpoint = tenant.delivery.endpoint(device.pn, device.id);
    if (endpoint?.isAvailable) tenant.delivery.sendNow(device.pn, device.id, el('chatstate', attrs, content));
  }
}
