import { children, formatJid, type Node, SERVER_PN } from '@ponte/engine';
import { type Account, type Address, deviceJid } from './accounts.ts';
import { answerCallLink } from './call-links.ts';
import { nowSeconds } from './clock.ts';
import type { Parcel } from './delivery.ts';
import { privacyOf } from './privacy.ts';
import { hexId } from './rng.ts';
import { el } from './stanzas.ts';
import type { Sender, Tenant } from './tenant.ts';

/**
 * Signals between the two sides that this network carries; `enc_rekey` and the like belong to media
 * and go nowhere.
 */
const SIGNALS = new Set(['offer', 'preaccept', 'accept', 'reject', 'terminate', 'transport', 'relaylatency']);
/**
 * The callee's answer on one device stops the ringing on the others (whatsmeow
 * events.CallTerminate: `accepted_elsewhere`).
 */
const ELSEWHERE: Record<string, string> = { accept: 'accepted_elsewhere', reject: 'rejected_elsewhere' };

export interface CallOutcome {
  ack: Node;
  parcels: Parcel[];
  note: string | undefined;
}

/**
 * Routes the signalling of a 1:1 call: an offer rings every device of the callee, an answer goes
 * back to the caller's devices and stops the ringing on the callee's other ones. What a device
 * sends on is answered with an ack in any case, as WhatsApp does. A wish for a link to a call is
 * answered by the server itself.
 */
export function routeCall(tenant: Tenant, from: Sender, call: Node): CallOutcome {
  const [event] = children(call);
  const sender = tenant.accounts.byPn(from.pn);
  const target = tenant.accounts.resolve(call.attrs.to);
  if (sender && event?.tag === 'link_create') {
    return { ack: answerCallLink(tenant, call, event), parcels: [], note: undefined };
  }
  const ack = el('ack', { class: 'call', id: call.attrs.id, from: call.attrs.to, type: event?.tag });
  if (!sender || !event || !SIGNALS.has(event.tag) || !event.attrs['call-id'])
    return { ack, parcels: [], note: 'dropped' };
  if (!target) return { ack, parcels: [], note: `not on this network: ${call.attrs.to}` };
  if (!mayCall(tenant, from.pn, target.account.pn)) return { ack, parcels: [], note: 'not wanted' };
  const parcels = devices(tenant, target.account.pn).map((device) =>
    parcelTo(
      tenant,
      { pn: target.account.pn, device },
      from.pn,
      signalFor({ tenant, sender, from, target, call, event }),
    ),
  );
  const reason = ELSEWHERE[event.tag];
  const isAnswer = reason !== undefined && target.account.pn !== from.pn;
  if (!isAnswer) return { ack, parcels, note: undefined };
  const others = devices(tenant, from.pn)
    .filter((device) => device !== from.device)
    .map((device) => {
      const stop = el('terminate', {
        'call-id': event.attrs['call-id'],
        'call-creator': event.attrs['call-creator'],
        reason: event.attrs.reason ?? reason,
      });
      const caller = deviceJid(target.account, target.device, target.mode);
      return parcelTo(tenant, { pn: from.pn, device }, target.account.pn, callNode(tenant, caller, {}, stop));
    });
  return { ack, parcels: [...parcels, ...others], note: undefined };
}

function mayCall(tenant: Tenant, caller: string, callee: string): boolean {
  if (tenant.settings.get(callee, 'block', caller) !== undefined) return false;
  return privacyOf(tenant, callee, 'calladd') !== 'known' || tenant.peers.of(callee).includes(caller);
}

interface Signal {
  tenant: Tenant;
  sender: Account;
  from: Sender;
  target: Address;
  call: Node;
  event: Node;
}

function signalFor({ tenant, sender, from, target, call, event }: Signal): Node {
  const device = tenant.accounts.device(from.pn, from.device);
  const platform = call.attrs.platform ?? (from.device === 0 ? 'android' : 'web');
  const version = call.attrs.version ?? device?.platform;
  const isOffer = event.tag === 'offer';
  const pn = isOffer && target.mode === 'lid' && !sender.isLidOnly ? formatJid(sender.pn, SERVER_PN) : undefined;
  const creator = event.attrs['call-creator'] ?? deviceJid(sender, from.device, target.mode);
  const attrs = { ...event.attrs, 'call-creator': creator, ...(pn === undefined ? {} : { caller_pn: pn }) };
  const inner = { ...event, attrs };
  return callNode(
    tenant,
    deviceJid(sender, from.device, target.mode),
    { platform, version, notify: sender.name },
    inner,
  );
}

function callNode(tenant: Tenant, from: string, attrs: Record<string, string | undefined>, event: Node): Node {
  const t = String(nowSeconds(tenant.clock));
  return el('call', { from, id: hexId(tenant.rng, 8), t, ...attrs }, [event]);
}

function parcelTo(tenant: Tenant, to: { pn: string; device: number }, sender: string, node: Node): Parcel {
  // Every device acknowledges its own copy: the ids must differ.
  const attrs = { ...node.attrs, id: hexId(tenant.rng, 8) };
  return { ...to, stanzaClass: 'call', sender, node: { ...node, attrs } };
}

function devices(tenant: Tenant, pn: string): number[] {
  return tenant.accounts
    .devices(pn)
    .filter((device) => device.identity !== undefined && !tenant.delivery.isFull(pn, device.id))
    .map((device) => device.id);
}
