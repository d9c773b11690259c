import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CodecError, decodeStanza, encodeStanza } from './codec.ts';

test('what was written is read back, text content as bytes', () => {
  const enc = { tag: 'enc', attrs: { v: '2', type: 'msg' }, content: Uint8Array.of(1, 2, 3) };
  const node = {
    tag: 'message',
    attrs: { id: '3EB0AA', from: '15550001111:3@s.whatsapp.net', to: '@s.whatsapp.net', t: '1', type: 'text' },
    content: [enc, { tag: 'meta', attrs: {}, content: 'words' }],
  };
  const read = decodeStanza(encodeStanza(node));
  const meta = { tag: 'meta', attrs: {}, content: Uint8Array.from(Buffer.from('words')) };
  expect(read).toEqual({ ...node, content: [enc, meta] });
});

test('no bytes can do worse than a CodecError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      try {
        decodeStanza(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError);
      }
    }),
    { numRuns: 3000 },
  );
});

test('a damaged stanza is read or refused, whichever byte is damaged', () => {
  const good = encodeStanza({
    tag: 'iq',
    attrs: { id: '1', xmlns: 'usync', to: '@s.whatsapp.net' },
    content: [{ tag: 'list', attrs: {}, content: [{ tag: 'user', attrs: { jid: '15550001111@s.whatsapp.net' } }] }],
  });
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
      const bytes = Uint8Array.from(good);
      bytes[at] = value;
      try {
        decodeStanza(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError);
      }
    }),
    { numRuns: 3000 },
  );
});

test('lists inside lists that claim 65,535 entries each are refused before anything is allocated', () => {
  const level = [249, 0xff, 0xff];
  const node = [248, 2, 3];
  const bytes = Uint8Array.from([0, ...Array.from({ length: 5000 }, () => [...node, ...level]).flat()]);
  const before = process.memoryUsage().heapUsed;
  expect(() => decodeStanza(bytes)).toThrow(CodecError);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000);
});

test('a compressed stanza that would fill the memory is refused', async () => {
  const { deflateSync } = await import('node:zlib');
  const bomb = deflateSync(Buffer.alloc(64 * 1024 * 1024));
  expect(() => decodeStanza(Buffer.concat([Buffer.of(2), bomb]))).toThrow(CodecError);
});
