import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { contentFaults, faultsOf, isNamedBy, sbomOf } from './supply-chain.mjs';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const advisories = JSON.parse(read('scripts/advisories.json'));
const whole = {
  version: '1.0.0',
  license: 'MIT',
  integrity: `sha512-${Buffer.alloc(64, 1).toString('base64')}`,
};
const faultsWith = (name: string, facts: Record<string, unknown>, notice = '') =>
  faultsOf({
    lock: { packages: { [`node_modules/${name}`]: { ...whole, ...facts } } },
    manifest: {},
    notice,
    advisories,
  });

test('what is installed today has no faults, and Baileys holds its guard', () => {
  const lock = JSON.parse(read('package-lock.json'));
  expect(faultsOf({ lock, manifest: JSON.parse(read('package.json')), notice: read('NOTICE'), advisories })).toEqual(
    [],
  );
  const file = read('node_modules/baileys/lib/Utils/process-message.js');
  expect(contentFaults(file)).toEqual([]);
  expect(contentFaults(file.replaceAll('!message.key.fromMe', 'false'))).toHaveLength(1);
});

test.each([
  ['a', { license: 'AGPL-3.0' }, 'not on the list'],
  ['a', { license: undefined }, 'not on the list'],
  ['libsignal', { license: 'GPL-3.0' }, 'NOTICE does not say'],
  ['a', { resolved: 'git+ssh://git@github.com/x/a.git#abc' }, 'is not of the registry'],
  ['a', { resolved: 'https://example.com/a.tgz' }, 'is not of the registry'],
  ['a', { integrity: 'sha1-abc' }, 'is not of the registry'],
  ['a', { hasInstallScript: true }, 'run a script'],
  ['lotusbail', {}, 'steals sessions'],
  ['baileys', { version: '6.17.16' }, 'without it'],
  ['x/node_modules/ip', {}, 'private addresses'],
])('%s with %j is refused', (name, facts, why) => {
  expect(faultsWith(name, facts)).toEqual([expect.stringContaining(why)]);
});

test('advisories compare versions as npm does', () => {
  expect(isNamedBy({ below: '7.29.0', from: '7.0.0' }, '7.28.9')).toBe(true);
  expect(isNamedBy({ below: '7.29.0', from: '7.0.0' }, '7.29.0')).toBe(false);
  expect(isNamedBy({ below: '7.29.0', from: '7.0.0' }, '6.27.0')).toBe(false);
  expect(isNamedBy({ below: '6.7.22' }, '7.0.0-rc14')).toBe(false);
  expect(isNamedBy({ below: '7.0.0' }, '7.0.0-rc14')).toBe(true);
  expect(isNamedBy({}, '0.0.1')).toBe(true);
});

test('nothing that installs runs a script: also Node’s own npm, which knows no allowScripts, is told so', () => {
  for (const path of [
    'Dockerfile',
    'scripts/setup.mjs',
    'scripts/install-apart.mjs',
    'scripts/own-node.mjs',
    'docs/operating.md',
  ]) {
    const text = read(path);
    expect(text.match(/npm ci\b(?! --ignore-scripts)/), path).toBeNull();
    if (path.endsWith('.mjs')) expect(text).toContain('--ignore-scripts');
  }
});

test('the list of what runs has a checksum for every archive', () => {
  const { components } = sbomOf(JSON.parse(read('package-lock.json')));
  expect(components.length).toBeGreaterThan(100);
  for (const { name, hashes } of components) expect(hashes?.[0]?.content, name).toMatch(/^[0-9a-f]{128}$/);
});
