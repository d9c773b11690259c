import type { Json } from './json.ts';

/**
 * `phone` of a tool takes what names a chat: a number, or the jid of a group. The rows tell the two
 * apart.
 */
export function chatOfPhone({ phone, ...rest }: Json): Json {
  const isJid = typeof phone === 'string' && phone.includes('@');
  return isJid ? { ...rest, jid: phone } : { ...rest, phone };
}

export const phoneOrJid: Json = {
  type: 'string',
  maxLength: 128,
  description:
    'The chat: a phone number in international form (+34600000000), or a jid from bridge_get_chats (groups).',
};
