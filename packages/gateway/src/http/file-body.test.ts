import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ReceiveFile } from '../commands/sends/receive-file.ts';
import { SpooledFile } from '../commands/sends/send-file.ts';
import { systemClock } from '../core/clock.ts';
import { readJsonWithFile } from './json-with-file.ts';
import { boundaryOf, readMultipart } from './multipart.ts';

const received: { bytes: Buffer; declaredType: string | undefined; fileName: string | undefined }[] = [];
const receive: ReceiveFile = async (source, facts) => {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(Buffer.from(piece));
  received.push({ bytes: Buffer.concat(pieces), declaredType: facts.declaredType, fileName: facts.fileName });
  const rest = { sha256: '', mimeType: 'a/b', fileName: facts.fileName, sizeBytes: Buffer.concat(pieces).length };
  return new SpooledFile(rest, { name: 'x', accountId: 'acc_a', isSealed: false });
};
const last = () => received.at(-1);
const clock = systemClock;

/** The bytes, cut where a network may cut them. */
function cut(bytes: Buffer, at: number[]): Readable {
  const marks = [...new Set(at.map((mark) => mark % (bytes.length + 1)))].sort((a, b) => a - b);
  const pieces = [0, ...marks].map((mark, index) => bytes.subarray(mark, marks[index] ?? bytes.length));
  return Readable.from(
    pieces.filter((piece) => piece.length > 0),
    { objectMode: false },
  );
}
const cuts = fc.array(fc.nat(5_000), { maxLength: 12 });

const form = (parts: string[], boundary = 'B') =>
  Buffer.from(`${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`, 'latin1');
const multipart = (body: Readable, boundary = 'B') => readMultipart(body, { boundary, clock }, receive, () => {});
const json = (body: Readable, maxBytes = 1_000) => readJsonWithFile(body, { maxBytes, clock }, receive, () => {});

it('reads fields and the file of a form, however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3_000 }), cuts, async (bytes, at) => {
      const file = Buffer.from(bytes).toString('latin1');
      const body = form([
        'Content-Disposition: form-data; name="chat"\r\n\r\n15550001234',
        `Content-Disposition: form-data; name="file"; filename="a \\"b\\".bin"\r\nContent-Type: text/csv\r\n\r\n${file}`,
        'Content-Disposition: form-data; name="mentions"\r\n\r\n["15550001111"]',
        'content-disposition: form-data; name=voice\r\n\r\ntrue',
      ]);
      // A file that holds the boundary itself ends there: senders draw boundaries that their files
      // do not have.
      fc.pre(!file.includes('\r\n--B'));
      const fields = await multipart(cut(body, at));
      expect(fields).toMatchObject({ chat: '15550001234', mentions: ['15550001111'], voice: true });
      expect(fields.file).toBeInstanceOf(SpooledFile);
      expect(last()).toEqual({ bytes: Buffer.from(bytes), declaredType: 'text/csv', fileName: 'a "b".bin' });
    }),
    { numRuns: 60 },
  );
});

it.each([
  ['', 'ended early'],
  ['--B\r\nContent-Disposition: form-data; name="chat"\r\n\r\n1', 'ended early'],
  ['--B\r\n\r\n\r\nx\r\n--B--', 'needs a name'],
  ['--Bxx', 'malformed'],
  [form(['Content-Disposition: form-data; name="__proto__"\r\n\r\n{"x":1}']).toString(), undefined],
])('answers a form that is %j', async (body, problem) => {
  const read = multipart(Readable.from([Buffer.from(body)]));
  if (problem === undefined) expect(Object.getPrototypeOf(await read)).toBe(Object.prototype);
  else
    await expect(read).rejects.toMatchObject({ code: 'validation_error', message: expect.stringContaining(problem) });
});

it('takes one file of a form, and bounds its fields', async () => {
  const part = 'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\nx';
  await expect(multipart(cut(form([part, part]), []))).rejects.toThrow('Send one file');
  const long = `Content-Disposition: form-data; name="chat"\r\n\r\n${'x'.repeat(300_000)}`;
  await expect(multipart(cut(form([long]), []))).rejects.toThrow('too long');
});

const CHAT = 'Content-Disposition: form-data; name="chat"\r\n\r\n1';
it.each([
  ['has a part without a disposition', [CHAT, 'Content-Type: text/plain\r\n\r\na caption'], 'needs a name'],
  ['has a part that is no form-data', [CHAT, 'Content-Disposition: attachment\r\n\r\nx'], 'needs a name'],
  [
    'has a file name in Latin-1',
    ['Content-Disposition: form-data; name="file"; filename="caf\xe9.txt"\r\n\r\nx'],
    'not UTF-8',
  ],
  [
    'has a text in Latin-1 that calls itself UTF-8',
    ['Content-Disposition: form-data; name="chat"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xe9'],
    'not UTF-8',
  ],
  [
    'has a file name without end',
    [`Content-Disposition: form-data; name="file"; filename="${'a'.repeat(9_000)}"\r\n\r\nx`],
    'too long',
  ],
])('refuses a form that %s, and drops nothing', async (_what, parts, problem) => {
  await expect(multipart(cut(form(parts), []))).rejects.toMatchObject({
    code: 'validation_error',
    message: expect.stringContaining(problem),
  });
});

it('refuses a form with garbage behind a delimiter, and drops nothing', async () => {
  const body = `--Bxx\r\n${CHAT}\r\n--B--\r\n`;
  await expect(multipart(Readable.from([Buffer.from(body)]))).rejects.toThrow('malformed');
});

it('knows the boundary of a form', () => {
  expect(boundaryOf('multipart/form-data; boundary=abc')).toBe('abc');
  expect(boundaryOf('multipart/form-data; charset=utf-8; boundary="a b"')).toBe('a b');
  expect(boundaryOf('multipart/form-data')).toBeUndefined();
});

it('takes the file out of JSON, however it is cut, and keeps the rest', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 3_000 }),
      fc.string(),
      fc.boolean(),
      cuts,
      async (bytes, text, isFirst, at) => {
        const data = Buffer.from(bytes).toString('base64');
        const rest = { caption: text, nested: { data: 'not this one', list: ['data', ':'] }, data2: '"data":"x"' };
        const body = JSON.stringify(isFirst ? { data, ...rest } : { ...rest, data });
        const read = (await json(cut(Buffer.from(body), at), 20_000)) as Record<string, unknown>;
        expect({ ...read, data: undefined }).toEqual({ ...rest, data: undefined });
        expect(read.data).toBeInstanceOf(SpooledFile);
        expect(last()?.bytes).toEqual(Buffer.from(bytes));
      },
    ),
    { numRuns: 60 },
  );
});

it('takes base64 with line breaks, without padding, and of the URL alphabet', async () => {
  for (const data of ['AAEC/w==', 'AAEC/w', 'AAEC\\n/w==', 'AAEC\\/w==', 'AAEC_w']) {
    await json(cut(Buffer.from(`{"data":"${data}"}`), [9, 12, 13, 14]));
    expect(last()?.bytes).toEqual(Buffer.from([0, 1, 2, 255]));
  }
  for (const bad of ['§', 'AA==AA', 'A', 'AA AA!!!']) {
    await expect(json(cut(Buffer.from(`{"data":"${bad}"}`), []))).rejects.toThrow('data must be base64');
  }
});

it('takes base64 behind data:<type>;base64, however it is cut', async () => {
  for (const data of [
    'data:image/png;base64,AAEC/w==',
    'data:image\\/png;base64,AAEC_w',
    'data:;base64,AAEC/w==',
    'data:text/plain;charset=utf-8;base64,AAEC/w==',
    'DATA:application/vnd.ms-excel;base64,AAEC/w==',
  ]) {
    for (const at of [[], [9, 12, 13, 14], [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]]) {
      await json(cut(Buffer.from(`{"data":"${data}"}`), at));
      expect(last()?.bytes).toEqual(Buffer.from([0, 1, 2, 255]));
    }
  }
  // Base64 that begins like the word.
  await json(cut(Buffer.from('{"data":"data"}'), [9, 10, 11]));
  expect(last()?.bytes).toEqual(Buffer.from('data', 'base64'));
  for (const bad of ['data:text/plain,hello', 'data:image/png;base64,§', 'data:x']) {
    await expect(json(cut(Buffer.from(`{"data":"${bad}"}`), [11]))).rejects.toThrow('data must be base64');
  }
});

it.each([
  ['{"data":"AAAA"', 'not valid JSON'],
  ['{"data":"AAAA', 'ended early'],
  ['{"data":"AAAA","data":"AAAA"}', 'Send one file'],
  ['{"a":', 'not valid JSON'],
])('refuses %s', async (body, problem) => {
  await expect(json(Readable.from([Buffer.from(body)]))).rejects.toThrow(problem);
});

it('bounds what is beside the file, and leaves other JSON as it is', async () => {
  await expect(json(Readable.from([Buffer.from(`{"a":"${'x'.repeat(2_000)}"}`)]))).rejects.toMatchObject({
    code: 'payload_too_large',
  });
  expect(await json(Readable.from([Buffer.from('[1,{"data":"x"}]')]))).toEqual([1, { data: 'x' }]);
  expect(await json(Readable.from([Buffer.from('{"data":7}')]))).toEqual({ data: 7 });
  expect(await json(Readable.from([]))).toBeUndefined();
});

it.each([
  ['{"data":"AAAA","a":x}', 'at line 1, column 20 (position 19)'],
  ['{"é":"€","data":"AAAAAAAA",\n"a":x}', 'at line 2, column 5 (position 32)'],
  ['{"data":"AAAA","body":"two\nlines"}', 'a raw line break inside a text at line 1, column 27 (position 26)'],
  ['{"a":x,"data":"AAAA"}', 'at line 1, column 6 (position 5)'],
])('what is wrong beside a file is placed as it was sent: %j', async (body, place) => {
  const bytes = Buffer.from(body);
  for (let at = 1; at < bytes.length; at += 1) await expect(json(cut(bytes, [at]))).rejects.toThrow(place);
});
