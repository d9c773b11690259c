import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { sql } from 'kysely';
import pg from 'pg';
import { expect, test } from 'vitest';
import { readConfig } from '../src/config/config.ts';
import { systemClock } from '../src/core/clock.ts';
import { openStore } from '../src/store/db/open.ts';
import { openTestPostgres } from './store-harness.ts';
import { printedBlock, printedBlocks, ROOT, withOther } from './support/printed.ts';

/*
 * Every command and program that the documents print is run by a test, or is listed here as not
 * runnable with the reason; the page says so, too.
 */

const CALLS = 'docs.calls.flow.test.ts';
const PROXIES = 'docs.proxies.flow.test.ts';
const SANDBOX = 'docs.sandbox.flow.test.ts';
const WEBHOOKS = 'docs.webhooks.flow.test.ts';
const HERE = 'docs.blocks.test.ts';

type Shown = { by: string } | { notRun: string } | { data: string };

/** By page and language; `data` is nothing that runs. */
const PRINTED: Record<string, Shown> = {
  'index.md sh': { by: CALLS },
  'connecting.md sh': { by: CALLS },
  'sending.md sh': { by: CALLS },
  'files.md sh': { by: CALLS },
  'groups.md sh': { by: CALLS },
  'history.md sh': { by: CALLS },
  'events.md sh': { by: CALLS },
  'events.md js': { by: CALLS },
  'events.md python': { by: CALLS },
  'testing-in-ci.md sh': { by: CALLS },
  'testing-in-ci.md yaml': { notRun: 'needs a runner of GitHub' },
  'sandbox.md sh': { by: SANDBOX },
  'sandbox.md js': { by: SANDBOX },
  'sandbox.md console': { data: 'the start of the server, which every flow test makes' },
  'webhooks.md js': { by: WEBHOOKS },
  'webhooks.md python': { by: WEBHOOKS },
  'webhooks.md php': { by: WEBHOOKS },
  'webhooks.md go': { notRun: 'needs a Go compiler' },
  'webhooks.md sql': { by: HERE },
  'operating.md caddyfile': { by: PROXIES },
  'operating.md nginx': { by: PROXIES },
  'operating.md ini': { by: PROXIES },
  'operating.md yaml': { notRun: 'needs Traefik, which Debian does not have' },
  'operating.md env': { by: PROXIES },
  'operating.md sh': { by: CALLS },
  'operating.md sql': { by: HERE },
  'fleet.md env': { by: HERE },
  'fleet.md json': { data: 'a rule of a bucket' },
  'fleet.md sh': { notRun: 'dumps a whole database; `ponte move` is run by move.kill.test.ts' },
  'fleet.md sql': { by: HERE },
  'mcp.md sh': { notRun: 'needs a client of somebody else' },
  'event-catalogue.md json': { data: 'bodies, compared by docs.reference.test.ts' },
  'lines-transcript.md json': { data: 'recorded, compared by lines.transcript.flow.test.ts' },
  'bridges-transcript.md json': { data: 'recorded, compared by bridges.examples.flow.test.ts' },
  'operating.md json': { data: 'a post of alerts; its members by alerts.test.ts' },
};

const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
const read = (page: string) => readFileSync(join(ROOT, 'docs', page), 'utf8');

test('every printed block is run, or said not to be', () => {
  const printed = pages.flatMap((page) => [...read(page).matchAll(/^```(\w+)$/gm)].map(([, of]) => `${page} ${of}`));
  expect(Object.keys(PRINTED).toSorted()).toEqual([...new Set(printed)].toSorted());
  for (const [name, shown] of Object.entries(PRINTED)) {
    const [page = ''] = name.split(' ');
    if ('by' in shown) {
      const source = readFileSync(new URL(shown.by, import.meta.url), 'utf8');
      expect(source, `${shown.by} runs ${page}`).toContain(page);
    } else if ('notRun' in shown) expect(read(page), name).toMatch(/Not run by Ponte's own tests/);
  }
});

test('fleet.md: the settings of a node are ones that are taken', () => {
  const config = readConfig(parseEnv(printedBlock('fleet.md', 'env')), { cores: 2, cwd: '/srv/ponte' });
  expect(config.fleet).toMatchObject({ name: 'ponte-1', nats: { url: expect.stringContaining('nats:') } });
});

const admin = process.env.TEST_DATABASE_URL;

test.runIf(admin)('fleet.md: what a restore forgets is there, and can be forgotten', async () => {
  const opened = await openTestPostgres();
  try {
    for (const statement of printedBlock('fleet.md', 'sql')
      .split(';')
      .filter((text) => text.trim() !== '')) {
      await sql.raw(statement).execute(opened.store.db);
    }
  } finally {
    await opened.close();
  }
});

test.runIf(admin)('operating.md: the role and the database are what Ponte needs', { timeout: 120_000 }, async () => {
  const name = `ponte_docs_${randomBytes(4).toString('hex')}`;
  const password = randomBytes(9).toString('base64url');
  const [, settings = ''] = printedBlocks('operating.md', 'env');
  const words = { ponte: name, '…': password };
  const server = new pg.Client({ connectionString: admin });
  await server.connect();
  try {
    for (const statement of withOther(printedBlock('operating.md', 'sql'), words).split(';\n').filter(Boolean)) {
      await server.query(statement);
    }
    const url = new URL(withOther(settings, words).trim().replace('DATABASE_URL=', ''));
    const { hostname, port } = new URL(String(admin));
    Object.assign(url, { hostname, port });
    const store = await openStore({ url: url.href, clock: systemClock });
    await store.close();
  } finally {
    await server.query(`drop database if exists ${name}`);
    await server.query(`drop role if exists ${name}`);
    await server.end();
  }
});

test.runIf(admin)('webhooks.md: what was handled is not inserted again', { timeout: 120_000 }, async () => {
  const server = new pg.Client({ connectionString: admin });
  await server.connect();
  try {
    const [create = '', insert = ''] = printedBlock('webhooks.md', 'sql')
      .split('\n')
      .filter((text) => !text.startsWith('--'))
      .join('\n')
      .split(';\n');
    await server.query('begin');
    await server.query(create.replace('create table', 'create temporary table'));
    expect((await server.query(insert)).rowCount).toBe(1);
    expect((await server.query(insert)).rowCount).toBe(0);
  } finally {
    await server.query('rollback');
    await server.end();
  }
});
