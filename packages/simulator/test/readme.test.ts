import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const at = (path: string): URL => new URL(path, import.meta.url);
const listing = (path: string): string[] => readdirSync(at(path), { recursive: true, encoding: 'utf8' });

test('the README of the tests names only tests that are there', () => {
  const [table = ''] = readFileSync(at('README.md'), 'utf8').split('## Figures');
  const rows = [...table.matchAll(/^\| [^|]+ \| ([^|]+) \|$/gm)].map(([, cell]) => cell ?? '').slice(1);
  const files = ['.', '../src', '../../gateway/test'].flatMap(listing).filter((file) => file.endsWith('.test.ts'));
  const sources = files.map((file) => (file.includes('/') ? `../src/${file}` : file));
  const names = new Set(files.map((file) => file.replace(/^.*\//, '').replace(/\.test\.ts$/, '')));
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) {
    for (const [, name = '', begin] of row.matchAll(/`([a-z.-]+)`(?: ([^`;,]+?) …)?/g)) {
      const file = name.replace(/\.test$/, '');
      expect(names, row).toContain(file);
      const source = sources.find((one) => one.replace(/^.*\//, '') === `${file}.test.ts`);
      if (begin === undefined || source === undefined) continue;
      expect(readFileSync(at(source), 'utf8'), `${name}: ${begin}`).toContain(begin);
    }
  }
});
