import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { columnsOf, dumpSchema } from './schema-dump.ts';
import { forEachStore } from './store-harness.ts';

/** Tables and their columns as store/db/schema.ts declares them. */
function declaredColumns(): Map<string, Set<string>> {
  const text = readFileSync(new URL('../src/store/db/schema.ts', import.meta.url), 'utf8');
  const bodies = new Map(
    [...text.matchAll(/^export interface (\w+) \{\n([\s\S]*?)^\}/gm)].map((m) => [m[1], m[2] ?? '']),
  );
  const names = (body: string | undefined) => [...(body ?? '').matchAll(/^ {2}(\w+): '?(\w+)/gm)];
  return new Map(
    names(bodies.get('Database')).map((m) => [m[1] ?? '', new Set(names(bodies.get(m[2])).map((c) => c[1] ?? ''))]),
  );
}

forEachStore((open, engine) => {
  test('the schema is the golden one (a change of it shows in review: run vitest with -u)', async () => {
    const opened = await open();
    try {
      await expect(await dumpSchema(opened.store)).toMatchFileSnapshot(`golden/schema.${engine}.sql`);
    } finally {
      await opened.close();
    }
  });

  test('types and tables name the same columns', async () => {
    const opened = await open();
    try {
      const real = await columnsOf(opened.store);
      real.delete('migrations');
      expect(real).toEqual(declaredColumns());
    } finally {
      await opened.close();
    }
  });
});
