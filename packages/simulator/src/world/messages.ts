import {
  bareJid,
  child,
  children,
  formatJid,
  isBot,
  isGroup,
  isNewsletter,
  type Node,
  SERVER_LID,
  SERVER_PN,
  STATUS_BROADCAST,
} from '@ponte/engine';
import { type Account, type Address, deviceJid } from './accounts.ts';
import { routePost } from './channels/posts.ts';
import type { Parcel } from './delivery.ts';
import { routeGroupMessage } from './groups/group-messages.ts';
import {
  ackOf,
  COPY_MAX_BYTES,
  copiesOf,
  type MessageOutcome,
  NOT_PASSED_ON,
  PASSED_ON,
  participantHash,
  refuse,
} from './message-parts.ts';
import { routePrompt } from './prompts.ts';
import { el } from './stanzas.ts';
import { routeStatus } from './status.ts';
import type { Sender, Tenant } from './tenant.ts';

const DEVICES_PER_MESSAGE_MAX = 4000;

/**
 * Routes a message. Groups, channels and statuses have rules of their own. 1:1: every `<to>` (or
 * the device that `to` names) gets its own ciphertext with the sender's address in the same
 * addressing (PN or LID) that was used for it. Decides only; nothing is stored or sent here.
 *
 * Refusals are acks with `error`: 404 for a number that is not on this WhatsApp, 503 when a
 * receiver's mailbox is full, 400 for a stanza without receivers. 404 and 503 are this network's
 * choice; WhatsApp's own codes for them are not documented.
 */
export function routeMessage(tenant: Tenant, from: Sender, message: Node): MessageOutcome {
  const sender = tenant.accounts.byPn(from.pn);
  const to = message.attrs.to ?? '';
  if (isGroup(to)) return routeGroupMessage(tenant, from, message);
  if (isNewsletter(to)) return routePost(tenant, from, message);
  if (to === STATUS_BROADCAST) return routeStatus(tenant, from, message);
  if (isBot(to)) return routePrompt(tenant, from, message);
  const chat = tenant.accounts.resolve(to);
  if (!sender || !message.attrs.id) return refuse(message, 400, 'message without an id');
  if (!chat) return refuse(message, 404, `not on this network: ${to}`);
  const copies = copiesOf(message);
  if (copies.length === 0 || copies.length > DEVICES_PER_MESSAGE_MAX) {
    return refuse(message, 400, 'message without receivers, or with too many');
  }
  const isBlocked = tenant.settings.get(chat.account.pn, 'block', from.pn) !== undefined;
  const parcels: Parcel[] = [];
  const reached = new Set<string>();
  for (const copy of copies) {
    const target = tenant.accounts.resolve(copy.jid);
    const isOwn = target?.account.pn === from.pn;
    // A copy can go to the chat's devices and to the sender's other devices, to no others.
    if (!target || (!isOwn && target.account.pn !== chat.account.pn)) continue;
    if (isOwn && target.device === from.device) continue;
    if (!tenant.accounts.device(target.account.pn, target.device)) continue;
    reached.add(`${target.account.pn}:${target.device}`);
    if (isBlocked && !isOwn) continue;
    if (copy.enc.reduce((sum, enc) => sum + size(enc), 0) > COPY_MAX_BYTES) return refuse(message, 400, 'too large');
    if (tenant.delivery.isFull(target.account.pn, target.device)) {
      return refuse(message, 503, `the mailbox of ${copy.jid} is full`);
    }
    const node = copyFor({ tenant, message, sender, from, chat, target, enc: copy.enc });
    parcels.push({ pn: target.account.pn, device: target.device, stanzaClass: 'message', sender: from.pn, node });
  }
  const phash = message.attrs.phash === undefined ? undefined : correctedHash(tenant, from, sender, chat, reached);
  return { ack: ackOf(message, { phash }), parcels, note: undefined };
}

interface Copy {
  tenant: Tenant;
  message: Node;
  sender: Account;
  from: Sender;
  chat: Address;
  target: Address;
  enc: Node[];
}

function copyFor({ tenant, message, sender, from, chat, target, enc }: Copy): Node {
  const isOwn = target.account.pn === sender.pn;
  const isLid = target.mode === 'lid';
  const attrs: Record<string, string | undefined> = {
    id: message.attrs.id,
    from: deviceJid(sender, from.device, target.mode),
    t: message.attrs.t,
    notify: sender.name,
    sender_username: isOwn ? undefined : tenant.settings.get(sender.pn, 'username', ''),
  };
  for (const name of PASSED_ON) attrs[name] = message.attrs[name];
  if (!isOwn) {
    if (!isLid) attrs.sender_lid = formatJid(sender.lid, SERVER_LID);
    else if (!sender.isLidOnly) attrs.sender_pn = formatJid(sender.pn, SERVER_PN);
  } else if (message.attrs.category !== 'peer') {
    // A copy of what another device of the same account sent: says to whom. Peer messages concern
    // the devices only.
    attrs.recipient = bareJid(message.attrs.recipient ?? message.attrs.to ?? '');
    const other = tenant.accounts.resolve(attrs.recipient) ?? chat;
    if (other.mode === 'pn') attrs.peer_recipient_lid = formatJid(other.account.lid, SERVER_LID);
    else if (!other.account.isLidOnly) attrs.peer_recipient_pn = formatJid(other.account.pn, SERVER_PN);
  }
  const content = [...enc, ...children(message).filter((node) => !NOT_PASSED_ON.has(node.tag))];
  const identity = child(message, 'device-identity');
  if (identity && enc.some((node) => node.attrs.type === 'pkmsg')) content.push(identity);
  return el('message', attrs, content);
}

/**
 * Undefined when every device of both accounts was reached; otherwise the hash the sender's list
 * should have had.
 */
function correctedHash(
  tenant: Tenant,
  from: Sender,
  sender: Account,
  chat: Address,
  reached: Set<string>,
): string | undefined {
  const own = tenant.accounts.devices(from.pn).filter((device) => device.id !== from.device);
  const theirs = chat.account.pn === from.pn ? [] : tenant.accounts.devices(chat.account.pn);
  const all = [...own, ...theirs].filter((device) => device.identity !== undefined);
  if (all.every((device) => reached.has(`${device.pn}:${device.id}`))) return undefined;
  return participantHash(
    all.map((device) => deviceJid(device.pn === from.pn ? sender : chat.account, device.id, chat.mode)),
  );
}

function size(node: Node): number {
  return node.content instanceof Uint8Array || typeof node.content === 'string' ? node.content.length : 0;
}
