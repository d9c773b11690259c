import { bareJid, child, childrenOf, isGroup, type Node, STATUS_BROADCAST } from '@ponte/engine';
import { type Account, deviceJid } from './accounts.ts';
import { nowSeconds } from './clock.ts';
import type { Parcel } from './delivery.ts';
import { groupReceiptParcels } from './groups/group-receipts.ts';
import { el } from './stanzas.ts';
import type { Sender, Tenant } from './tenant.ts';

/** These say that the message could not be read: it does not count as delivered. */
const NOT_DELIVERED = new Set(['retry', 'server-error']);
/** About the account's own devices; the other side never sees them. */
const TO_OWN_PHONE = new Set(['peer_msg', 'hist_sync', 'server-error']);
const TO_OWN_DEVICES = new Set(['sender', 'read-self', 'played-self']);
/** Also tell the account's other devices what this one has read. */
const SHARED_WITH_OWN = new Set(['read', 'played']);
const IDS_MAX = 2000;
/** As WhatsApp Web sends them (whatsapp-rust 5e7213e6). */
const READ_IDS_MAX = 256;

export interface ReceiptOutcome {
  ack: Node;
  parcels: Parcel[];
  note: string | undefined;
}

/**
 * A receipt frees the mail it names and travels to the devices of the message's author (a retry to
 * the one device that sent it), with the reader's address in the addressing the receipt used.
 * Types: whatsmeow types/presence.go and receipt.go, Baileys messages-recv.js.
 */
export function routeReceipt(tenant: Tenant, from: Sender, receipt: Node): ReceiptOutcome {
  const reader = tenant.accounts.byPn(from.pn);
  const type = receipt.attrs.type ?? '';
  const target = tenant.accounts.resolve(receipt.attrs.to);
  const author = target ?? tenant.accounts.resolve(receipt.attrs.participant);
  free(tenant, from, receipt, type, author?.account.pn);
  const ack = el('ack', {
    class: 'receipt',
    id: receipt.attrs.id,
    from: receipt.attrs.to ?? (reader && deviceJid(reader, 0, 'pn')),
    type: receipt.attrs.type,
    participant: receipt.attrs.participant,
  });
  if (!reader) return { ack, parcels: [], note: 'dropped: unknown reader' };
  if (from.device !== 0 && SHARED_WITH_OWN.has(type) && idsOf(receipt) > READ_IDS_MAX) {
    return { ack, parcels: [], note: 'dropped: more ids than a client may name' };
  }
  if (isGroup(receipt.attrs.to) || receipt.attrs.to === STATUS_BROADCAST)
    return { ack, parcels: groupReceiptParcels(tenant, from, receipt), note: undefined };
  const parcels = receivers(tenant, from, receipt, type).flatMap(({ account, device, mode, recipient }) => {
    if (tenant.delivery.isFull(account.pn, device)) return [];
    const node = forwarded(tenant, reader, from, receipt, mode, recipient);
    return [{ pn: account.pn, device, stanzaClass: 'receipt' as const, sender: from.pn, node }];
  });
  return { ack, parcels, note: parcels.length === 0 ? 'no recipient' : undefined };
}

const idsOf = (receipt: Node): number => 1 + childrenOf(child(receipt, 'list'), 'item').length;

function free(tenant: Tenant, from: Sender, receipt: Node, type: string, author: string | undefined): void {
  if (NOT_DELIVERED.has(type)) return;
  const items = childrenOf(child(receipt, 'list'), 'item').slice(0, IDS_MAX);
  const sender = type === '' || type === 'inactive' ? author : undefined;
  for (const id of [receipt.attrs.id, ...items.map((item) => item.attrs.id)]) {
    if (id !== undefined) tenant.delivery.acknowledge(from, { stanzaClass: 'message', id, sender, all: true });
  }
}

interface Receiver {
  account: Account;
  device: number;
  mode: 'pn' | 'lid';
  recipient: string | undefined;
}

function receivers(tenant: Tenant, from: Sender, receipt: Node, type: string): Receiver[] {
  const own = tenant.accounts.byPn(from.pn);
  const target = tenant.accounts.resolve(receipt.attrs.to);
  if (!own) return [];
  const mode = target?.mode ?? 'pn';
  const chat = receipt.attrs.recipient ?? receipt.attrs.to;
  const recipient = chat === undefined ? undefined : bareJid(chat);
  const ownOthers = (): Receiver[] =>
    devicesOf(tenant, own.pn)
      .filter((device) => device !== from.device)
      .map((device) => ({ account: own, device, mode, recipient }));
  if (TO_OWN_PHONE.has(type)) return from.device === 0 ? [] : [{ account: own, device: 0, mode, recipient: undefined }];
  if (TO_OWN_DEVICES.has(type)) return ownOthers();
  if (!target) return [];
  if (type === 'retry') {
    const author = tenant.accounts.resolve(receipt.attrs.participant) ?? target;
    const isKnown = tenant.accounts.device(author.account.pn, author.device) !== undefined;
    return isKnown
      ? [{ account: author.account, device: author.device, mode, recipient: receipt.attrs.recipient }]
      : [];
  }
  const isOwnChat = target.account.pn === from.pn;
  const theirs = isOwnChat
    ? []
    : devicesOf(tenant, target.account.pn).map((device) => ({
        account: target.account,
        device,
        mode,
        recipient: undefined,
      }));
  return SHARED_WITH_OWN.has(type) || isOwnChat ? [...theirs, ...ownOthers()] : theirs;
}

function devicesOf(tenant: Tenant, pn: string): number[] {
  return tenant.accounts
    .devices(pn)
    .filter((device) => device.identity !== undefined)
    .map((device) => device.id);
}

function forwarded(
  tenant: Tenant,
  reader: Account,
  from: Sender,
  receipt: Node,
  mode: 'pn' | 'lid',
  recipient: string | undefined,
): Node {
  return el(
    'receipt',
    {
      id: receipt.attrs.id,
      from: deviceJid(reader, from.device, mode),
      type: receipt.attrs.type,
      t: receipt.attrs.t ?? String(nowSeconds(tenant.clock)),
      recipient,
    },
    Array.isArray(receipt.content) ? receipt.content : undefined,
  );
}
