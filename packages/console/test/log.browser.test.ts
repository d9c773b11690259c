import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, openBench } from './bench.ts';
import { canBrowse, picture, violations } from './browser.ts';

const TWO_MINUTES_MS = 120_000;

describe.skipIf(!canBrowse)('the log', { timeout: TWO_MINUTES_MS }, () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench();
  }, TWO_MINUTES_MS);
  afterAll(() => bench?.close());
  afterEach(() => bench.clear());

  /** A line, a webhook that hears of its sends, and a call that sends through it. */
  const sender = async () => {
    const { product, ask, hook } = bench;
    const { lineId } = await bench.pairedLine('Shop');
    const ana = await bench.newPhone('Ana');
    await ask('POST', '/webhooks', { url: hook.url, events: ['message.sent'] });
    const { key } = await ask<{ key: string }>('POST', '/keys', { name: 'app' });
    return (id: string, message: string) =>
      fetch(`${product.url}/api/bridge/v1/messages/send`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'x-request-id': id },
        body: JSON.stringify({ line_id: lineId, to: `+${ana}`, message }),
      });
  };

  it('leads from a request id to the event and the attempt to deliver it', async () => {
    const { page, product } = bench;
    const send = await sender();
    await page.goto(`${product.url}/log?mode=test`);
    await page.getByRole('heading', { level: 1, name: 'Log' }).waitFor();
    expect((await send('req-of-the-test', 'never shown')).status).toBe(200);
    await page.getByRole('listitem').filter({ hasText: 'POST /api/bridge/v1/messages/send' }).first().waitFor();
    await page.getByRole('searchbox').fill('req-of-the-test');
    await page.getByRole('listitem').filter({ hasText: 'message.sent → whk_' }).getByText('200 (1)').first().waitFor();
    expect(await page.getByRole('main').getByRole('listitem').allInnerTexts()).toEqual(
      expect.arrayContaining([
        expect.stringContaining('POST /api/bridge/v1/messages/send'),
        expect.stringMatching(/Event[\s\S]*message\.sent/),
        expect.stringMatching(/Delivery[\s\S]*message\.sent → whk_/),
      ]),
    );
    expect(new URL(page.url()).searchParams.get('q')).toBe('req-of-the-test');
    await page
      .getByRole('button', { name: /^Details\s*: POST/ })
      .first()
      .click();
    await page.getByText('Bodies are kept only while').waitFor();
    expect(await violations(page)).toEqual([]);
    await picture(page, 'log');
  });

  it('stands still while it is paused', async () => {
    const { page, product } = bench;
    const send = await sender();
    await send('req-before-the-pause', 'never shown');
    await page.goto(`${product.url}/log?mode=test`);
    await page.getByRole('main').getByRole('listitem').filter({ hasText: '→ whk_' }).first().waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused: nothing new is shown.').waitFor();
    let asked = 0;
    page.on('request', (request) => (asked += request.url().endsWith('/v1/log') ? 1 : 0));
    await page.getByRole('button', { name: 'Keep bodies for an hour' }).waitFor();
    await page.getByLabel('Deliveries').uncheck();
    await expect.poll(() => page.getByRole('main').getByRole('listitem').filter({ hasText: '→ whk_' }).count()).toBe(0);
    expect(asked).toBe(0);
    await page.getByRole('button', { name: 'Go on' }).click();
    await expect.poll(() => asked, { timeout: 20_000 }).toBeGreaterThan(0);
  });

  it('a time that is told by its distance is exact when it is pointed at', async () => {
    const { page, product } = bench;
    // Of a key the last use is told.
    const send = await sender();
    await send('req-that-uses-the-key', 'never shown');
    await page.goto(`${product.url}/keys?mode=test`);
    const time = page.getByRole('main').locator('time').first();
    await time.waitFor();
    const at = String(await time.getAttribute('datetime'));
    const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(at));
    // Browsers put a narrow space where Node may put a wide one.
    const plain = (text: string | null) => String(text).replace(/\s/g, ' ');
    expect(plain(await time.getAttribute('title'))).toBe(plain(exact));
  });

  it('asked no other host for anything, and threw nothing', () => expect(bench.faults).toEqual([]));
});
