import { bytes, child, children, childrenOf, formatJid, type Node, SERVER_LID, SERVER_PN } from '@ponte/engine';
import type { Account } from '../accounts.ts';
import type { Parcel } from '../delivery.ts';
import {
  ackOf,
  COPY_MAX_BYTES,
  copyIn,
  type MessageOutcome,
  NOT_PASSED_ON,
  PASSED_ON,
  participantHash,
  refuse,
} from '../message-parts.ts';
import { definedOnly, el } from '../stanzas.ts';
import type { Sender, Tenant } from '../tenant.ts';
import { type Group, groupJid, type MemberDevice, memberJid } from './groups.ts';

const REVOKED_BY_ADMIN = '8';

/**
 * Routes a group message: the `<enc type="skmsg">` goes to every device of every member but the
 * sending one, preceded by the `<participants>` entry of that device (the sender key), if it has
 * one. With `participant` it is an answer to a retry receipt and goes to that one device. Entries
 * for devices of non-members are dropped. Decides only; nothing is stored or sent here.
 *
 * Refusals are acks with `error`: 404 for a group that is not there, 403 for senders who are no
 * members or may not write here, 503 when no mailbox has room. WhatsApp's own codes for them are
 * not documented. A `phash` that does not fit the devices of the group is answered with the right
 * one, and the message is delivered all the same (whatsmeow send.go).
 */
export function routeGroupMessage(tenant: Tenant, from: Sender, message: Node): MessageOutcome {
  const sender = tenant.accounts.byPn(from.pn);
  const group = tenant.groups.resolve(message.attrs.to);
  if (!sender || !message.attrs.id) return refuse(message, 400, 'message without an id');
  if (!group) return refuse(message, 404, `no such group: ${message.attrs.to}`);
  const role = tenant.groups.role(group.id, from.pn);
  if (role === undefined) return refuse(message, 403, 'the sender is no member of this group');
  // Clients rely on the server here: only admins may revoke messages of others.
  if (message.attrs.edit === REVOKED_BY_ADMIN && role === '') {
    return refuse(message, 403, 'only admins delete messages of others');
  }
  if (group.isAnnounce && role === '') return refuse(message, 403, 'only admins write in this group');
  const shared = childrenOf(message, 'enc');
  const own = ownCopies(tenant, message);
  if (size(shared) > COPY_MAX_BYTES || [...own.values()].some((copy) => size(copy) > COPY_MAX_BYTES)) {
    return refuse(message, 400, 'too large');
  }
  const devices = tenant.groups.devices(group.id);
  const receivers = addressees(tenant, from, message, devices);
  const attrs = attrsFor(from, sender, group, message);
  const content = children(message).filter((node) => !NOT_PASSED_ON.has(node.tag));
  const forMost = el('message', attrs, [...shared, ...content]);
  const parcels: Parcel[] = [];
  let isFull = false;
  for (const { pn, device } of receivers) {
    if (tenant.delivery.isFull(pn, device)) {
      isFull = true;
      continue;
    }
    const enc = own.get(`${pn}:${device}`) ?? [];
    const isWithheld = enc.some(({ tag }) => tag === 'unavailable');
    const node = isWithheld
      ? el('message', attrs, [...enc, ...content])
      : enc.length > 0 || hasPkmsg(shared)
        ? el('message', attrs, withIdentity(message, [...enc, ...shared], content))
        : forMost;
    parcels.push({ pn, device, stanzaClass: 'message', sender: from.pn, node });
  }
  if (isFull && parcels.length === 0) return refuse(message, 503, 'every mailbox is full');
  return { ack: ackOf(message, { phash: correctedHash(group, message, devices) }), parcels, note: undefined };
}

function attrsFor(from: Sender, sender: Account, group: Group, message: Node): Record<string, string> {
  const passed = Object.fromEntries(PASSED_ON.map((name) => [name, message.attrs[name]]));
  const isPnKnown = group.mode === 'lid' && !sender.isLidOnly;
  return definedOnly({
    id: message.attrs.id,
    from: groupJid(group),
    participant: memberJid(group, sender, from.device),
    participant_pn: isPnKnown ? formatJid(sender.pn, SERVER_PN) : undefined,
    participant_lid: group.mode === 'pn' ? formatJid(sender.lid, SERVER_LID) : undefined,
    addressing_mode: group.mode,
    t: message.attrs.t,
    notify: sender.name,
    ...passed,
  });
}

function addressees(tenant: Tenant, from: Sender, message: Node, devices: MemberDevice[]): MemberDevice[] {
  const others = devices.filter(({ pn, device }) => pn !== from.pn || device !== from.device);
  if (message.attrs.participant === undefined) return others;
  const one = tenant.accounts.resolve(message.attrs.participant);
  return others.filter(({ pn, device }) => pn === one?.account.pn && device === one.device);
}

function ownCopies(tenant: Tenant, message: Node): Map<string, Node[]> {
  const copies = new Map<string, Node[]>();
  for (const to of childrenOf(child(message, 'participants'), 'to')) {
    const address = tenant.accounts.resolve(to.attrs.jid);
    if (address) copies.set(`${address.account.pn}:${address.device}`, copyIn(to));
  }
  return copies;
}

function withIdentity(message: Node, enc: Node[], content: Node[]): Node[] {
  const identity = child(message, 'device-identity');
  return identity && hasPkmsg(enc) ? [...enc, ...content, identity] : [...enc, ...content];
}

function hasPkmsg(enc: Node[]): boolean {
  return enc.some((node) => node.attrs.type === 'pkmsg');
}

function correctedHash(group: Group, message: Node, devices: MemberDevice[]): string | undefined {
  const { phash, participant } = message.attrs;
  if (phash === undefined || participant !== undefined) return undefined;
  const hash = participantHash(devices.map((member) => memberJid(group, member, member.device)));
  return hash === phash ? undefined : hash;
}

function size(enc: Node[]): number {
  return enc.reduce((sum, node) => sum + (bytes(node)?.length ?? 0), 0);
}
