import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launch, signUp, WIDE, watch } from './browser.ts';
import { type Hook, type Product, startHook, startProduct } from './product.ts';

/** The product with an owner who is signed in, and what a test needs to set up its own data. */
export interface Bench {
  product: Product;
  hook: Hook;
  browser: Browser;
  context: BrowserContext;
  page: Page;
  /** Everything a page did that it must not. */
  faults: string[];
  /** The console's own API, as the owner. Throws for refusals. */
  ask<T = Record<string, unknown>>(method: string, path: string, body?: unknown, mode?: 'test' | 'live'): Promise<T>;
  /** A test line linked to a virtual phone. */
  pairedLine(label: string): Promise<{ lineId: string; phone: string }>;
  /** A further virtual phone; answers its number without `+`. */
  newPhone(name: string): Promise<string>;
  /** Writes to a line from a virtual phone. */
  write(from: string, to: string, body: string): Promise<void>;
  /** Deletes all lines, webhooks and virtual phones: no test meets what another one left. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export async function openBench(): Promise<Bench> {
  const hook = await startHook();
  const product = await startProduct(hook.port);
  const browser = await launch();
  const context = await browser.newContext({
    viewport: WIDE,
    locale: 'en-US',
    colorScheme: 'light',
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const faults = watch(page, product.url);
  await signUp(page, product.setUpLink);
  const cookie = (await context.cookies(product.url)).map(({ name, value }) => `${name}=${value}`).join('; ');
  let phones = 0;

  const ask: Bench['ask'] = async (method, path, body, mode = 'test') => {
    const response = await fetch(`${product.url}/api/console/v1${path}`, {
      method,
      headers: {
        cookie,
        origin: product.url,
        'x-ponte-console': '1',
        'x-ponte-mode': mode,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const newPhone = async (name: string) => {
    phones += 1;
    const phone = `1555000${String(phones).padStart(4, '0')}`;
    await ask('POST', '/sandbox/phones', { phone, name });
    return phone;
  };
  return {
    product,
    hook,
    browser,
    context,
    page,
    faults,
    ask,
    newPhone,
    async pairedLine(label) {
      const phone = await newPhone(label.slice(0, 20));
      const { line_id: lineId } = await ask<{ line_id: string }>('POST', '/lines', { label });
      await ask('POST', `/sandbox/phones/${phone}/scan`, { line_id: lineId });
      for (;;) {
        const { status } = await ask<{ status: string }>('GET', `/lines/${lineId}`);
        if (status === 'connected') return { lineId, phone };
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async write(from, to, body) {
      await ask('POST', `/sandbox/phones/${from}/messages`, { to, type: 'text', body });
    },
    async clear() {
      const { webhooks } = await ask<{ webhooks: { id: string }[] }>('GET', '/endpoints');
      for (const { id } of webhooks) await ask('DELETE', `/webhooks/${id}`);
      const { lines } = await ask<{ lines: { line_id: string }[] }>('GET', '/lines');
      for (const { line_id: id } of lines) await ask('DELETE', `/lines/${id}`);
      for (const { phone } of await ask<{ phone: string }[]>('GET', '/sandbox/phones')) {
        await ask('DELETE', `/sandbox/phones/${phone}`);
      }
    },
    async close() {
      await browser.close();
      await product.close();
      await hook.close();
    },
  };
}
