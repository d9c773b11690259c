import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rig } from './support/rig.ts';
import { until } from './support/until.ts';

const BASE = '/api/bridge/v1';
const CHROMIUM = '/usr/bin/chromium';
/**
 * With CI=true a missing browser fails; elsewhere the name of the skipped test says how to get it.
 */
const isLeftOut = process.env.CI !== 'true' && !existsSync(CHROMIUM);

let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start();
}, 60_000);
afterAll(() => rig?.close());

interface Link {
  url: string;
  expires_at: string;
}
async function newLine(): Promise<string> {
  return (await rig.api.expect<{ line_id: string }>(200, 'POST', `${BASE}/lines`, {})).line_id;
}
const linkOf = (lineId: string) => rig.api.expect<Link>(200, 'POST', `${BASE}/lines/${lineId}/connect-link`);
const stateOf = async (url: string, want = 'none') =>
  (await (await fetch(`${url}/state?want=${want}`)).json()) as { state: string; qr?: string | null };

test('a link is a page of our own that no other host, frame or cache sees, and works for 15 minutes', async () => {
  const link = await linkOf(await newLine());
  expect(link.url).toMatch(new RegExp(`^${rig.base}/connect/[A-Za-z0-9]{32}$`));
  const left = Date.parse(link.expires_at) - Date.now();
  expect(left).toBeGreaterThan(14.9 * 60_000);
  expect(left).toBeLessThanOrEqual(15 * 60_000);
  const page = await fetch(link.url);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  expect(page.headers.get('cache-control')).toBe('no-store');
  expect(page.headers.get('access-control-allow-origin')).toBeNull();
  const html = await page.text();
  expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  expect(html).not.toMatch(/<script>|<style|style="| on[a-z]+="/);
  expect(await stateOf(`${rig.base}/connect/${'x'.repeat(32)}`)).toEqual({ state: 'unknown' });
  const code = await fetch(`${rig.base}/connect/${'x'.repeat(32)}/code`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ phone: '+15550001111' }),
  });
  expect(code.status).toBe(404);
});

test('a link pairs once: after that it is over, even for a line that was logged out again', async () => {
  const lineId = await newLine();
  const [first, second] = [await linkOf(lineId), await linkOf(lineId)];
  await rig.sandbox.phone('15550004444', 'Owner');
  await rig.sandbox.scan('15550004444', { line_id: lineId });
  expect(await until('connected', async () => (await stateOf(first.url)).state === 'connected')).toBe(true);
  expect(await stateOf(first.url)).toMatchObject({ state: 'connected', phone: '+15550004444' });
  expect((await rig.api.call('POST', `${BASE}/lines/${lineId}/connect-link`)).body).toMatchObject({
    error: 'already_paired',
  });
  await rig.api.expect(200, 'POST', `${BASE}/lines/${lineId}/logout`);
  await until('unpaired', async () => (await stateOf(first.url)).state === 'expired');
  expect(await stateOf(second.url, 'qr')).toEqual({ state: 'expired' });
});

describe.skipIf(isLeftOut)('in a phone’s browser (needs Chromium: apt-get install chromium)', () => {
  let browser: Browser;
  let page: Page;
  let foreign: string[];
  let complaints: string[];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  }, 30_000);
  afterAll(() => browser?.close());

  const open = async (url: string) => {
    foreign = [];
    complaints = [];
    page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    page.on('request', (request) => {
      if (!/^data:/.test(request.url()) && !request.url().startsWith(rig.base)) foreign.push(request.url());
    });
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
  };

  test('the QR is there, changes as WhatsApp changes it, and the page says when the phone is connected', async () => {
    const lineId = await newLine();
    await open((await linkOf(lineId)).url);
    const qr = page.locator('#qr');
    await qr.waitFor({ state: 'visible' });
    const size = await qr.boundingBox();
    expect(size?.width).toBeGreaterThan(250);
    const width = await page.evaluate('document.documentElement.scrollWidth');
    expect(width).toBeLessThanOrEqual(360);
    await rig.sandbox.phone('15550005555', 'Nora');
    await rig.sandbox.scan('15550005555', { line_id: lineId });
    await page.getByText('Connected', { exact: false }).first().waitFor({ state: 'visible', timeout: 20_000 });
    expect(await page.locator('#who').textContent()).toContain('+15550005555');
    expect([foreign, complaints]).toEqual([[], []]);
    await page.close();
  }, 60_000);

  test('a code can be typed on the phone instead', async () => {
    const lineId = await newLine();
    await rig.sandbox.phone('15550006666', 'Omar');
    await open((await linkOf(lineId)).url);
    await page.locator('#qr').waitFor({ state: 'visible' });
    await page
      .getByRole('button', { name: /code instead/ })
      .first()
      .click();
    await page.getByLabel(/Phone number/).fill('+1 555 000 6666');
    await page.getByRole('button', { name: 'Get a code' }).click();
    await page.locator('#code').waitFor({ state: 'visible', timeout: 20_000 });
    const code = ((await page.locator('#code').textContent()) ?? '').replace('-', '');
    expect(code).toMatch(/^[0-9A-Z]{8}$/);
    await rig.api.expect(200, 'POST', '/api/sandbox/v1/phones/15550006666/enter-code', { code });
    await page.locator('#connected').waitFor({ state: 'visible', timeout: 20_000 });
    expect([foreign, complaints]).toEqual([[], []]);
    await page.close();
  }, 60_000);

  test('a link that is over says so', async () => {
    await open(`${rig.base}/connect/${'y'.repeat(32)}`);
    await page.getByText('This link is over').waitFor({ state: 'visible' });
    await page.close();
  });
});
