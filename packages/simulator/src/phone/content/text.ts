import type { ContentKind } from './kind.ts';

/** `{"type":"text","body":"…"}` */
export const text: ContentKind = {
  type: 'text',
  build(input, { contextInfo }) {
    const body = input.text('body');
    const message = contextInfo ? { extendedTextMessage: { text: body, contextInfo } } : { conversation: body };
    return { message, shape: { type: 'text' } };
  },
  read(message) {
    const body = message.conversation || message.extendedTextMessage?.text;
    return typeof body === 'string' && body !== '' ? { type: 'text', body } : undefined;
  },
};
