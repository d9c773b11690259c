import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, openBench } from './bench.ts';
import { canBrowse, launch, OWNER, picture, violations, WIDE, watch } from './browser.ts';
import { type Hook, type Product, startHook, startProduct } from './product.ts';

const TWO_MINUTES_MS = 120_000;

/** Looks at the page in both themes, and keeps its picture when asked to. */
async function inspect(page: Page, name: string): Promise<void> {
  expect(await violations(page), name).toEqual([]);
  await picture(page, name);
}

/** What tests say of a page in few words. */
const handsOn = (page: Page) => ({
  dialog: () => page.getByRole('dialog'),
  button: (name: string | RegExp) => page.getByRole('button', { name }),
  /** A secret goes when the person says so, and by nothing else. */
  copied: async () => {
    await page.keyboard.press('Escape');
    await page.mouse.click(5, 5);
    await page.getByRole('dialog').getByRole('button', { name: 'I have copied it' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  },
  goTo: async (name: string) => {
    await page.getByRole('navigation', { name: 'Main menu' }).getByRole('link', { name }).first().click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
  },
});

describe.skipIf(!canBrowse)('a first visit to the console', { timeout: TWO_MINUTES_MS }, () => {
  let hook: Hook;
  let product: Product;
  let browser: Browser;

  beforeAll(async () => {
    hook = await startHook();
    product = await startProduct(hook.port);
    browser = await launch();
  }, TWO_MINUTES_MS);
  afterAll(async () => {
    await browser?.close();
    await product?.close();
    await hook?.close();
  });

  it('goes from an empty data directory to a paired line, messages both ways and a webhook within two minutes', async () => {
    const context = await browser.newContext({
      viewport: WIDE,
      locale: 'en-US',
      colorScheme: 'light',
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const faults = watch(page, product.url);
    const { dialog, button, goTo, copied } = handsOn(page);
    const started = performance.now();
    await page.goto(product.setUpLink);
    await page.getByLabel('Name').fill(OWNER.name);
    await page.getByLabel('E-mail address').fill(OWNER.email);
    await page.getByLabel('Password').fill(OWNER.password);
    await inspect(page, 'set-up');
    await button('Create my account').click();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await goTo('Lines');
    await page.getByText('No lines yet').waitFor();
    await inspect(page, 'lines-empty');

    await goTo('Webhooks');
    await button('New webhook').click();
    await dialog().getByLabel('URL').fill(hook.url);
    await dialog().getByRole('button', { name: 'Create' }).click();
    await dialog()
      .getByText(/wzb_whsec_/)
      .waitFor();
    await copied();

    await goTo('Lines');
    await button('New line').click();
    await dialog().getByLabel('Name').fill('Support');
    await dialog().getByLabel('Your own reference').fill('user-123');
    await dialog().getByRole('button', { name: 'Create' }).click();
    await dialog().getByRole('img', { name: 'QR code to scan with WhatsApp' }).waitFor();
    await dialog().getByRole('button', { name: 'Scan with a virtual phone' }).click();
    await dialog().getByText('Connected').waitFor();
    await dialog().getByRole('button', { name: 'Close' }).last().click();

    await button('Add a phone').click();
    await page.getByRole('textbox', { name: 'Write as Alice' }).fill('Hello, is this support?');
    await page.keyboard.press('Enter');
    await page.getByText('Message from').waitFor();
    await page.getByRole('textbox', { name: 'Send through the line' }).fill('Yes, how can we help?');
    await page.keyboard.press('Enter');
    await page.getByRole('list', { name: 'Chat' }).getByText('Yes, how can we help?').waitFor();
    await expect.poll(() => hook.received.map(({ event }) => event), { timeout: 10_000 }).toContain('message.received');
    const tookMs = performance.now() - started;
    process.stdout.write(`console: the two-minute path took ${(tookMs / 1_000).toFixed(1)} s\n`);
    expect(tookMs).toBeLessThan(TWO_MINUTES_MS);
    expect(faults).toEqual([]);
  });
});

describe.skipIf(!canBrowse)('the console in a browser', { timeout: TWO_MINUTES_MS }, () => {
  let bench: Bench;
  let page: Page;
  let { dialog, button, goTo, copied } = {} as ReturnType<typeof handsOn>;

  beforeAll(async () => {
    bench = await openBench();
    page = bench.page;
    ({ dialog, button, goTo, copied } = handsOn(page));
  }, TWO_MINUTES_MS);
  afterAll(() => bench?.close());
  afterEach(async () => {
    bench.hook.status = 200;
    await bench.clear();
    // It asked no other host for anything, broke no rule of its CSP, and threw nothing.
    expect(bench.faults.splice(0)).toEqual([]);
  });

  const go = (path: string) => page.goto(`${bench.product.url}${path}${path.includes('?') ? '&' : '?'}mode=test`);
  /** A line called Support, to which Alice has written. */
  const support = async () => {
    const { lineId, phone } = await bench.pairedLine('Support');
    const alice = await bench.newPhone('Alice');
    await bench.write(alice, phone, 'Hello, is this support?');
    await expect
      .poll(async () => (await bench.ask<{ chats: unknown[] }>('GET', `/chats?line_id=${lineId}`)).chats.length)
      .toBe(1);
    return { lineId, alice: `+${alice}` };
  };
  /** The page of a line, with the phone of Alice beside it. */
  const openLine = async (lineId: string, alice: string) => {
    await go(`/lines/${lineId}`);
    await page.getByRole('combobox', { name: 'Phone' }).selectOption(alice.slice(1));
    await page.getByRole('textbox', { name: 'Write as Alice' }).waitFor();
  };

  it('tells what happened on the line in plain words, as it happens', async () => {
    const { lineId, alice } = await support();
    await openLine(lineId, alice);
    await bench.ask('POST', '/messages/send', { line_id: lineId, to: alice, message: 'Yes, how can we help?' });
    await page.getByText('Message from +1555', { exact: false }).waitFor();
    await page.getByText('Message was delivered').waitFor();
    await page.getByRole('heading', { name: 'What happened' }).waitFor();
    await inspect(page, 'line');
  });

  it('sends a test message, and shows its end', async () => {
    const { lineId, alice } = await support();
    await openLine(lineId, alice);
    await page.getByLabel('To', { exact: true }).fill(alice);
    await page.getByLabel('Message', { exact: true }).fill('A test from the console');
    await page.getByRole('region', { name: 'Send a message' }).getByRole('button', { name: 'Send' }).click();
    await page.getByText('WhatsApp has it.').waitFor();
    await page.getByRole('list', { name: 'Chat' }).getByText('A test from the console').waitFor();
  });

  it('changes name and pacing of the line', async () => {
    const { line_id: lineId } = await bench.ask<{ line_id: string }>('POST', '/lines', { label: 'Support' });
    await go(`/lines/${lineId}`);
    await page.getByLabel('Name', { exact: true }).fill('Support desk');
    await button('Save').first().click();
    await page.getByRole('heading', { level: 1, name: 'Support desk' }).waitFor();
    await page.getByLabel('Name', { exact: true }).fill('Support');
    await button('Save').first().click();
    await page.getByRole('heading', { level: 1, name: 'Support', exact: true }).waitFor();
    await page.getByLabel('To (seconds)').fill('0.2');
    await button('Save').last().click();
    await page.getByText('Saved.').last().waitFor();
    await page.reload();
    await expect.poll(() => page.getByLabel('To (seconds)').inputValue()).toBe('0.2');
    await button('Default').click();
    await expect.poll(() => page.getByLabel('To (seconds)').inputValue()).not.toBe('0.2');
  });

  it('shows the chats of the line, replies and reacts', async () => {
    const { lineId } = await support();
    await go(`/lines/${lineId}`);
    await page.getByRole('link', { name: 'Chats' }).click();
    await page.getByRole('navigation', { name: 'Chats' }).getByRole('link').first().click();
    await page.getByText('Hello, is this support?').last().waitFor();
    await button('Reply').first().click();
    await page.getByLabel('Message', { exact: true }).fill('A reply from the console');
    await button('Send').click();
    await page.getByRole('listitem').filter({ hasText: 'A reply from the console' }).last().waitFor();
    const first = page.getByRole('region').getByRole('listitem').filter({ hasText: 'Hello, is this support?' }).first();
    await first.hover();
    await first.getByRole('button', { name: 'React with 👍' }).click();
    await page.getByText('Reacted with 👍.').waitFor();
    await inspect(page, 'chats');
  });

  it('shows at once that the connection is cut, and that it is back', async () => {
    const { lineId, alice } = await support();
    await openLine(lineId, alice);
    const head = page.locator('main header');
    await head.getByText('Connected', { exact: true }).waitFor();
    for (const fault of ['refuse', 'cut']) {
      await page.getByLabel('Make something go wrong').selectOption(fault);
      await button('Do it').click();
    }
    await head.getByText('Connected', { exact: true }).waitFor({ state: 'hidden', timeout: 5_000 });
    await head.getByText('Connected', { exact: true }).waitFor({ timeout: 60_000 });
  });

  it('shows a failing webhook with every attempt, and delivers again', async () => {
    const { lineId, alice } = await support();
    const { hook } = bench;
    await bench.ask('POST', '/webhooks', { url: hook.url, events: ['message.received'] });
    hook.status = 500;
    await openLine(lineId, alice);
    await page.getByRole('textbox', { name: 'Write as Alice' }).fill('Is this still support?');
    await page.keyboard.press('Enter');
    await goTo('Webhooks');
    await inspect(page, 'webhooks');
    await page.getByRole('link', { name: 'Deliveries' }).click();
    const failed = page
      .getByRole('listitem')
      .filter({ hasText: 'message.received' })
      .filter({ hasText: '500' })
      .first();
    await failed.waitFor();
    await failed.getByRole('button', { name: 'Details' }).click();
    await failed.getByText('broken today').first().waitFor();
    await failed.getByText('"event": "message.received"').waitFor();
    await inspect(page, 'deliveries');
    hook.status = 200;
    const before = hook.received.length;
    await failed.getByRole('button', { name: 'Deliver again' }).click();
    await expect.poll(() => hook.received.length, { timeout: 10_000 }).toBeGreaterThan(before);
    await expect.poll(() => page.getByText('Waiting').count(), { timeout: 15_000 }).toBe(1);
  });

  it('shows what a webhook answers to a test', async () => {
    await bench.ask('POST', '/webhooks', { url: bench.hook.url, events: ['*'] });
    await go('/webhooks');
    await button('Send a test').click();
    await page.getByText(/Answered 200 in/).waitFor();
    await page.getByText('thanks').waitFor();
  });

  it('makes a key that works, shows it once, and revokes it within a second', async () => {
    await go('/keys');
    await button('New key').click();
    await dialog().getByLabel('Name').fill('Integration');
    await dialog().getByRole('button', { name: 'Create' }).click();
    const key = await dialog()
      .getByText(/^wzb_test_/)
      .innerText();
    await inspect(page, 'key-made');
    await copied();
    const call = () =>
      fetch(`${bench.product.url}/api/bridge/v1/lines`, { headers: { authorization: `Bearer ${key}` } }).then(
        (r) => r.status,
      );
    expect(await call()).toBe(200);
    expect(await page.content()).not.toContain(key);
    await inspect(page, 'keys');
    await button('Revoke: Integration').click();
    await dialog().getByRole('button', { name: 'Revoke' }).click();
    await dialog().waitFor({ state: 'hidden' });
    await expect.poll(call, { timeout: 1_000, interval: 100 }).toBe(401);
    await page.getByText('Revoked').waitFor();
  });

  it('makes a key whose sends wait for a yes, and shows what an agent wants to send at once', async () => {
    const { lineId, alice } = await support();
    await go('/keys');
    await button('New key').click();
    await dialog().getByLabel('Name').fill('Careful agent');
    await dialog().getByLabel('What it sends waits for my yes').check();
    await dialog().getByRole('button', { name: 'Create' }).click();
    const key = await dialog()
      .getByText(/^wzb_test_/)
      .innerText();
    await copied();
    await page.getByText('Needs a yes').waitFor();
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const ask = (message: string) =>
      fetch(`${bench.product.url}/api/bridge/mcp`, {
        method: 'POST',
        headers: { ...headers, accept: 'application/json, text/event-stream' },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: {
            name: 'bridge_send_message',
            arguments: { line_id: lineId, to: alice, message },
          },
        }),
      });
    await goTo('Approvals');
    await page.getByText('Nothing to decide').waitFor();
    await ask('May I say this?');
    await page.getByText('May I say this?').waitFor();
    await inspect(page, 'approvals');
    await button(/^Send apr_/).click();
    await page.getByText('Sent', { exact: true }).waitFor();
    await ask('And this?');
    await button(/^Refuse apr_/).click();
    await page.getByText('Refused', { exact: true }).waitFor();
  });

  it('calls the API from the playground with a key and line filled in, and shows the request as code', async () => {
    const { lineId } = await support();
    await bench.ask('PATCH', `/lines/${lineId}`, { customer_ref: 'user-123' });
    await go('/playground');
    await button('Make one for a day').click();
    await expect.poll(() => page.getByLabel('API key').inputValue()).toMatch(/^wzb_test_/);
    await page.getByLabel('Operation').selectOption('listLines');
    await button('Send request').click();
    await page.getByText(/^200 · /).waitFor();
    await page.getByText('"customer_ref": "user-123"').waitFor();
    for (const [language, sign] of [
      ['node', 'await fetch('],
      ['python', 'import requests'],
      ['php', 'curl_init('],
      ['curl', 'curl -X GET'],
    ] as const) {
      await page.getByLabel('Language of the code').selectOption(language);
      await page.getByText(sign).first().waitFor();
    }
    await page.getByLabel('Operation').selectOption('sendMessage');
    // Line and recipient are filled in already: the request works as it stands.
    await page.getByLabel('message *').fill('From the playground');
    await page.getByText('JSON', { exact: true }).click();
    expect(await page.getByLabel('Body').inputValue()).toMatch(
      /"line_id": "line_\w+",\n {2}"to": "\+1555\d+",\n {2}"message": "From the playground"/,
    );
    await page.getByText('Form', { exact: true }).click();
    await button('Send request').click();
    await page.getByText(/^20[02] · /).waitFor();
    await page.getByText('"message_id"').waitFor();
    await inspect(page, 'playground');
  });

  it('shows usage, and people and audit to the owner', async () => {
    await bench.ask('POST', '/keys', { name: 'Of the audit log' });
    await go('/usage');
    await page.getByText('Sent messages').waitFor();
    await inspect(page, 'usage');
    await goTo('Settings');
    await button('Add a person').click();
    await dialog().getByLabel('Name').fill('Vera Viewer');
    await dialog().getByLabel('E-mail address').fill('vera@example.com');
    await dialog().getByLabel('Role').selectOption('viewer');
    await dialog().getByRole('button', { name: 'Add a person' }).click();
    await dialog()
      .getByText(/^\w{16}$/)
      .waitFor();
    await copied();
    await page.getByText('vera@example.com').waitFor();
    await page.getByRole('cell', { name: 'Created an API key' }).first().waitFor();
    await inspect(page, 'settings');
  });

  it('pairs another line: the QR code and the way by number', async () => {
    const alice = await bench.newPhone('Alice');
    await bench.pairedLine('Support');
    await go('/lines');
    await button('New line').click();
    await inspect(page, 'new-line');
    await dialog().getByLabel('Name').fill('Sales');
    await dialog().getByRole('button', { name: 'Create' }).click();
    await dialog().getByRole('img', { name: 'QR code to scan with WhatsApp' }).waitFor();
    await dialog().getByRole('button', { name: 'Make a link to send' }).click();
    await dialog()
      .getByText(/^http:\/\/127\.0\.0\.1:\d+\/connect\//)
      .waitFor();
    await inspect(page, 'pair');
    await dialog().getByText('Code to type').click();
    await dialog().getByLabel('Number of the phone').fill(`+${alice}`);
    await dialog().getByRole('button', { name: 'Get a code' }).click();
    await dialog()
      .getByText(/^[A-Z0-9]{4}-?[A-Z0-9]{4}$/)
      .waitFor();
    await page.keyboard.press('Escape');
    await goTo('Lines');
    await inspect(page, 'lines');
  });

  it('works by keyboard alone: skip link, dialog that holds the focus and gives it back', async () => {
    await go('/keys');
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.keyboard.press('Tab');
    await page.getByRole('link', { name: 'Skip to the content' }).press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    const opener = button('New key');
    await opener.focus();
    await page.keyboard.press('Enter');
    await dialog().waitFor();
    for (let i = 0; i < 12; i += 1) {
      await page.keyboard.press('Tab');
      const isInside = `document.querySelector('[role=dialog]').parentElement.contains(document.activeElement)`;
      await expect.poll(() => page.evaluate(isInside), { timeout: 1_000, interval: 20 }).toBe(true);
    }
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'hidden' });
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('New key');
  });

  it('speaks Spanish and Portuguese, and remembers it', async () => {
    await go('/keys');
    for (const [locale, title] of [
      ['es', 'Claves'],
      ['pt', 'Chaves'],
      ['en', 'API keys'],
    ] as const) {
      await page.getByRole('combobox').first().selectOption(locale);
      await page.reload();
      await page.getByRole('heading', { level: 1, name: title }).waitFor();
      expect(await page.evaluate('document.documentElement.lang')).toBe(locale);
    }
  });

  it('serves the reference offline, without a sign-in', async () => {
    await page.goto(`${bench.product.url}/docs/api`);
    await page.getByRole('heading', { level: 1, name: 'API reference' }).waitFor();
    await page.getByRole('searchbox').fill('pair');
    await page.getByRole('article').first().waitFor();
    await inspect(page, 'reference');
  });

  it('signs out, and in again; a wrong password is told', async () => {
    // In a browser of its own: the session of the others ends in none of them.
    const context = await bench.browser.newContext({ viewport: WIDE, locale: 'en-US', reducedMotion: 'reduce' });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const faults = watch(page, bench.product.url);
    await page.goto(`${bench.product.url}/lines`);
    const signIn = async (password: string) => {
      await page.getByLabel('E-mail address').fill(OWNER.email);
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    };
    await signIn(OWNER.password);
    await page.getByRole('heading', { level: 1, name: 'Lines' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).first().click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await signIn('not my password');
    await page.getByText('E-mail address or password is wrong.').waitFor();
    await inspect(page, 'sign-in');
    await signIn(OWNER.password);
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });
});
