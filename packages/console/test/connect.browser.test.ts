import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, openBench } from './bench.ts';
import { canBrowse, violations, watch } from './browser.ts';
import { layoutFaults } from './layout.ts';

const TWO_MINUTES_MS = 120_000;
const LOGO =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

describe.skipIf(!canBrowse)('the page for the owner of a number', { timeout: TWO_MINUTES_MS }, () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench();
  }, TWO_MINUTES_MS);
  afterAll(() => bench?.close());

  async function link(look: Record<string, unknown> = {}): Promise<{ lineId: string; url: string }> {
    const { line_id: lineId } = await bench.ask<{ line_id: string }>('POST', '/lines', {});
    return { lineId, url: (await bench.ask<{ url: string }>('POST', `/lines/${lineId}/connect-link`, look)).url };
  }

  async function visit(
    url: string,
    { locale = 'en-US', isPhone = false }: { locale?: string; isPhone?: boolean },
    work: (page: Page, faults: string[]) => Promise<void>,
  ): Promise<void> {
    const context = await bench.browser.newContext({
      locale,
      reducedMotion: 'reduce',
      viewport: isPhone ? { width: 390, height: 844 } : { width: 1280, height: 900 },
      hasTouch: isPhone,
      isMobile: isPhone,
    });
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      const faults = watch(page, new URL(url).origin);
      await page.goto(url);
      await work(page, faults);
      expect(faults).toEqual([]);
    } finally {
      await context.close();
    }
  }

  async function inspect(page: Page): Promise<void> {
    expect(await layoutFaults(page)).toEqual([]);
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page)).toEqual([]);
    }
  }

  it('asks for the number first on a phone, in its language, with the name of who asks', async () => {
    const { url } = await link({ name: 'W'.repeat(64), logo: LOGO, colour: '#ffe066' });
    await visit(url, { locale: 'es-MX', isPhone: true }, async (page) => {
      await page.getByRole('heading', { name: 'Conectar WhatsApp' }).waitFor();
      await page.getByText(`${'W'.repeat(64)} le pide`).waitFor();
      await page.getByLabel('Número de este WhatsApp').waitFor();
      expect(await page.locator('#by-qr').isVisible()).toBe(false);
      await inspect(page);
      await page.getByLabel('Número de este WhatsApp').fill('hola');
      await page.getByRole('button', { name: 'Obtener un código' }).click();
      await page.getByText('No es un número de teléfono').waitFor();
      await page.getByRole('button', { name: 'Usar un código QR' }).click();
      await page.getByRole('img', { name: 'Código QR' }).waitFor();
      await inspect(page);
    });
  });

  it('shows the QR first on a desktop, only to the browser that asked for it, and goes on at the end', async () => {
    const redirect = 'https://shop.example/done';
    const { lineId, url } = await link({ name: 'Café Olé', colour: '#10204a', redirect_url: redirect });
    await visit(url, { locale: 'pt-BR' }, async (page) => {
      await page.getByRole('heading', { name: 'Conectar o WhatsApp' }).waitFor();
      await inspect(page);
      await page.getByRole('button', { name: 'Mostrar o código QR' }).click();
      await page.getByRole('img', { name: 'Código QR' }).waitFor();
      await visit(url, {}, async (other) => {
        await other.getByText('This link is open elsewhere').waitFor();
        await inspect(other);
      });
      // A reload is the same browser.
      await page.reload();
      await page.getByRole('button', { name: 'Mostrar o código QR' }).click();
      await page.getByRole('img', { name: 'Código QR' }).waitFor();
      let led = '';
      await page.context().route('https://shop.example/**', (route) => {
        led = route.request().url();
        return route.fulfill({ contentType: 'text/html', body: '<title>Shop</title>' });
      });
      page.removeAllListeners('request');
      const phone = '15550108888';
      await bench.ask('POST', '/sandbox/phones', { phone, name: 'Olé' });
      await bench.ask('POST', `/sandbox/phones/${phone}/scan`, { line_id: lineId });
      await page.waitForURL(`${redirect}?status=connected&line_id=${lineId}`);
      expect(led).toBe(`${redirect}?status=connected&line_id=${lineId}`);
    });
  });

  it('can stand in a page of the operator, and tells it', async () => {
    let framed = '';
    const operator = createServer((_request, response) => {
      const script = `addEventListener('message', (event) => { window.told = event.data; })`;
      response
        .setHeader('content-type', 'text/html')
        .end(`<title>Operator</title><script>${script}</script><iframe src="${framed}"></iframe>`);
    });
    operator.listen(0, '127.0.0.1');
    await once(operator, 'listening');
    const origin = `http://127.0.0.1:${(operator.address() as AddressInfo).port}`;
    const { lineId, url } = await link({ embed_origins: [origin] });
    const context = await bench.browser.newContext();
    try {
      const page = await context.newPage();
      framed = (await link()).url;
      const refused = page.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()));
      await page.goto(origin);
      await refused;
      framed = url;
      await page.goto(origin);
      await page.frameLocator('iframe').getByRole('button', { name: 'Show the QR code' }).click();
      await page.frameLocator('iframe').getByRole('img').waitFor();
      const phone = '15550109999';
      await bench.ask('POST', '/sandbox/phones', { phone, name: 'Framed' });
      await bench.ask('POST', `/sandbox/phones/${phone}/scan`, { line_id: lineId });
      await expect
        .poll(() => page.evaluate('window.told'), { timeout: 20_000 })
        .toEqual({ type: 'ponte.connected', line_id: lineId });
    } finally {
      await context.close();
      operator.closeAllConnections();
      operator.close();
    }
  });

  it('is given its look in the console, which shows it before and keeps it for the next link', async () => {
    const { line_id: lineId } = await bench.ask<{ line_id: string }>('POST', '/lines', { label: 'Branch' });
    const { page } = bench;
    await page.goto(`${bench.product.url}/lines/${lineId}`);
    await page.getByRole('button', { name: 'Pair a phone' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('How the page looks').click();
    await dialog.getByLabel('Your name').fill('Café Olé');
    await dialog.getByText('Café Olé asks you').waitFor();
    await dialog.getByLabel('A colour of your own').check();
    await dialog.locator('input[type=color]').fill('#10204a');
    await dialog.locator('input[type=file]').setInputFiles({
      name: 'logo.png',
      mimeType: 'image/png',
      buffer: Buffer.from(LOGO.split(',')[1] ?? '', 'base64'),
    });
    await dialog.getByRole('button', { name: 'Remove the logo' }).waitFor();
    await dialog.getByLabel('Language').selectOption('es');
    await dialog.getByLabel('Where the browser goes').fill('http://shop.example/done');
    await dialog.getByLabel('Pages that may show it').fill('https://app.example\nhttps://two.example');
    await inspect(page);
    // What the server refuses stands at its field.
    await dialog.getByRole('button', { name: 'Make a link to send' }).click();
    await dialog.locator('p', { hasText: 'Use an https address' }).first().waitFor();
    await dialog.getByLabel('Where the browser goes').fill('https://shop.example/done');
    await dialog.getByRole('button', { name: 'Make a link to send' }).click();
    const url = await dialog.locator('code', { hasText: '/connect/' }).innerText();
    expect(await (await fetch(url)).headers.get('content-security-policy')).toContain(
      'frame-ancestors https://app.example https://two.example',
    );
    await visit(url, { locale: 'en-US' }, async (shown) => {
      await shown.getByRole('heading', { name: 'Conectar WhatsApp' }).waitFor();
      await shown.getByText('Café Olé le pide').waitFor();
      await shown.locator('#logo').waitFor();
      expect(await shown.evaluate(() => document.documentElement.style.getPropertyValue('--brand'))).toBe('#10204a');
    });
    await page.reload();
    await page.getByRole('button', { name: 'Pair a phone' }).click();
    await dialog.getByText('How the page looks').click();
    expect(await dialog.getByLabel('Your name').inputValue()).toBe('Café Olé');
    await dialog.getByRole('button', { name: 'Remove the logo' }).waitFor();
  });
});
