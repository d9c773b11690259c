import { isLid, isPn, parseChat } from '@ponte/engine';
import { InputError } from '../phone/content/input.ts';
import { KINDS } from '../phone/content/kinds.ts';
import { MEDIA_KINDS } from '../phone/media/media-kinds.ts';
import type { Phone } from '../phone/phone.ts';
import { chatField, onlinePhoneOf, phoneOf } from './addresses.ts';
import { inboxItem } from './inbox-view.ts';
import type { ControlAnswer, ControlCall, Route } from './route.ts';

const MAX_MENTIONS = 1024;
/** A year; WhatsApp offers 24 hours, 7 and 90 days. */
const MAX_EPHEMERAL_S = 31_536_000;
const MAX_RECEIPT_IDS = 1000;
const RECEIPTS = ['delivered', 'read', 'played'] as const;

/** What a phone writes and what it has read. */
export const MESSAGE_ROUTES: readonly Route[] = [
  ['POST', '/phones/{phone}/messages', sendMessage],
  ['POST', '/phones/{phone}/receipts', sendReceipts],
  ['GET', '/phones/{phone}/inbox', inbox],
];

async function sendMessage(call: ControlCall): Promise<ControlAnswer> {
  const { body } = call;
  const type = body.choice(
    'type',
    KINDS.map((kind) => kind.type),
  );
  const kind = KINDS.find((candidate) => candidate.type === type);
  if (!kind) throw new InputError('type', 'is not known');
  if (body.flag('view_once') && !MEDIA_KINDS.some((media) => media.type === type)) {
    throw new InputError('view_once', `a ${type} cannot be viewed once`);
  }
  const to = chatField(body, 'to');
  const phone = await onlinePhoneOf(call);
  const named = body.optionalTexts('mentions', MAX_MENTIONS);
  const isMentioningAll = named.includes('all');
  const mentions = named.flatMap((mention, index) => {
    if (mention === 'all') return [];
    const jid = parseChat(mention);
    if (!isPn(jid) && !isLid(jid))
      throw new InputError(`mentions[${index}]`, 'must be a phone number, a JID of a person, or all');
    return [jid ?? mention];
  });
  const sent = await phone.send(to, kind, body, {
    quotedMessageId: body.optionalText('quoted_message_id', 128),
    mentions,
    isMentioningAll,
    isForwarded: body.flag('forwarded'),
    ephemeralSeconds: body.has('ephemeral_seconds') ? body.integer('ephemeral_seconds', 1, MAX_EPHEMERAL_S) : undefined,
  });
  return { status: 201, body: { message_id: sent.messageId, timestamp: sent.timestamp } };
}

async function sendReceipts(call: ControlCall): Promise<ControlAnswer> {
  const { body } = call;
  const to = chatField(body, 'to');
  const type = body.choice('type', RECEIPTS);
  const messageIds = body.texts('message_ids', 1, MAX_RECEIPT_IDS);
  const phone = await onlinePhoneOf(call);
  phone.sendReceipts(to, messageIds, type);
  return { status: 200, body: { message_ids: messageIds, type } };
}

async function inbox(call: ControlCall): Promise<ControlAnswer> {
  const phone = await phoneOf(call);
  const chat = call.query.chat ? parseChat(call.query.chat) : undefined;
  if (call.query.chat && chat === undefined) throw new InputError('chat', 'must be a phone number or a JID');
  const rows = phone.inbox.page({
    after: cursor(phone, call.query.after),
    chat: chat === undefined ? undefined : phone.shown(chat),
    isWithOwnSends: call.query.sent === 'true',
  });
  return { status: 200, body: rows.map(inboxItem) };
}

// `after` is the cursor of an item, or the id of its message.
function cursor(phone: Phone, after: string | undefined): number {
  if (after === undefined || after === '') return 0;
  const rows = phone.inbox.page({ after: 0, chat: undefined, isWithOwnSends: true });
  const row = rows.findLast(({ value }) => value.messageId === after);
  if (row) return row.seq;
  if (!/^\d{1,15}$/.test(after)) {
    throw new InputError('after', 'must be the cursor or the message_id of an item of this inbox');
  }
  return Number(after);
}
