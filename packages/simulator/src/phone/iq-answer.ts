import type { Node } from '@ponte/engine';

/**
 * What a phone answers to a query of the server: a ping is answered, everything else is unknown to
 * it.
 */
export function answerTo(iq: Node): Node {
  const { id = '', from = '@s.whatsapp.net', xmlns } = iq.attrs;
  if (xmlns === 'urn:xmpp:ping') return { tag: 'iq', attrs: { id, to: from, type: 'result' } };
  const error = { tag: 'error', attrs: { code: '501', text: 'feature-not-implemented' } };
  return { tag: 'iq', attrs: { id, to: from, type: 'error' }, content: [error] };
}
