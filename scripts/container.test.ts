import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { NODE_FLOOR } from '../packages/gateway/src/config/node-floor.js';

/* What can be known of the container without building it. */

const root = new URL('../', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, root), 'utf8');
const dockerfile = read('Dockerfile');
const compose = read('compose.yaml');
/** Settings that Ponte knows, and those of Node and of the shell. */
const known = new Set([...read('config.example.env').matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name));

const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

test('the image has a Node that Ponte runs on, the same in every stage', () => {
  const bases = [...dockerfile.matchAll(/^FROM node:(\d+)-(\S+)/gm)].map(([, major, rest]) => [Number(major), rest]);
  expect(bases).toHaveLength(2);
  expect(bases[0]).toEqual(bases[1]);
  expect(bases[0]?.[0]).toBe(Number(NODE_FLOOR.split('.')[0]));
});

test('it runs as nobody special, keeps its data in a volume, and says when it is well', () => {
  expect(last).toMatch(/^USER node$/m);
  expect(last).toMatch(/^VOLUME \/data$/m);
  expect(last).toMatch(/DATA_DIR=\/data/);
  expect(last).toMatch(/^HEALTHCHECK [\s\S]*\/readyz/m);
  const asNode = last.slice(last.indexOf('\nUSER node'));
  expect(asNode.match(/^(?:USER|RUN) .*$/gm)).toEqual([
    'USER node',
    'RUN node scripts/start-check.mjs node packages/gateway/main.js start',
  ]);
  expect(compose).toContain('- data:/data');
});

test('what it starts is what "npm start" starts', () => {
  const started = /^CMD \["node", "(\S+)", "start"\]$/m.exec(last)?.[1];
  expect(read('scripts/launch.mjs')).toContain(`start: { script: '${started}', args: ['start'] }`);
  expect(dockerfile).toContain(`/app/${started}`);
});

test('every file it copies from here is there, and no secret goes in with them', () => {
  for (const [, source] of dockerfile.matchAll(/^COPY --from=build \/app\/(\S+)/gm)) {
    expect(existsSync(new URL(source ?? '', root)), source).toBe(true);
  }
  const ignored = read('.dockerignore').split('\n');
  for (const name of ['.env', 'data', '.git', '**/node_modules']) expect(ignored).toContain(name);
});

test('every setting it makes is one that Ponte knows', () => {
  const env = /^ENV (.+)$/m.exec(last)?.[1] ?? '';
  const image = env.split(' ').map((pair) => pair.split('=')[0]);
  expect(image.filter((name) => name !== 'NODE_ENV' && !known.has(name ?? ''))).toEqual([]);
  const block = /environment:\n((?: {6}.*\n)+)/.exec(compose)?.[1] ?? '';
  const names = [...block.matchAll(/^ {6}(?:# )?([A-Z][A-Z0-9_]+):/gm)].map(([, name]) => name);
  expect(names).toContain('PUBLIC_URL');
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});
