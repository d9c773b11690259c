import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, openBench } from './bench.ts';
import { canBrowse, violations } from './browser.ts';

const TWO_MINUTES_MS = 120_000;

describe.skipIf(!canBrowse)('what is done with lists', { timeout: TWO_MINUTES_MS }, () => {
  let bench: Bench;
  let lineId: string;
  let phone: string;
  let webhookId: string;
  beforeAll(async () => {
    bench = await openBench();
    ({ id: webhookId } = await bench.ask<{ id: string }>('POST', '/webhooks', { url: bench.hook.url, events: ['*'] }));
    ({ lineId, phone } = await bench.pairedLine('Shop, north'));
    const from = await bench.newPhone('Ana');
    await bench.write(from, phone, 'Hello');
    await bench.write(from, phone, '=1+1');
  }, TWO_MINUTES_MS);
  afterAll(() => bench?.close());

  const go = (path: string) => bench.page.goto(`${bench.product.url}${path}${path.includes('?') ? '&' : '?'}mode=test`);
  /** What a press of one of the two buttons saves. */
  const saved = async (format: 'CSV' | 'JSON') => {
    const coming = bench.page.waitForEvent('download');
    await bench.page.getByRole('button', { name: `Save what is listed as ${format}` }).click();
    const download = await coming;
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
  };

  it('lines are saved as they are listed', async () => {
    await go('/lines');
    await bench.page.getByRole('link', { name: 'Shop, north' }).waitFor();
    const { name, text } = await saved('CSV');
    expect(name).toMatch(/^ponte-lines-\d{4}-\d\d-\d\d\.csv$/);
    expect(text).toContain(`"Shop, north"`);
    expect(text).toContain(lineId);
    expect(JSON.parse((await saved('JSON')).text)).toMatchObject([{ line_id: lineId, label: 'Shop, north' }]);
    expect(await violations(bench.page)).toEqual([]);
  });

  it('messages of a chat are, and none is a formula', async () => {
    await go(`/lines/${lineId}/chats`);
    await bench.page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name: 'Ana' }).first().click();
    await bench.page.getByRole('region', { name: 'Ana' }).getByText('=1+1').waitFor();
    expect(JSON.parse((await saved('JSON')).text)).toMatchObject([{ body: '=1+1' }, { body: 'Hello' }]);
    expect((await saved('CSV')).text).toContain(",'=1+1,");
  });

  it('deliveries and the audit log are', async () => {
    await expect.poll(() => bench.hook.received.length, { timeout: 20_000 }).toBeGreaterThan(1);
    await go(`/webhooks/${webhookId}`);
    await bench.page.getByRole('listitem').filter({ hasText: 'message.received' }).first().waitFor();
    const deliveries: unknown = JSON.parse((await saved('JSON')).text);
    expect(deliveries).toEqual(
      expect.arrayContaining([expect.objectContaining({ webhook_id: webhookId, status: 'delivered' })]),
    );
    await go('/settings');
    await bench.page.getByRole('cell', { name: 'Created a webhook' }).waitFor();
    expect((await saved('CSV')).text).toContain('createWebhook');
  });

  it('a delivery is found by its id, by that of its event, and by time', async () => {
    const { page } = bench;
    const { deliveries } = await bench.ask<{ deliveries: { id: string; event: { id: string } }[] }>(
      'GET',
      `/webhooks/${webhookId}/deliveries?event=message.received`,
    );
    const shown = page.getByRole('region', { name: 'Deliveries' }).getByRole('listitem');
    await go(`/webhooks/${webhookId}`);
    await expect.poll(() => shown.count()).toBeGreaterThan(1);
    const box = page.getByRole('searchbox', { name: 'Id of a delivery or an event' });
    for (const id of [deliveries[0]?.id, deliveries[1]?.event.id]) {
      await box.fill(String(id));
      await expect.poll(() => shown.count()).toBe(1);
      await shown.getByText('message.received').waitFor();
    }
    await box.fill('');
    await page.getByLabel('Events until').fill('2020-01-01T00:00');
    await page.getByRole('region', { name: 'Deliveries' }).getByText('None.').waitFor();
    await page.getByLabel('Events until').fill('');
    await page.getByLabel('Events from').fill('2020-01-01T00:00');
    await expect.poll(() => shown.count()).toBeGreaterThan(1);
    expect(await violations(page)).toEqual([]);
  });

  it('a filter is kept by name across visits, chosen again, and forgotten', async () => {
    const { page } = bench;
    await go(`/webhooks/${webhookId}`);
    await page.getByLabel('Event', { exact: true }).selectOption('message.received');
    await page.getByRole('button', { name: 'Save this filter' }).click();
    await page.getByLabel('Name of the filter').fill('Only received');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.reload();
    const saved = page.getByLabel('Saved filters');
    await saved.selectOption('Only received');
    expect(await page.getByLabel('Event', { exact: true }).inputValue()).toBe('message.received');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Show everything' }).click();
    expect(await page.getByLabel('Event', { exact: true }).inputValue()).toBe('');
    await saved.selectOption('Only received');
    await page.getByRole('button', { name: 'Forget the filter Only received' }).click();
    await saved.waitFor({ state: 'detached' });
  });

  it('several deliveries go out again at once', async () => {
    const { page, hook } = bench;
    await go(`/webhooks/${webhookId}`);
    const log = page.getByRole('region', { name: 'Deliveries' });
    await log.getByRole('listitem').filter({ hasText: 'line.status' }).first().waitFor();
    await page.getByLabel('Event', { exact: true }).selectOption('message.received');
    const others = log.getByRole('listitem').filter({ hasText: 'line.status' });
    await expect.poll(() => others.count()).toBe(0);
    const shown = await log.getByRole('listitem').count();
    await page.getByRole('button', { name: 'Select several' }).click();
    await page.getByRole('checkbox', { name: 'Select all that are listed' }).check();
    await page.getByText(`${shown} selected`).waitFor();
    expect(await violations(page)).toEqual([]);
    const before = hook.received.length;
    await page.getByRole('button', { name: `Deliver again (${shown})` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Deliver again' }).click();
    await page.getByText(`Done for ${shown}.`).waitFor();
    await expect.poll(() => hook.received.length, { timeout: 20_000 }).toBe(before + shown);
  });

  it('several lines are deleted at once; what is refused stays selected, with the reason', async () => {
    const { page, ask } = bench;
    for (const label of ['First of two', 'Second of two']) await ask('POST', '/lines', { label });
    await go('/lines');
    await page.getByRole('button', { name: 'Select several' }).click();
    await page.getByRole('checkbox', { name: 'Select First of two' }).check();
    await page.getByRole('checkbox', { name: 'Select Second of two' }).check();
    expect(await page.getByRole('button', { name: 'Restart (0)' }).isDisabled()).toBe(true);
    expect(await violations(page)).toEqual([]);
    const refusal = { error: { code: 'boom', message: 'It cannot be now.' } };
    await page.route('**/api/console/v1/lines/*', (route) =>
      route.request().method() === 'DELETE' ? route.fulfill({ status: 409, json: refusal }) : route.continue(),
    );
    const remove = async () => {
      await page.getByRole('button', { name: 'Delete line (2)' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete line' }).click();
    };
    await remove();
    await page.getByText('Refused for 2 of 2, which stay selected: It cannot be now.').waitFor();
    await page.unroute('**/api/console/v1/lines/*');
    await remove();
    await page.getByText('Done for 2.').waitFor();
    await page.getByRole('link', { name: 'of two' }).first().waitFor({ state: 'detached' });
    const { lines } = await ask<{ lines: { line_id: string }[] }>('GET', '/lines');
    expect(lines.map((line) => line.line_id)).toEqual([lineId]);
  });

  it('asked no other host for anything, and threw nothing', () => expect(bench.faults).toEqual([]));
});
