import { bareJid, child, formatJid, type Node, SERVER_LID, SERVER_PN } from '@ponte/engine';
import { type Account, deviceJid } from './accounts.ts';
import { type Group, groupJid, memberJid } from './groups/groups.ts';
import type { Endpoint } from './mailbox.ts';
import { maySee } from './privacy.ts';
import { el } from './stanzas.ts';
import type { Sender, Tenant } from './tenant.ts';

const SUBSCRIPTIONS_MAX = 1000;

/**
 * How long a subscription lasts is not documented; here a day, so that long connections must ask
 * again and nothing grows for ever.
 */
export const SUBSCRIPTION_MS = 24 * 3600 * 1000;

interface Watch {
  mode: 'pn' | 'lid';
  untilMs: number;
  /** The subscription as it came: it may carry a token of the one who is watched. */
  asked: Node;
}

export type Presence = ReturnType<typeof createPresence>;

/**
 * Who is online and who is typing. Nothing of it is durable: subscriptions end with the connection
 * that made them, and only connections that show themselves as available are told anything
 * (whatsmeow, events.Presence and events.ChatPresence). Privacy settings of the watched decide
 * whether anything is told, and whether with the time they were last there.
 */
export function createPresence(tenant: Tenant) {
  const watches = new WeakMap<Endpoint, Map<string, Watch>>();

  function isOnline(pn: string): boolean {
    return tenant.accounts.devices(pn).some((device) => tenant.delivery.endpoint(pn, device.id)?.isAvailable === true);
  }

  function tell(endpoint: Endpoint, pn: string, { mode, asked }: Watch, online: boolean): void {
    const account = tenant.accounts.byPn(pn);
    if (!account || !endpoint.isAvailable || !maySee(tenant, endpoint.pn, pn, 'online', asked)) return;
    const from = mode === 'lid' ? formatJid(account.lid, SERVER_LID) : formatJid(account.pn, SERVER_PN);
    const isLastSeen = maySee(tenant, endpoint.pn, pn, 'last', asked);
    const last = (isLastSeen ? tenant.settings.get(pn, 'presence', 'last') : undefined) ?? 'deny';
    const attrs = online ? { from } : { from, type: 'unavailable', last };
    tenant.delivery.sendNow(endpoint.pn, endpoint.device, el('presence', attrs));
  }

  function announce(pn: string, online: boolean): void {
    if (!online) tenant.settings.set(pn, 'presence', 'last', String(Math.floor(tenant.clock.nowMs() / 1000)));
    const now = tenant.clock.nowMs();
    for (const endpoint of tenant.delivery.endpoints()) {
      const watch = watches.get(endpoint)?.get(pn);
      if (watch && watch.untilMs > now) tell(endpoint, pn, watch, online);
      else if (watch) watches.get(endpoint)?.delete(pn);
    }
  }

  function setAvailable(endpoint: Endpoint, isAvailable: boolean): void {
    const before = isOnline(endpoint.pn);
    endpoint.isAvailable = isAvailable;
    const now = isOnline(endpoint.pn);
    if (before !== now) announce(endpoint.pn, now);
  }

  function subscribe(endpoint: Endpoint, asked: Node): void {
    const target = tenant.accounts.resolve(asked.attrs.to);
    if (!target) return;
    const mine = watches.get(endpoint) ?? new Map<string, Watch>();
    watches.set(endpoint, mine);
    const { pn } = target.account;
    const [oldest] = mine.keys();
    if (!mine.has(pn) && mine.size >= SUBSCRIPTIONS_MAX && oldest !== undefined) mine.delete(oldest);
    const watch = { mode: target.mode, untilMs: tenant.clock.nowMs() + SUBSCRIPTION_MS, asked };
    mine.set(pn, watch);
    tell(endpoint, pn, watch, isOnline(pn));
  }

  return {
    /** `<presence>` of a device: availability, push name or a subscription. */
    presence(from: Sender, node: Node): void {
      const endpoint = tenant.delivery.endpoint(from.pn, from.device);
      if (!endpoint) return;
      const { type } = node.attrs;
      if (type === 'subscribe') subscribe(endpoint, node);
      // One without a type only brings the push name; Baileys also sends it empty, whenever its
      // credentials change.
      else if (type === 'available') setAvailable(endpoint, true);
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
  const group = tenant.groups.resolve(node.attrs.to);
  if (sender && group) {
    groupChatState(tenant, sender, group, node);
    return;
  }
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

/** Goes to the members' devices that are available now, with the writer as `participant`. */
function groupChatState(tenant: Tenant, sender: Account, group: Group, node: Node): void {
  const state = child(node, 'composing') ?? child(node, 'paused');
  if (!state || tenant.groups.role(group.id, sender.pn) === undefined) return;
  const attrs = { from: groupJid(group), participant: memberJid(group, sender) };
  const stanza = el('chatstate', attrs, [el(state.tag, { media: state.attrs.media })]);
  for (const { pn, device } of tenant.groups.devices(group.id)) {
    if (pn === sender.pn || tenant.delivery.endpoint(pn, device)?.isAvailable !== true) continue;
    tenant.delivery.sendNow(pn, device, stanza);
  }
}
