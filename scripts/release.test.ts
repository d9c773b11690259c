import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changelogOf, release } from './release.mjs';

const TODAY = '2027-02-03';
const CHANGELOG = '# Changelog\n\n## Unreleased\n\n- News.\n\n## 0.1.0 – not released\n\n- The first.\n';
const project = (name: string, dependencies = {}) => ({ name, version: '0.1.0', dependencies });

let root: string;
const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const json = (file: string) => JSON.parse(read(file)) as Record<string, unknown>;
const write = (file: string, value: unknown) =>
  writeFileSync(join(root, file), typeof value === 'string' ? value : `${JSON.stringify(value, null, 2)}\n`);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ponte-release-'));
  const door = project('@ponte/gateway', { '@ponte/engine': '0.1.0', fastify: '5.12.8' });
  mkdirSync(join(root, 'packages/gateway/test/golden'), { recursive: true });
  mkdirSync(join(root, 'packages/engine'));
  write('package.json', project('ponte'));
  write('packages/gateway/package.json', door);
  write('packages/engine/package.json', project('@ponte/engine'));
  write('packages/gateway/test/golden/openapi.json', { openapi: '3.1.0', info: { version: '0.1.0' } });
  write('package-lock.json', {
    version: '0.1.0',
    packages: { '': project('ponte'), 'packages/gateway': door, 'node_modules/fastify': { version: '5.12.8' } },
  });
  write('CHANGELOG.md', CHANGELOG);
  git('init', '--quiet');
  git('config', 'user.email', 'test@example.com');
  git('config', 'user.name', 'Test');
  git('add', '.');
  git('commit', '--quiet', '--message', 'before');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a release', () => {
  it('is one version everywhere, a dated section, a commit and a tag', () => {
    release(root, '0.2.0', { today: TODAY, checks: ['test -f package.json'] });
    expect(json('package.json').version).toBe('0.2.0');
    expect(json('packages/gateway/package.json')).toEqual({
      ...{ name: '@ponte/gateway', version: '0.2.0' },
      dependencies: { '@ponte/engine': '0.2.0', fastify: '5.12.8' },
    });
    expect(json('packages/engine/package.json').version).toBe('0.2.0');
    expect(json('package-lock.json')).toMatchObject({
      version: '0.2.0',
      packages: {
        'packages/gateway': { version: '0.2.0', dependencies: { '@ponte/engine': '0.2.0' } },
        'node_modules/fastify': { version: '5.12.8' },
      },
    });
    expect(json('packages/gateway/test/golden/openapi.json').info).toEqual({ version: '0.2.0' });
    expect(read('CHANGELOG.md')).toBe(CHANGELOG.replace('## Unreleased\n', `## Unreleased\n\n## 0.2.0 – ${TODAY}\n`));
    expect(git('log', '-1', '--format=%s')).toBe('release 0.2.0');
    expect(git('rev-parse', 'v0.2.0^{commit}')).toBe(git('rev-parse', 'HEAD'));
    expect(git('status', '--porcelain')).toBe('');
  });

  it('that is run dry says everything and changes nothing', () => {
    const said: string[] = [];
    release(root, '0.2.0', { mode: 'dry-run', today: TODAY, checks: ['false'], say: (line) => said.push(line) });
    expect(said).toContain('would write packages/gateway/package.json');
    expect(said).toContain('would run false');
    expect(said.at(-1)).toBe('would commit "release 0.2.0" and tag it v0.2.0');
    expect(git('status', '--porcelain')).toBe('');
    expect(git('tag')).toBe('');
  });

  it('can be prepared first: what came since joins its section, and the date comes at the end', () => {
    release(root, '0.2.0', { mode: 'prepare', today: TODAY });
    expect(read('CHANGELOG.md')).toContain('## Unreleased\n\n## 0.2.0 – not released\n\n- News.\n\n## 0.1.0');
    expect(git('tag')).toBe('');
    write('CHANGELOG.md', read('CHANGELOG.md').replace('## Unreleased\n', '## Unreleased\n\n- Later news.\n'));
    git('commit', '--quiet', '--all', '--message', 'prepared');
    release(root, '0.2.0', { today: TODAY, checks: [] });
    expect(read('CHANGELOG.md')).toBe(
      CHANGELOG.replace('## Unreleased\n\n', `## Unreleased\n\n## 0.2.0 – ${TODAY}\n\n- Later news.\n`),
    );
    expect(git('tag')).toBe('v0.2.0');
  });

  it.each([
    ['a version that is none', '2', /no version/],
    ['a version that is not above', '0.0.9', /not above 0\.1\.0/],
  ])('refuses %s', (_what, version, why) => {
    expect(() => release(root, version, { today: TODAY, checks: [] })).toThrow(why);
    expect(git('status', '--porcelain')).toBe('');
  });

  it('refuses changes that are not committed, a tag that is there, and a section without news', () => {
    write('package.json', { ...project('ponte'), private: true });
    expect(() => release(root, '0.2.0', { today: TODAY, checks: [] })).toThrow('not committed');
    git('checkout', '--quiet', '.');
    git('tag', 'v0.2.0');
    expect(() => release(root, '0.2.0', { today: TODAY, checks: [] })).toThrow('a tag v0.2.0 already');
    expect(() => changelogOf(CHANGELOG.replace('- News.\n\n', ''), '0.2.0', TODAY)).toThrow('says nothing');
    expect(() => changelogOf('# Changelog\n\n## 0.1.0 – 2026-01-01\n', '0.2.0', TODAY)).toThrow('no section');
    const out = CHANGELOG.replace('not released', '2026-01-01');
    expect(() => changelogOf(out, '0.1.0', TODAY)).toThrow('0.1.0 is out');
  });

  it('ends at the first check that fails, with nothing committed', () => {
    const checks = ['exit 3', 'touch too-far'];
    expect(() => release(root, '0.2.0', { today: TODAY, checks })).toThrow('"exit 3" ended with 3');
    expect(git('log', '--format=%s')).toBe('before');
    expect(git('tag')).toBe('');
    expect(git('status', '--porcelain')).not.toContain('too-far');
  });
});
