import type { Node } from '@ponte/engine';
import { binaryNodeToString } from 'baileys';
import { describe, expect, it } from 'vitest';
import { readSaid } from './read-said.ts';

const said = (node: Node): string => binaryNodeToString(node as Parameters<typeof binaryNodeToString>[0]);

describe('a stanza as Baileys says it', () => {
  it('is read back, with zeros for its bytes', () => {
    const node: Node = {
      tag: 'message',
      attrs: { id: '3EB0', to: '15550001111@s.whatsapp.net', type: 'text' },
      content: [
        {
          tag: 'participants',
          attrs: {},
          content: [1, 2].map((device) => ({
            tag: 'to',
            attrs: { jid: `15550001111:${device}@s.whatsapp.net` },
            content: [{ tag: 'enc', attrs: { v: '2' }, content: new Uint8Array(5).fill(9) }],
          })),
        },
        { tag: 'device-identity', attrs: {}, content: Uint8Array.of(7, 7) },
        { tag: 'meta', attrs: {} },
      ],
    };
    const zeros = JSON.parse(JSON.stringify(node), (_, value: unknown) =>
      typeof value === 'object' && value !== null && '0' in value && !Array.isArray(value)
        ? new Uint8Array(Object.keys(value).length)
        : value,
    ) as Node;
    expect(readSaid(said(node))).toEqual(zeros);
    expect(readSaid(said({ tag: 'iq', attrs: { id: '1' } }))).toEqual({ tag: 'iq', attrs: { id: '1' } });
  });

  it('takes a text for bytes of its length, whatever the text says', () => {
    for (const content of ['hello', 'Grüße', "</body> <to jid='x'/>", 'two\nlines', "<a b='c'/>\n"]) {
      const read = readSaid(said({ tag: 'iq', attrs: {}, content: [{ tag: 'body', attrs: {}, content }] }));
      const length = Buffer.byteLength(content);
      expect(read).toEqual({
        ...{ tag: 'iq', attrs: {} },
        content: [{ tag: 'body', attrs: {}, content: new Uint8Array(length) }],
      });
    }
  });

  it('keeps only the tag of what cannot be read for certain', () => {
    const name = "Mike's <x type='secret'/>";
    const text = said({ tag: 'iq', attrs: { id: '1' }, content: [{ tag: 'create', attrs: { subject: name } }] });
    expect(readSaid(text)).toEqual({ tag: 'iq', attrs: {}, content: new Uint8Array(text.length) });
    expect(readSaid('nonsense').tag).toBe('unreadable');
  });
});
