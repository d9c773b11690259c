import type { Jid } from '@ponte/engine';
import { Input, InputError } from '../phone/content/input.ts';
import type { Phone } from '../phone/phone.ts';
import type { ChatChange } from '../phone/sync/chat-settings.ts';
import type { ChatView } from '../phone/sync/phone-sync.ts';
import { chatOf, contactField, contactOf, onlinePhoneOf, phoneOf, phoneParam } from './addresses.ts';
import type { ControlAnswer, ControlCall, Route } from './route.ts';

const CONTACTS_MAX = 2000;
/** A year, as WhatsApp's own limit of other times is not documented. */
const TIMER_MAX_S = 31_536_000;

/**
 * What the owner of a phone sets for chats and contacts: it travels to the linked lines as app
 * state, and theirs comes back here.
 */
export const CHAT_ROUTES: readonly Route[] = [
  ['GET', '/phones/{phone}/chats', chats],
  ['PATCH', '/phones/{phone}/chats/{chat}', changeChat],
  ['POST', '/phones/{phone}/contacts', nameContacts],
  ['GET', '/phones/{phone}/app-state', appState],
  ['POST', '/phones/{phone}/app-state/rotate-key', rotateKey],
  ['POST', '/phones/{phone}/lid-migration', migrate],
];

async function chats(call: ControlCall): Promise<ControlAnswer> {
  const phone = await phoneOf(call);
  const body = phone.sync.chats().map((chat) => {
    const activity = phone.activities.of(chat.chat);
    return { ...chatItem(phone, chat), ...(activity ? { typing: activity } : {}) };
  });
  return { status: 200, body };
}

async function changeChat(call: ControlCall): Promise<ControlAnswer> {
  const { body } = call;
  const jid: Jid = chatOf(call.params.chat ?? '', 'chat');
  const change: ChatChange = {};
  if (body.has('archived')) change.isArchived = body.flag('archived');
  if (body.has('pinned')) change.isPinned = body.flag('pinned');
  if (body.has('muted_until')) {
    const until = body.integer('muted_until', -1, 2 ** 40);
    change.mutedUntilMs = until < 0 ? -1 : until * 1000;
  }
  if (body.has('unread')) change.isUnread = body.flag('unread');
  if (body.has('name')) change.name = body.optionalText('name', 100) ?? '';
  const seconds = body.has('ephemeral_seconds') ? body.integer('ephemeral_seconds', 0, TIMER_MAX_S) : undefined;
  if (Object.keys(change).length === 0 && seconds === undefined) {
    throw new InputError(
      'body',
      'must have at least one of archived, pinned, muted_until, unread, name, ephemeral_seconds',
    );
  }
  if (seconds !== undefined) contactOf(call.params.chat ?? '', 'chat');
  if (change.name !== undefined) contactOf(call.params.chat ?? '', 'chat');
  const phone = await onlinePhoneOf(call);
  if (seconds !== undefined) await phone.setTimer(jid, seconds);
  if (Object.keys(change).length > 0) await phone.sync.changeChat(jid, change);
  const shown = phone.shown(jid);
  const view = phone.sync.chats().find(({ chat }) => chat === shown);
  return { status: 200, body: chatItem(phone, view ?? { chat: shown, lastMessageAt: 0, unread: 0 }) };
}

async function nameContacts(call: ControlCall): Promise<ControlAnswer> {
  const given: unknown = call.body.all().contacts;
  if (!Array.isArray(given) || given.length === 0 || given.length > CONTACTS_MAX) {
    throw new InputError('contacts', `must be a list of 1 to ${CONTACTS_MAX} {phone, name}`);
  }
  const contacts = given.map((entry: unknown) => {
    const contact = new Input(entry);
    return { jid: contactField(contact, 'phone'), name: contact.text('name', 100) };
  });
  const phone = await onlinePhoneOf(call);
  await phone.sync.nameContacts(contacts);
  return { status: 200, body: { contacts: contacts.length } };
}

async function migrate(call: ControlCall): Promise<ControlAnswer> {
  const phone = await onlinePhoneOf(call);
  await call.world.updateSettings(call.tenant, phoneParam(call), { addressing: 'lid' });
  return { status: 200, body: await phone.sync.announceLids() };
}

async function appState(call: ControlCall): Promise<ControlAnswer> {
  const { sync } = await phoneOf(call);
  const keys = sync.appState.keys.all().map(({ id }) => Buffer.from(id).toString('hex'));
  return { status: 200, body: { versions: sync.appState.versions(), keys, problems: sync.appState.problems } };
}

async function rotateKey(call: ControlCall): Promise<ControlAnswer> {
  const phone = await onlinePhoneOf(call);
  await phone.sync.companions.rotateKeys();
  return appState(call);
}

function chatItem(phone: Phone, chat: ChatView): Record<string, unknown> {
  return {
    chat: chat.chat,
    ...(chat.name === undefined ? {} : { name: chat.name }),
    last_message_at: chat.lastMessageAt,
    unread: chat.unread,
    ephemeral_seconds: phone.timers.of(chat.chat)?.seconds ?? 0,
    marked_unread: chat.isMarkedUnread ?? false,
    archived: chat.isArchived ?? false,
    pinned: chat.isPinned ?? false,
    muted_until:
      chat.mutedUntilMs === undefined ? null : chat.mutedUntilMs < 0 ? -1 : Math.floor(chat.mutedUntilMs / 1000),
  };
}
