import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canBrowse, launch, picture, violations, WIDE, watch } from './browser.ts';
import { layoutFaults } from './layout.ts';
import { type Product, startProduct } from './product.ts';

const TWO_MINUTES_MS = 120_000;
const NO_HOOK = 9;
const PAGES = ['/docs', '/docs/webhooks', '/docs/errors', '/docs/operating', '/docs/decisions/readme', '/docs/faq'];

describe.skipIf(!canBrowse)('the manual', { timeout: TWO_MINUTES_MS }, () => {
  let product: Product;
  let browser: Browser;
  let page: Page;
  let faults: string[];

  beforeAll(async () => {
    product = await startProduct(NO_HOOK);
    browser = await launch();
    // Who reads it need not be signed in.
    const context = await browser.newContext({ viewport: WIDE, colorScheme: 'light', reducedMotion: 'reduce' });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    faults = watch(page, product.url);
  }, TWO_MINUTES_MS);
  afterAll(async () => {
    await browser?.close();
    await product?.close();
  });

  it.each(PAGES)('%s can be read by everybody, at every width', async (path) => {
    for (const width of [390, 1024, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(product.url + path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect([width, await layoutFaults(page)]).toEqual([width, []]);
    }
    expect(await violations(page)).toEqual([]);
    await picture(page, path.replace(/\W+/g, '-').slice(1));
  });

  it('finds "signature" without asking anybody else, and leads there by the keyboard', async () => {
    await page.goto(`${product.url}/docs`);
    await page.keyboard.press('/');
    await page.getByRole('searchbox', { name: 'Search the documents' }).pressSequentially('signature');
    const hit = page.locator('#found a', { hasText: 'Check the signature' });
    await hit.waitFor();
    expect(await page.getByRole('status').textContent()).toMatch(/^\d+ found\.$/);
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate('document.activeElement.closest("#found") !== null')).toBe(true);
    await hit.click();
    await page.waitForURL('**/docs/webhooks#check-the-signature');
    await page.getByRole('searchbox').fill('qqqzzzxxx');
    await page.locator('#found').getByText('Nothing found.').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#found').waitFor({ state: 'hidden' });
  });

  it('keeps the theme that was chosen, here and in the console', async () => {
    await page.goto(`${product.url}/docs/faq`);
    await page.getByRole('button', { name: 'Dark', exact: true }).click();
    await page.goto(`${product.url}/docs/sending`);
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
    await page.goto(`${product.url}/sign-in`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
  });

  it('is there for programs too, and a page that is not is said to be missing', async () => {
    const get = (path: string) => fetch(product.url + path);
    for (const path of ['/llms.txt', '/llms-full.txt', '/docs/webhooks.md', '/docs/index.md']) {
      const answer = await get(path);
      expect([answer.status, await answer.text()], path).toEqual([200, expect.stringMatching(/^# /)]);
    }
    expect((await get('/docs/webhooks')).headers.get('content-security-policy')).toContain("script-src 'self'");
    expect((await get('/docs/no-such-page')).status).toBe(404);
    expect((await get('/docs/../../package.json')).status).toBe(404);
  });

  it('asked no other host for anything, broke no rule of its CSP, and threw nothing', () => {
    expect(faults).toEqual([]);
  });
});
