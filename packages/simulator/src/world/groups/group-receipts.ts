import { child, childrenOf, type Node, STATUS_BROADCAST } from '@ponte/engine';
import { nowSeconds } from '../clock.ts';
import type { Parcel } from '../delivery.ts';
import { el } from '../stanzas.ts';
import type { Sender, Tenant } from '../tenant.ts';
import { memberJid } from './groups.ts';

/** Also tell the reader's other devices. */
const SHARED_WITH_OWN = new Set(['read', 'played']);
/** Receipts of several members that the server may say in one stanza. */
const SUMMED_UP = new Set(['', 'read', 'played']);
const OWN_ONLY = new Set(['sender', 'read-self', 'played-self']);

/**
 * Where a receipt for a group message or a status goes: to the devices of the author that
 * `participant` names (a retry to exactly that device), and what was read also to the reader's
 * other devices. It comes from the group, with the reader as `participant`.
 */
export function groupReceiptParcels(tenant: Tenant, from: Sender, receipt: Node): Parcel[] {
  const isStatus = receipt.attrs.to === STATUS_BROADCAST;
  const group = isStatus ? undefined : tenant.groups.resolve(receipt.attrs.to);
  const reader = tenant.accounts.byPn(from.pn);
  const author = tenant.accounts.resolve(receipt.attrs.participant);
  const isReader = isStatus || (group && tenant.groups.role(group.id, from.pn) !== undefined);
  if (!reader || !isReader) return [];
  // A status has no addressing of its own: the one that its author was named by.
  const mode = group?.mode ?? author?.mode ?? 'lid';
  const type = receipt.attrs.type ?? '';
  const node = el(
    'receipt',
    {
      id: receipt.attrs.id,
      from: receipt.attrs.to,
      participant: memberJid({ mode }, reader, from.device),
      type: receipt.attrs.type,
      t: receipt.attrs.t ?? String(nowSeconds(tenant.clock)),
    },
    Array.isArray(receipt.content) ? receipt.content : undefined,
  );
  const isOwn = author?.account.pn === from.pn;
  const targets: { pn: string; device: number }[] = [];
  if (author && type === 'retry') targets.push({ pn: author.account.pn, device: author.device });
  else {
    if (author && !isOwn && !OWN_ONLY.has(type)) targets.push(...devicesOf(tenant, author.account.pn));
    if (isOwn || SHARED_WITH_OWN.has(type) || OWN_ONLY.has(type)) {
      targets.push(...devicesOf(tenant, from.pn).filter(({ device }) => device !== from.device));
    }
  }
  return targets
    .filter(({ pn, device }) => tenant.accounts.device(pn, device) && !tenant.delivery.isFull(pn, device))
    .map(({ pn, device }) => {
      const parcel: Parcel = { pn, device, stanzaClass: 'receipt', sender: from.pn, node };
      return SUMMED_UP.has(type) ? summedUp(tenant, parcel) : parcel;
    });
}

/**
 * What members of a group say of one message while its author's device is away comes to it as one
 * receipt, with a `<user jid t>` for each of them (whatsmeow receipt.go, handleGroupedReceipt;
 * Baileys does not read it). Phones that have not been started are not away.
 */
function summedUp(tenant: Tenant, parcel: Parcel): Parcel {
  const { pn, device, node } = parcel;
  const { id = '', from, type, participant: jid, t } = node.attrs;
  const isAway = device !== 0 && tenant.delivery.endpoint(pn, device) === undefined;
  if (!isAway || node.content !== undefined) return parcel;
  const waiting = tenant.queue.waiting(pn, device, 'receipt', id).find(({ node: { attrs, content } }) => {
    return attrs.from === from && attrs.type === type && (attrs.participant === undefined || content === undefined);
  });
  if (!waiting) return parcel;
  const { attrs } = waiting.node;
  const earlier =
    attrs.participant === undefined
      ? childrenOf(child(waiting.node, 'participants'), 'user')
      : [el('user', { jid: attrs.participant, t: attrs.t })];
  const users = [...earlier.filter((user) => user.attrs.jid !== jid), el('user', { jid, t })];
  const sum = el('receipt', { id, from, type, t }, [el('participants', { key: id }, users)]);
  return { ...parcel, node: sum, replacesSeq: waiting.seq };
}

function devicesOf(tenant: Tenant, pn: string): { pn: string; device: number }[] {
  return tenant.accounts
    .devices(pn)
    .filter((device) => device.identity !== undefined)
    .map((device) => ({ pn, device: device.id }));
}
