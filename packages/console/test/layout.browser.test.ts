import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, openBench } from './bench.ts';
import { canBrowse } from './browser.ts';
import { layoutFaults } from './layout.ts';

const FIVE_MINUTES_MS = 300_000;
const WIDTHS = [
  { width: 390, height: 844 },
  { width: 1024, height: 768 },
  { width: 1440, height: 900 },
];
/**
 * As long as the API lets it be, without a place to break; and one that reads from right to left.
 */
const LONG = 'W'.repeat(128);
const ARABIC = 'خدمة العملاء والدعم الفني للمتاجر في الخليج العربي';
const UNBROKEN = 'https://example.com/'.padEnd(1_700, 'x');

describe.skipIf(!canBrowse)('every page holds what people really have', { timeout: FIVE_MINUTES_MS }, () => {
  let bench: Bench;
  let pages: string[];

  beforeAll(async () => {
    bench = await openBench();
    const { ask, hook } = bench;
    const { lineId, phone } = await bench.pairedLine(LONG);
    await bench.pairedLine(ARABIC);
    await ask('POST', '/lines', { label: LONG, customer_ref: `ref-${'9'.repeat(100)}` });
    for (const name of ['Ana', ARABIC, LONG.slice(0, 25)]) {
      const from = await bench.newPhone(name);
      await bench.write(from, phone, UNBROKEN);
      await bench.write(from, phone, ARABIC);
    }
    const { id } = await ask<{ id: string }>('POST', '/webhooks', {
      url: `${hook.url}?${'q'.repeat(300)}`,
      events: ['*'],
      description: LONG,
    });
    await ask('POST', '/keys', { name: LONG.slice(0, 100) });
    await ask('POST', '/users', { name: LONG.slice(0, 100), email: `${'e'.repeat(60)}@example.com`, role: 'viewer' });
    const { key } = await ask<{ key: string }>('POST', '/keys', { name: ARABIC, approval: 'required' });
    await fetch(`${bench.product.url}/api/bridge/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name: 'bridge_send_message',
          arguments: { line_id: lineId, to: `+${phone}`, message: UNBROKEN },
        },
      }),
    });
    const { chats } = await ask<{ chats: { jid: string }[] }>('GET', `/chats?line_id=${lineId}`);
    pages = [
      '/',
      '/lines',
      `/lines/${lineId}`,
      `/lines/${lineId}/chats`,
      `/lines/${lineId}/chats?chat=${encodeURIComponent(String(chats[0]?.jid))}`,
      '/keys',
      '/approvals',
      '/webhooks',
      `/webhooks/${id}`,
      '/log',
      '/search?q=example',
      '/usage',
      '/playground',
      '/settings',
      '/docs/api',
      '/docs',
      '/docs/webhooks',
      '/docs/errors',
      '/docs/lines-transcript',
    ];
    await bench.page.route('**/api/console/v1/**', big);
    await bench.page.route('**/assets/**', kept);
  }, FIVE_MINUTES_MS);
  afterAll(() => bench?.close());

  /**
   * Files with a hash in their name are fetched once, as browsers do: Chromium's own cache is off
   * while requests are routed, and the whole sweep would spend the address's budget.
   */
  const files = new Map<string, { headers: Record<string, string>; body: Buffer }>();
  async function kept(route: Parameters<Parameters<Page['route']>[1]>[0]): Promise<void> {
    const url = route.request().url();
    let file = files.get(url);
    if (!file) {
      const response = await route.fetch();
      if (!response.ok()) return route.fulfill({ response });
      const { 'content-encoding': _coding, 'content-length': _length, ...headers } = response.headers();
      file = { headers, body: await response.body() };
      files.set(url, file);
    }
    return route.fulfill(file);
  }

  /** Answers with counts of five digits, as after a busy year. */
  async function big(route: Parameters<Parameters<Page['route']>[1]>[0]): Promise<void> {
    const path = new URL(route.request().url()).pathname;
    if (!/\/(activity|chats|queue|usage|process)$/.test(path) || route.request().method() !== 'GET') {
      return route.continue();
    }
    const response = await route.fetch();
    const grown = JSON.parse(await response.text(), (name, value: unknown) => {
      if (['waiting', 'received', 'sent', 'failed', 'unread_count', 'depth', 'scheduled', 'used'].includes(name)) {
        return typeof value === 'number' ? 98_765 : value;
      }
      return name === 'hours' ? Array.from({ length: 24 }, (_, hour) => hour * 4_321) : value;
    });
    return route.fulfill({ response, json: grown });
  }

  for (const [locale, loading] of [
    ['en', 'Loading …'],
    ['es', 'Cargando…'],
    ['pt', 'Carregando…'],
  ] as const) {
    it(`in ${locale}, at three widths`, async () => {
      const { page, product } = bench;
      await page.evaluate(`localStorage.setItem('ponte.locale', '${locale}')`);
      const found: Record<string, string[]> = {};
      for (const path of pages) {
        await page.goto(`${product.url}${path}${path.includes('?') ? '&' : '?'}mode=test`);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.waitForLoadState('load');
        await expect.poll(() => page.getByText(loading).count(), { timeout: 20_000 }).toBe(0);
        for (const size of WIDTHS) {
          await page.setViewportSize(size);
          // One frame for what follows the width, such as charts.
          await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
          const faults = await layoutFaults(page);
          if (faults.length > 0) found[`${path} at ${size.width}`] = faults;
          if (process.env.LAYOUT_SCREENS) {
            const name = path.replace(/\/(line|wh)\w+/, '/one').replace(/\W+/g, '-');
            await page.screenshot({ path: `${process.env.LAYOUT_SCREENS}/${locale}${name}-${size.width}.png` });
          }
        }
      }
      expect(found).toEqual({});
    });
  }
});
