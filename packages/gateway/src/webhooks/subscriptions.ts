import type { Store } from '../store/db/store.ts';
import { listSelectors, refreshSelector } from '../store/webhooks/subscriptions.ts';
import { type FormatName, selectorsFor, type WebhookFormats } from './format.ts';

/**
 * Brings what webhooks select up to what their names mean in this version: a `*` written by an
 * older one covers events that came later. Answers how many changed.
 */
export async function refreshSelectors(store: Store, formats: WebhookFormats): Promise<number> {
  let changed = 0;
  for (const row of await listSelectors(store.db)) {
    const format = formats[row.format satisfies FormatName];
    const selectors = JSON.stringify(selectorsFor(format, JSON.parse(row.events) as string[]));
    if (selectors === row.selectors) continue;
    if (await refreshSelector(store.db, row, selectors)) changed += 1;
  }
  return changed;
}
