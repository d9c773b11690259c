import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../test/store-harness.ts';
import { dumpSchema } from './dump-schema.ts';

const golden = (engine: string) => join(import.meta.dirname, `../../test/golden/schema.${engine}.sql`);

forEachStore((open, engine) => {
  let opened: TestStore;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(() => opened.close());

  // Changed on purpose only: `npx vitest run packages/gateway/src/store/schema -u` writes it anew, and the change is seen in review.
  test('the migrations make exactly the golden schema', async () => {
    await expect(await dumpSchema(opened.store)).toMatchFileSnapshot(golden(engine));
  });
});
