import type { Node } from '@ponte/engine';
import { el } from './stanzas.ts';
import type { Tenant } from './tenant.ts';

const MEDIA = new Set(['audio', 'video']);
/** Tokens of call.whatsapp.com have 22 characters of this alphabet. */
const TOKEN_CHARS = 22;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * Answers `<call to="@call"><link_create media>`: a token for
 * https://call.whatsapp.com/{voice|video}/{token} (Baileys chats.js, createCallLink). Such a call
 * cannot be joined here. 400 for any other media.
 */
export function answerCallLink(tenant: Tenant, call: Node, wanted: Node): Node {
  const attrs = { class: 'call', id: call.attrs.id, from: call.attrs.to, type: wanted.tag };
  const { media } = wanted.attrs;
  if (media === undefined || !MEDIA.has(media)) {
    return el('ack', { ...attrs, error: '400' }, [el('error', { code: '400', text: 'bad-request' })]);
  }
  const token = Array.from({ length: TOKEN_CHARS }, () => ALPHABET.charAt(tenant.rng.int(ALPHABET.length))).join('');
  return el('ack', attrs, [el('link_create', { media, token })]);
}
