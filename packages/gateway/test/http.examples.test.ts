import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bridgesDialect } from '../src/dialects/bridges/dialect.ts';
import { linesDialect } from '../src/dialects/lines/dialect.ts';
import type { Dialect } from '../src/http/route.ts';

/*
 * The examples of the OpenAPI document are what was recorded: answers from the transcripts of a
 * running gateway, bodies of events from the golden ones. `--update` writes the files anew.
 */
type Json = Record<string, unknown>;

/** Longer ones hide more than they show. */
const MAX_CHARACTERS = 4_000;
const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

/** The first answer of each row in a transcript, as far as the row's schema takes it. */
function answersOf({ prefix, routes }: Dialect, transcript: string): Json {
  const found: Json = {};
  for (const [, method, address = '', status, text = ''] of transcript.matchAll(
    /```\n([A-Z]+) (\S+)\n[\s\S]*?\n?\n(\d{3})\n([[{].*)\n```/g,
  )) {
    const path = address.split('?')[0] ?? '';
    const row = routes.find((one) => {
      const pattern = (prefix + one.path).replace(/:[A-Za-z_]+/g, '[^/]+').replaceAll('.', '\\.');
      return one.method === method && new RegExp(`^${pattern}$`).test(path);
    });
    const schema = row?.answers[Number(status)]?.schema;
    if (!row || !schema || text.length > MAX_CHARACTERS || `${row.operation} ${status}` in found) continue;
    const value: unknown = JSON.parse(text);
    if (schema.safeParse(value).success) found[`${row.operation} ${status}`] = value;
  }
  return found;
}

function eventsOf({ events = [] }: Dialect, golden: Json): Json {
  const bodies = Object.values(golden) as { event: string }[];
  return Object.fromEntries(
    events
      .flatMap(({ name }) => bodies.filter(({ event }) => event === name).slice(0, 1))
      .map((body) => [body.event, body]),
  );
}

test.each([bridgesDialect, linesDialect])('examples of the $title are recorded ones', async (dialect) => {
  const events = eventsOf(dialect, JSON.parse(read(`./golden/webhooks.${dialect.name}.json`)) as Json);
  const answers = answersOf(dialect, read(`../../../docs/${dialect.name}-transcript.md`));
  expect(Object.keys(events).length).toBeGreaterThan((dialect.events ?? []).length / 2);
  expect(Object.keys(answers).length).toBeGreaterThan(10);
  const text = `${JSON.stringify({ answers, events }, null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(`../src/http/openapi/generated/recorded.${dialect.name}.json`);
});
