import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canBrowse, launch, signUp, WIDE } from './browser.ts';
import { type Product, startProduct } from './product.ts';

const TWO_MINUTES_MS = 120_000;
const TABS = 10;
/** Nothing is delivered here. */
const NO_HOOK = 9;

describe.skipIf(!canBrowse)('many tabs of one browser', { timeout: TWO_MINUTES_MS }, () => {
  let product: Product;
  let browser: Browser;
  let storageState: Awaited<ReturnType<BrowserContext['storageState']>>;

  beforeAll(async () => {
    product = await startProduct(NO_HOOK);
    browser = await launch();
    const context = await browser.newContext({ viewport: WIDE, locale: 'en-US' });
    await signUp(await context.newPage(), product.setUpLink);
    storageState = await context.storageState();
    await context.close();
  }, TWO_MINUTES_MS);
  afterAll(async () => {
    await browser?.close();
    await product?.close();
  });

  /** A browser that is signed in; its pages run `script` first. */
  const open = async (script?: string): Promise<BrowserContext> => {
    const context = await browser.newContext({ viewport: WIDE, locale: 'en-US', storageState });
    context.setDefaultTimeout(20_000);
    if (script) await context.addInitScript(script);
    return context;
  };
  const create = (page: Page, label: string, mode: 'test' | 'live' = 'test') =>
    page.evaluate(
      `fetch('/api/console/v1/lines', {
        method: 'POST',
        headers: { 'x-ponte-console': '1', 'x-ponte-mode': '${mode}', 'content-type': 'application/json' },
        body: JSON.stringify({ label: ${JSON.stringify(label)} }),
      }).then((answer) => answer.json()).then(({ line_id }) => line_id)`,
    ) as Promise<string>;

  for (const [way, script] of [
    ['a shared worker', undefined],
    ['an election among the pages, where there are no shared workers', 'delete globalThis.SharedWorker'],
  ] as const) {
    it(`ten of them load, and all hear the news over one connection, by ${way}`, async () => {
      const context = await open(script);
      try {
        const pages: Page[] = [];
        for (let i = 0; i < TABS; i += 1) {
          const page = await context.newPage();
          pages.push(page);
          await page.goto(`${product.url}/lines?mode=${i % 2 === 0 ? 'test' : 'live'}`);
          await page.getByText('In sync').first().waitFor();
        }
        const [first] = pages as [Page];
        await create(first, `Told by ${way}`);
        await create(first, `Told by ${way}`, 'live');
        for (const page of pages) await page.getByText(`Told by ${way}`).first().waitFor();
        // Whichever page held the connection: the others go on without it.
        for (const page of pages.splice(0, TABS / 2)) await page.close();
        await create(pages[0] as Page, `Told later by ${way}`);
        await create(pages[0] as Page, `Told later by ${way}`, 'live');
        for (const page of pages) await page.getByText(`Told later by ${way}`).first().waitFor();
      } finally {
        await context.close();
      }
    });
  }

  it('one tab may be navigated by hand as often as one likes, and back again', async () => {
    const context = await open();
    try {
      const page = await context.newPage();
      for (let i = 0; i < TABS; i += 1) {
        await page.goto(`${product.url}/keys?mode=test&visit=${i}`);
        await page.getByText('No keys yet').or(page.getByText('quick start')).first().waitFor();
      }
      for (let i = 0; i < 3; i += 1) {
        await page.goBack();
        await page.getByText('In sync').first().waitFor();
      }
    } finally {
      await context.close();
    }
  });

  it('each shows the mode of its own address; a link to an object is right in any mode', async () => {
    const context = await open();
    try {
      const page = await context.newPage();
      await page.goto(`${product.url}/lines?mode=test`);
      const lineId = await create(page, 'A live line', 'live');
      const other = await context.newPage();
      await other.goto(`${product.url}/lines?mode=live`);
      await other.getByText('Live mode: what you do here happens on WhatsApp.').waitFor();
      await page.reload();
      expect(await page.getByRole('radio', { name: 'Test' }).isChecked()).toBe(true);
      await page.goto(`${product.url}/lines/${lineId}?mode=test`);
      await page.getByRole('heading', { level: 1, name: 'A live line' }).waitFor();
      expect(new URL(page.url()).searchParams.get('mode')).toBe('live');
      expect(await page.title()).toContain('A live line');
      await page.getByText('Test', { exact: true }).first().click();
      await page.getByRole('heading', { level: 1, name: 'Lines' }).waitFor();
      expect(new URL(page.url()).search).toBe('?mode=test');
      expect(await other.getByRole('radio', { name: 'Live' }).isChecked()).toBe(true);
    } finally {
      await context.close();
    }
  });

  it('a link is kept whole over the sign-in', async () => {
    const context = await browser.newContext({ viewport: WIDE, locale: 'en-US' });
    try {
      const page = await context.newPage();
      await page.goto(`${product.url}/playground?mode=live&op=listLines`);
      await page.getByLabel('E-mail address').fill('olga@example.com');
      await page.getByLabel('Password').fill('correct horse battery');
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await page.getByRole('heading', { level: 1, name: 'Playground' }).waitFor();
      expect(new URL(page.url()).search).toBe('?mode=live&op=listLines');
    } finally {
      await context.close();
    }
  });

  it('says that the server does not answer, on the page, and goes on when it does', async () => {
    const context = await open();
    try {
      const page = await context.newPage();
      await page.goto(`${product.url}/lines?mode=test`);
      await page.getByRole('heading', { level: 1, name: 'Lines' }).waitFor();
      await context.setOffline(true);
      await page.getByRole('link', { name: 'Webhooks' }).first().click();
      await page.getByText('The server does not answer. Is it running?').first().waitFor();
      await context.setOffline(false);
      await page.getByRole('button', { name: 'Try again' }).first().click();
      await page.getByRole('heading', { level: 1, name: 'Webhooks' }).waitFor();
    } finally {
      await context.close();
    }
  });
});
