import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, openBench } from './bench.ts';
import { canBrowse, violations } from './browser.ts';

const TWO_MINUTES_MS = 120_000;

describe.skipIf(!canBrowse)('the command palette', { timeout: TWO_MINUTES_MS }, () => {
  let bench: Bench;
  let lineId: string;
  let phone: string;
  beforeAll(async () => {
    bench = await openBench();
    ({ lineId, phone } = await bench.pairedLine('Shop'));
    await bench.ask('POST', '/lines', { label: 'Bakery' });
    await bench.ask('POST', '/webhooks', { url: bench.hook.url, events: ['*'], description: 'Stock' });
  }, TWO_MINUTES_MS);
  afterAll(() => bench?.close());

  const box = () => bench.page.getByRole('combobox', { name: 'Page, line, webhook or action' });
  const current = () => bench.page.getByRole('option', { selected: true });
  const open = async () => {
    await bench.page.keyboard.press('Control+k');
    await box().waitFor();
  };

  it('goes to a line by a part of its number, by keyboard alone', async () => {
    const { page, product } = bench;
    await page.goto(`${product.url}/lines?mode=test`);
    await page.getByRole('link', { name: 'Bakery' }).waitFor();
    await open();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.type(phone.slice(3));
    await expect.poll(() => current().innerText()).toMatch(/^Shop/);
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => current().innerText()).toMatch(/^Chats of Shop/);
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/lines/${lineId}/chats?mode=test`);
  });

  it('goes round at both ends, and says when nothing fits', async () => {
    const { page, product } = bench;
    await page.goto(`${product.url}/lines?mode=test`);
    await page.getByRole('link', { name: 'Bakery' }).waitFor();
    await open();
    const first = await current().innerText();
    await page.keyboard.press('ArrowUp');
    await expect.poll(() => current().innerText()).not.toBe(first);
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => current().innerText()).toBe(first);
    await page.keyboard.type('ø');
    await page.getByText('Nothing fits.').waitFor();
    await page.keyboard.press('Enter');
    await box().waitFor();
    await page.keyboard.press('Escape');
    await box().waitFor({ state: 'detached' });
  });

  it('goes to a webhook and to pages, and acts', async () => {
    const { page, product } = bench;
    await page.goto(`${product.url}/lines?mode=test`);
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await box().fill('stock');
    await page.getByRole('option', { name: /^Stock/ }).click();
    await page.getByRole('region', { name: 'Deliveries', exact: true }).waitFor();
    await open();
    await page.keyboard.type('api keys');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'API keys' }).waitFor();
    await open();
    await page.keyboard.type('dark theme');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Light theme' }).first().waitFor();
    await open();
    await page.keyboard.type('switch live');
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/lines?mode=live');
  });

  it('finds messages of all lines, each leading to its chat', async () => {
    const { page, product } = bench;
    const second = await bench.pairedLine('Depot');
    const from = await bench.newPhone('Ana');
    await bench.write(from, phone, 'The parcel is late');
    await bench.write(from, second.phone, 'Which parcel?');
    await bench.write(from, second.phone, 'Good morning');
    await expect
      .poll(async () => {
        const path = `/messages?line_id=${second.lineId}&q=morning`;
        return (await bench.ask<{ messages: unknown[] }>('GET', path)).messages.length;
      })
      .toBe(1);
    await page.goto(`${product.url}/lines?mode=test`);
    await page.getByRole('link', { name: 'Search in all lines' }).waitFor();
    await open();
    await page.keyboard.type('parcel');
    await page.keyboard.press('Enter');
    const hits = page.getByRole('region', { name: 'Search messages' }).getByRole('listitem');
    await expect.poll(() => hits.count()).toBe(2);
    await hits.filter({ hasText: 'Depot' }).getByText('Which parcel?').waitFor();
    await hits.filter({ hasText: 'Shop' }).getByText('The parcel is late').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('searchbox').fill('no such word');
    await page.keyboard.press('Enter');
    await page.getByText('No line has such a message.').waitFor();
    await page.goBack();
    await hits.filter({ hasText: 'The parcel is late' }).getByRole('link').click();
    await page.getByRole('region', { name: 'Ana' }).getByText('The parcel is late').waitFor();
  });

  it('asked no other host for anything, and threw nothing', () => expect(bench.faults).toEqual([]));
});
