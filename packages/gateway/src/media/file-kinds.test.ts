import { expect, it } from 'vitest';
import { defaultName, withEnding } from './file-names.ts';
import { decideKind, documentType, sniff, typeOf } from './media-kind.ts';

const ZIP = Buffer.from('504b0304140000000800', 'hex');
const typed = async (bytes: Buffer | string, declared: string | undefined, name?: string) =>
  documentType(typeOf(declared, await sniff(Buffer.from(bytes))), name);

it.each([
  ['a,b\n1,2', 'application/octet-stream', 'a.csv', 'text/csv'],
  ['a,b\n1,2', undefined, 'a.CSV', 'text/csv'],
  ['a,b\n1,2', 'text/plain', 'a.csv', 'text/csv'],
  ['hello', 'application/octet-stream', 'a.txt', 'text/plain'],
  [ZIP, 'application/zip', 'a.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  [ZIP, 'application/octet-stream', 'a.xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  [ZIP, 'application/zip', 'a.zip', 'application/zip'],
  [ZIP, undefined, undefined, 'application/zip'],
  ['%PDF-1.7\n', 'application/octet-stream', 'x.csv', 'application/pdf'],
  ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml', 'a.svg', 'image/svg+xml'],
  ['<?xml version="1.0"?>\n<svg></svg>', 'application/xml', undefined, 'image/svg+xml'],
  ['<!DOCTYPE html><p>x', 'image/jpeg', 'photo.jpg', 'text/html'],
  ['\ufeff <!-- x -->\n<html lang="en">', undefined, undefined, 'text/html'],
  ['not a picture', 'image/png', 'a.png', 'application/octet-stream'],
])('%j declared as %s and called %s is %s', async (bytes, declared, name, type) => {
  expect(await typed(bytes, declared, name)).toBe(type);
});

it('sends drawings as documents, under a name that says what they are', () => {
  expect(decideKind('image/svg+xml', {}).kind).toBe('document');
  expect(() => decideKind('image/svg+xml', { kind: 'image' })).toThrow('which is no image');
});

it('names what has no name', () => {
  expect(defaultName('application/pdf')).toBe('document.pdf');
  expect(defaultName('text/csv')).toBe('document.csv');
  expect(defaultName('application/octet-stream')).toBe('document');
  expect(withEnding('download', 'application/pdf')).toBe('download.pdf');
  expect(withEnding('report.PDF', 'application/pdf')).toBe('report.PDF');
});
