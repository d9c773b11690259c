import { isGroup, type Jid } from '@ponte/engine';
import { Input, InputError } from '../phone/content/input.ts';
import type { ContentKind } from '../phone/content/kind.ts';
import { KINDS } from '../phone/content/kinds.ts';
import type { Phone } from '../phone/phone.ts';
import { chatField, contactField, phoneOf } from './addresses.ts';
import type { ControlAnswer, ControlCall, Route } from './route.ts';

const CHATS_MAX = 1000;
const MESSAGES_MAX = 5000;
const TYPES = KINDS.map((kind) => kind.type);

/** The past of a phone: given before a scan, it reaches the line as history sync. */
export const HISTORY_ROUTES: readonly Route[] = [
  ['POST', '/phones/{phone}/history', addHistory],
  ['GET', '/phones/{phone}/history', sentParts],
];

interface Wanted {
  from: Jid | undefined;
  at: number;
  kind: ContentKind;
  input: Input;
}

async function addHistory(call: ControlCall): Promise<ControlAnswer> {
  const chats = listOf(call.body, 'chats', CHATS_MAX).map((chat) => ({
    chat,
    with: chatField(chat, 'with'),
    messages: listOf(chat, 'messages', MESSAGES_MAX),
  }));
  const phone = await phoneOf(call);
  let count = 0;
  for (const { chat, with: jid, messages } of chats) {
    const chatJid = await phone.wire(jid);
    const wanted: Wanted[] = [];
    for (const message of messages) wanted.push(await oldMessage(phone, chatJid, message));
    await phone.publishing.addHistory(
      {
        chatJid,
        ...(chat.has('name') ? { name: chat.text('name', 100) } : {}),
        unread: chat.integer('unread', 0, 1_000_000, 0),
        isArchived: chat.flag('archived'),
        isPinned: chat.flag('pinned'),
      },
      wanted,
    );
    count += wanted.length;
  }
  return { status: 201, body: { chats: chats.length, messages: count } };
}

async function oldMessage(phone: Phone, chatJid: Jid, input: Input): Promise<Wanted> {
  const type = input.has('type') ? input.choice('type', TYPES) : 'text';
  const kind = KINDS.find((candidate) => candidate.type === type);
  if (!kind) throw new InputError('type', 'is not known');
  const at = input.integer('timestamp', 0, 2 ** 32);
  if (input.flag('from_me')) return { from: undefined, at, kind, input };
  if (!isGroup(chatJid)) return { from: chatJid, at, kind, input };
  return { from: await phone.wire(contactField(input, 'from')), at, kind, input };
}

async function sentParts(call: ControlCall): Promise<ControlAnswer> {
  const { sync } = await phoneOf(call);
  const body = sync.history.parts.map(({ device, messageId, type, chunk, progress, isInline, state }) => {
    return { device, message_id: messageId, type, chunk, progress, inline: isInline, state };
  });
  return { status: 200, body };
}

function listOf(body: Input, name: string, max: number): Input[] {
  const value: unknown = body.all()[name];
  if (!Array.isArray(value) || value.length > max)
    throw new InputError(name, `must be a list of at most ${max} objects`);
  return value.map((item: unknown) => new Input(item));
}
