import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, openBench } from './bench.ts';
import { canBrowse, picture, violations } from './browser.ts';

const TWO_MINUTES_MS = 120_000;
/** A look at what is wrong every 15 seconds. */
const TOLD_WITHIN_MS = 40_000;

describe.skipIf(!canBrowse)('the first page, and what tells of problems', { timeout: TWO_MINUTES_MS }, () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench();
  }, TWO_MINUTES_MS);
  afterAll(() => bench?.close());
  afterEach(() => bench.clear());

  it('shows a new owner the first steps, and ticks off what is done', async () => {
    const { page, product, ask, hook } = bench;
    await page.goto(`${product.url}/?mode=test`);
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    const step = (name: string) => page.getByRole('listitem').filter({ hasText: name });
    await step('Set a webhook').getByText('(still to do)').waitFor({ state: 'attached' });
    expect(await violations(page)).toEqual([]);
    await ask('POST', '/webhooks', { url: hook.url, events: ['line.problem'] });
    await step('Set a webhook').getByText('(done)').waitFor({ state: 'attached' });
  });

  it('tells of a line that lost its phone: on the page, in the menu, in the title, and by an event', async () => {
    const { page, product, ask, hook } = bench;
    await ask('POST', '/webhooks', { url: hook.url, events: ['line.problem'] });
    const { lineId, phone } = await bench.pairedLine('Shop');
    await page.goto(`${product.url}/keys?mode=test`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    expect(await page.title()).toBe('API keys · Ponte');
    await ask('POST', `/sandbox/phones/${phone}/unlink`, { line_id: lineId });
    await page.getByRole('status').getByText('Shop is not connected').waitFor({ timeout: TOLD_WITHIN_MS });
    await page
      .getByRole('link', { name: /^Lines.*1 problem/ })
      .first()
      .waitFor();
    expect(await page.title()).toBe('(1) API keys · Ponte');
    await expect
      .poll(() => hook.received.find(({ event }) => event === 'line.problem'), { timeout: 20_000 })
      .toMatchObject({ line_id: lineId, data: { problem: 'line_down', reason: 'logged_out', resolved: false } });
    await page.getByRole('link', { name: 'Overview' }).first().click();
    await page.getByRole('link', { name: 'Shop is not connected' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await picture(page, 'overview');
    await page.getByRole('link', { name: 'Shop is not connected' }).click();
    await page.getByRole('heading', { level: 1, name: 'Shop' }).waitFor();
    await page.getByText('Logged out').first().waitFor();
    // Opening the dialog changes nothing: pairing starts only when asked for.
    await page.getByRole('button', { name: 'Pair a phone' }).click();
    await page.getByRole('button', { name: 'Show the QR code' }).waitFor();
    expect(await ask('GET', `/lines/${lineId}`)).toMatchObject({ status: 'logged_out' });
    await page.keyboard.press('Escape');
  });

  it('tells of a message that waits for a yes: in the menu, and by an event without its text', async () => {
    const { page, product, ask, hook } = bench;
    await ask('POST', '/webhooks', { url: hook.url, events: ['approval.requested'] });
    const { lineId, phone } = await bench.pairedLine('Agent');
    const { key } = await ask<{ key: string }>('POST', '/keys', { name: 'agent', approval: 'required' });
    await page.goto(`${product.url}/lines?mode=test`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await fetch(`${product.url}/api/bridge/mcp`, {
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
          arguments: { line_id: lineId, to: `+${phone}`, message: 'A secret word' },
        },
      }),
    });
    await page
      .getByRole('link', { name: /^Approvals.*1 waits/ })
      .first()
      .waitFor();
    await expect
      .poll(() => hook.received.find(({ event }) => event === 'approval.requested'), { timeout: 20_000 })
      .toMatchObject({ line_id: lineId, data: { to: `+${phone}`, asked_by: 'agent' } });
    expect(JSON.stringify(hook.received)).not.toContain('A secret word');
  });

  it('switches the notifications of the browser on when asked to', async () => {
    const { page, product, context } = bench;
    await context.grantPermissions(['notifications'], { origin: product.url });
    await page.goto(`${product.url}/settings?mode=test`);
    const panel = page.getByRole('region', { name: 'Notifications of this browser' });
    await panel.getByRole('button', { name: 'Switch on' }).click();
    await panel.getByRole('button', { name: 'Switch off' }).waitFor();
    expect(await page.evaluate(`localStorage.getItem('ponte.notifications')`)).toBe('on');
  });

  it('sets where a person is alerted, shows the secret of the posts once, and keeps the rest', async () => {
    const { page, product } = bench;
    await page.goto(`${product.url}/settings?mode=test`);
    const panel = page.getByRole('region', { name: 'Alerts', exact: true });
    expect(await panel.getByRole('checkbox', { name: /^By e-mail to/ }).isDisabled()).toBe(true);
    const address = panel.getByLabel('Post to this address');
    await address.fill('https://10.0.0.1/x');
    await panel.getByRole('button', { name: 'Save' }).click();
    await panel.getByText('not public').waitFor();
    await address.fill('https://hooks.example.com/alerts');
    await panel.getByRole('checkbox', { name: /^With what a message/ }).check();
    await panel.getByRole('button', { name: 'Save' }).click();
    await page
      .getByRole('dialog')
      .getByText(/whsec_/)
      .waitFor();
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.reload();
    await panel.getByRole('button', { name: 'Send a test' }).waitFor();
    expect(await address.inputValue()).toBe('https://hooks.example.com/alerts');
    expect(await panel.getByRole('checkbox', { name: /^With what a message/ }).isChecked()).toBe(true);
    expect(await page.getByText(/whsec_/).count()).toBe(0);
  });

  it('asked no other host for anything, and threw nothing', () => expect(bench.faults).toEqual([]));
});
