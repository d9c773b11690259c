import type { LinkPreview } from '../wa-proto.ts';
import { type Input, InputError } from './input.ts';
import type { Content, ContentKind } from './kind.ts';

/**
 * `{"type":"text","body":"…","link_preview"?:{"url","title"?,"description"?}}`. The card of a link
 * travels with the text, as the sender's client made it; `url` must stand in the text.
 */
export const text: ContentKind = {
  type: 'text',
  build(input, { contextInfo }) {
    const body = input.text('body');
    const preview = input.has('link_preview') ? previewOf(input.nested('link_preview'), body) : undefined;
    const message =
      contextInfo || preview
        ? { extendedTextMessage: { text: body, ...preview, contextInfo } }
        : { conversation: body };
    return { message, shape: { type: 'text' } };
  },
  read(message) {
    const body = message.conversation || message.extendedTextMessage?.text;
    if (typeof body !== 'string' || body === '') return undefined;
    const content: Content = { type: 'text', body };
    const { matchedText, title, description } = message.extendedTextMessage ?? {};
    if (!matchedText) return content;
    const card = { url: matchedText, ...(title ? { title } : {}), ...(description ? { description } : {}) };
    return { ...content, fields: { link_preview: card } };
  },
};

function previewOf(input: Input, body: string): LinkPreview {
  const matchedText = input.text('url', 2048);
  if (!body.includes(matchedText)) throw new InputError('link_preview.url', 'must stand in the body');
  const title = input.optionalText('title', 300);
  const description = input.optionalText('description', 1000);
  return { matchedText, canonicalUrl: matchedText, title, description, previewType: 0 };
}
