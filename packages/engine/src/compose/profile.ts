import type { StatusAudience } from '../account.ts';
import type { Jid } from '../address.ts';
import { child, childrenOf, type Node } from '../node.ts';
import { personJid } from '../parse/party.ts';

const SERVER = '@s.whatsapp.net';
/** The GraphQL mutation for the About text (whatsmeow user.go SetStatusMessage, since 2026-08). */
const MEX_UPDATE_ABOUT = '9152604461510864';
const QR_PREFIX = 'https://wa.me/qr/';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function iq(type: 'get' | 'set', xmlns: string, content: Node[], attrs: Record<string, string> = {}): Node {
  return { tag: 'iq', attrs: { to: SERVER, type, xmlns, ...attrs }, content };
}

/** Sets the About text, as WhatsApp Web does now. */
export const setAboutByMex = (text: string): Node =>
  iq('get', 'w:mex', [
    {
      tag: 'query',
      attrs: { query_id: MEX_UPDATE_ABOUT },
      content: utf8(JSON.stringify({ variables: { input: { text } } })),
    },
  ]);

/** Sets the About text, as every client did before. */
export const setAboutByIq = (text: string): Node =>
  iq('set', 'status', [{ tag: 'status', attrs: {}, content: utf8(text) }]);

/** Asks for the code of the account's own QR (whatsmeow user.go GetContactQRLink). */
export const contactQr = (): Node => iq('set', 'w:qr', [{ tag: 'qr', attrs: { type: 'contact', action: 'get' } }]);

/** The link in the answer to `contactQr`; undefined when there is none. */
export function parseContactQr(answer: Node): string | undefined {
  const code = child(answer, 'qr')?.attrs.code;
  return code === undefined || code === '' ? undefined : QR_PREFIX + code;
}

/** Asks who sees status updates (whatsmeow broadcast.go GetStatusPrivacy). */
export const statusAudience = (): Node => iq('get', 'status', [{ tag: 'privacy', attrs: {} }]);

/**
 * The lists in the answer to `statusAudience`, the one in force first. An answer without lists
 * means WhatsApp's default: all contacts.
 */
export function parseStatusAudience(answer: Node): StatusAudience[] {
  const lists = childrenOf(child(answer, 'privacy'), 'list').flatMap((list): StatusAudience[] => {
    const { type } = list.attrs;
    if (type !== 'contacts' && type !== 'whitelist' && type !== 'blacklist') return [];
    const people = childrenOf(list, 'user').flatMap(({ attrs }) => (attrs.jid ? [personJid(attrs.jid)] : []));
    return [{ type, people, isDefault: list.attrs.default === 'true' }];
  });
  if (lists.length === 0) return [{ type: 'contacts', people: [], isDefault: true }];
  return lists.sort((a, b) => Number(b.isDefault) - Number(a.isDefault));
}

/**
 * Asks where a picture lies. `proof` is that person's privacy token; never given for the own
 * picture, which WhatsApp would not answer.
 */
export function pictureOf(target: Jid, proof: Node | undefined): Node {
  const picture = { tag: 'picture', attrs: { type: 'image', query: 'url' }, ...(proof ? { content: [proof] } : {}) };
  return iq('get', 'w:profile:picture', [picture], { target });
}

/** Id and URL in the answer to `pictureOf`; undefined when there is no picture. */
export function parsePictureUrl(answer: Node): { id: string; url: string } | undefined {
  const { id, url } = child(answer, 'picture')?.attrs ?? {};
  return url === undefined ? undefined : { id: id ?? '', url };
}

export const setPicture = (jpeg: Uint8Array): Node =>
  iq('set', 'w:profile:picture', [{ tag: 'picture', attrs: { type: 'image' }, content: jpeg }]);

export const removePicture = (): Node => iq('set', 'w:profile:picture', []);
