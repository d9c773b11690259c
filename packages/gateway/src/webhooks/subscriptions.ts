import type { Store } from '../store/db/store.ts';
import { type FormatName, selectorsFor, type WebhookFormats } from './format.ts';

/**
 * Brings what webhooks select up to what their names mean in this version: a `*` written by an
 * older one covers events that came later. Answers how many changed.
 */
export async function refreshSelectors(store: Store, formats: WebhookFormats): Promise<number> {
  const rows = await store.db.selectFrom('webhooks').select(['id', 'format', 'events', 'selectors']).execute();
  let changed = 0;
  for (const row of rows) {
    const format = formats[row.format satisfies FormatName];
    const selectors = JSON.stringify(selectorsFor(format, JSON.parse(row.events) as string[]));
    if (selectors === row.selectors) continue;
    // Only as long as its owner did not change it meanwhile.
    const update = store.db.updateTable('webhooks').set({ selectors }).where('id', '=', row.id);
    const done = await update.where('events', '=', row.events).executeTakeFirst();
    changed += Number(done.numUpdatedRows);
  }
  return changed;
}
