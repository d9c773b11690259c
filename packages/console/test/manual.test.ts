import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildManual, readManual } from '../manual/build.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const { pages } = readManual();

let dist: string;
beforeAll(() => {
  dist = mkdtempSync(join(tmpdir(), 'ponte-manual-'));
  buildManual(dist);
});
afterAll(() => rmSync(dist, { recursive: true, force: true }));

test('every document is a page', () => {
  const documents = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  const files = pages.map(({ file }) => file);
  expect(documents.filter((name) => !files.includes(`docs/${name}`))).toEqual([]);
  expect(new Set(pages.map(({ address }) => address)).size).toBe(pages.length);
});

test('every link leads to a page, a part of one, or a file of the repository', () => {
  const parts = new Map(pages.map(({ address, headings }) => [address, new Set(headings.map(({ id }) => id))]));
  const broken: string[] = [];
  for (const { file, address, links } of pages) {
    for (const { href, target } of links) {
      if (target === undefined) {
        if (!existsSync(join(ROOT, dirname(file), href.split('#')[0] ?? ''))) broken.push(`${file}: ${href}`);
      } else if (!/^(?:https?:|mailto:)/.test(target)) {
        const [path = '', id] = target.split('#');
        const of = parts.get(path === '' ? address : path);
        if (path === '/docs/api') continue;
        if (!of || (id !== undefined && !of.has(id))) broken.push(`${file}: ${href}`);
      }
    }
  }
  expect(broken).toEqual([]);
});

test('pages run and paint nothing that stands in them, and are whole before they are served', () => {
  const html = readdirSync(join(dist, 'docs'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.html'));
  expect(html).toHaveLength(pages.length);
  for (const name of html) {
    const text = readFileSync(join(dist, 'docs', name), 'utf8');
    expect(text.match(/<script(?![^>]*\bsrc="\/docs\/)[^>]*>|\s(?:style|on\w+)=|<style/g), name).toBeNull();
    expect(text.match(/<(?:script|link|img)[^>]*"https?:/g), name).toBeNull();
  }
  expect(readdirSync(dist).sort()).toEqual(['docs', 'llms-full.txt', 'llms.txt']);
});

test('is built over what was there before', () => {
  buildManual(dist);
  expect(readdirSync(dist).sort()).toEqual(['docs', 'llms-full.txt', 'llms.txt']);
  const list = readFileSync(join(dist, 'llms.txt'), 'utf8');
  for (const [, address = ''] of list.matchAll(/\]\(\/(docs\/[^)]*\.md)\)/g)) {
    expect(existsSync(join(dist, address)), address).toBe(true);
  }
  expect(readFileSync(join(dist, 'llms-full.txt'), 'utf8')).toContain('# Webhooks');
});
