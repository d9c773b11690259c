import { decodeBinaryNode } from 'baileys';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeStanza } from './codec.ts';
import { writeStanza } from './stanza-writer.ts';

const bytesOf = (jid: string): number[] => [...writeStanza({ tag: 'to', attrs: { jid } }, 0)].slice(1);
const token = (word: string): number[] => [...writeStanza({ tag: word, attrs: {} }, 0)].slice(3);
/** `<to jid>` as a list of three. */
const head = [248, 3, ...token('to'), ...token('jid')];

test('addresses are written as addresses: pairs, devices with the byte of their server, the server itself', () => {
  expect(bytesOf('15550001111@s.whatsapp.net')).toEqual([
    ...head,
    250,
    ...[255, 0x86, 0x15, 0x55, 0x00, 0x01, 0x11, 0x1f],
    ...token('s.whatsapp.net'),
  ]);
  const packed = [255, 0x02, 0x12, 0x34];
  expect(bytesOf('1234:7@s.whatsapp.net')).toEqual([...head, 247, 0, 7, ...packed]);
  expect(bytesOf('1234:7@lid')).toEqual([...head, 247, 1, 7, ...packed]);
  expect(bytesOf('1234:99@hosted')).toEqual([...head, 247, 128, 99, ...packed]);
  expect(bytesOf('1234:99@hosted.lid')).toEqual([...head, 247, 129, 99, ...packed]);
  expect(bytesOf('@s.whatsapp.net')).toEqual([...head, 250, 0, ...token('s.whatsapp.net')]);
  expect(bytesOf('status@broadcast')).toEqual([...head, 250, ...token('status'), ...token('broadcast')]);
  // A name with an @ is no address.
  expect(bytesOf('me@home')).toEqual([...head, 252, 7, ...Buffer.from('me@home')]);
});

const user = fc.stringMatching(/^[0-9]{1,15}$/);
const jid = fc.oneof(
  fc.tuple(user, fc.constantFrom('s.whatsapp.net', 'lid', 'g.us', 'newsletter', 'broadcast')).map((p) => p.join('@')),
  fc
    .tuple(user, fc.integer({ min: 1, max: 255 }), fc.constantFrom('s.whatsapp.net', 'lid', 'hosted', 'hosted.lid'))
    .map(([name, device, server]) => `${name}:${device}@${server}`),
  fc.constantFrom('@s.whatsapp.net', '@g.us', 'status@broadcast'),
);
const word = fc.oneof(
  fc.constantFrom('message', 'participant', 'pkmsg', 'addressing_mode', 'w:gp2'),
  fc.stringMatching(/^[0-9.-]{1,130}$/),
  fc.stringMatching(/^[0-9A-F]{1,130}$/),
  fc.string({ minLength: 1, maxLength: 300, unit: 'grapheme' }),
);
const attrs = fc.dictionary(fc.stringMatching(/^[a-z][a-z_]{0,11}$/), fc.oneof(jid, word), { maxKeys: 6 });
const leaf = fc.record({
  tag: fc.constantFrom('enc', 'item', 'user'),
  attrs,
  content: fc.uint8Array({ minLength: 1 }),
});
const stanza = fc.record({
  tag: fc.constantFrom('message', 'iq', 'receipt', 'stream:error'),
  attrs,
  content: fc.array(leaf, { minLength: 1, maxLength: 300 }),
});

test('two independent readers read what was written: the one of Baileys and the one of zapo', async () => {
  await fc.assert(
    fc.asyncProperty(stanza, async (node) => {
      const written = writeStanza(node, 0);
      expect(decodeStanza(written)).toEqual(node);
      const read = await decodeBinaryNode(Buffer.from(written));
      expect(read).toMatchObject({ tag: node.tag, attrs: node.attrs });
      const children = Array.isArray(read.content) ? read.content : [];
      expect(
        children.map(({ tag, attrs, content }) => ({ tag, attrs, content: Uint8Array.from(content as Buffer) })),
      ).toEqual(node.content.map(({ tag, attrs, content }) => ({ tag, attrs: { ...attrs }, content })));
    }),
    { numRuns: 300 },
  );
});

test('contents of every length class are written whole', () => {
  for (const length of [0, 255, 256, 2 ** 20 - 1, 2 ** 20]) {
    const content = new Uint8Array(length).fill(7);
    const { content: read } = decodeStanza(writeStanza({ tag: 'enc', attrs: {}, content }, 0));
    expect(read instanceof Uint8Array && Buffer.compare(read, content)).toBe(0);
  }
});
