import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, openBench } from './bench.ts';
import { canBrowse, violations } from './browser.ts';

const TWO_MINUTES_MS = 120_000;

describe.skipIf(!canBrowse)('webhooks of both formats', { timeout: TWO_MINUTES_MS }, () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench();
  }, TWO_MINUTES_MS);
  afterAll(() => bench?.close());

  it('one of the Bridges API is on the same page: its log, its events, on and off', async () => {
    const { page, product, ask, hook } = bench;
    const { lineId, phone } = await bench.pairedLine('Shop');
    await ask('PUT', `/lines/${lineId}/webhook-url`, { url: hook.url });
    await bench.write(await bench.newPhone('Ana'), phone, 'Hello');
    await expect.poll(() => hook.received.map(({ event }) => event), { timeout: 20_000 }).toContain('message');
    await page.goto(`${product.url}/webhooks?mode=test`);
    const card = page.getByRole('listitem').filter({ hasText: 'Bridges format' });
    await card.getByRole('link', { name: 'Deliveries' }).click();
    await page.getByRole('listitem').filter({ hasText: 'message.received' }).first().waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Edit' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Events').first().selectOption('some');
    expect(await dialog.getByRole('checkbox', { checked: true }).count()).toBeGreaterThan(1);
    await dialog.getByLabel('URL').fill('http://93.184.216.34/hook');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Plain http is for hosts in ALLOW_PRIVATE_TARGETS only').waitFor();
    await dialog.getByLabel('URL').fill(`${hook.url}/second`);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByRole('heading', { level: 1, name: '/second' }).waitFor();
    await page.getByRole('button', { name: 'Switch off' }).click();
    await page.getByText('Off', { exact: true }).waitFor();
  });

  it('the log can be narrowed to every event that there is', async () => {
    const { page, product, ask, hook } = bench;
    const { id } = await ask<{ id: string }>('POST', '/webhooks', { url: hook.url, events: ['*'] });
    await page.goto(`${product.url}/webhooks/${id}?mode=test`);
    const options = page.getByLabel('Event', { exact: true }).getByRole('option');
    await options.nth(3).waitFor({ state: 'attached' });
    expect(await options.allInnerTexts()).toEqual(
      expect.arrayContaining(['message.received', 'message.undecryptable', 'webhook.disabled', 'line.status']),
    );
  });

  it('asked no other host for anything, and threw nothing', () => expect(bench.faults).toEqual([]));
});
