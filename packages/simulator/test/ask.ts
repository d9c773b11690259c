import type { Node as Stanza } from '@ponte/engine';
import type { BaileysLine } from './baileys-line.ts';

type Query = NonNullable<BaileysLine['sock']>['query'];

/**
 * A query that stock Baileys has no function for, sent by it as it sends its own. Rejects with the
 * error's code in `data`.
 */
export async function ask(
  line: BaileysLine,
  xmlns: string,
  type: 'get' | 'set',
  content: Stanza[],
  attrs: Record<string, string> = {},
): Promise<Stanza> {
  const iq = { tag: 'iq', attrs: { to: '@s.whatsapp.net', xmlns, type, ...attrs }, content };
  const answer: unknown = await line.sock?.query(iq as Parameters<Query>[0]);
  return answer as Stanza;
}

export const stanza = (tag: string, attrs: Record<string, string> = {}, content?: Stanza['content']): Stanza => ({
  tag,
  attrs,
  content,
});
