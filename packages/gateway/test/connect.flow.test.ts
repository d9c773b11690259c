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
  await rig.sandbox.phone('15550001111', 'Owner');
}, 60_000);
afterAll(() => rig?.close());

interface Link {
  url: string;
  expires_at: string;
}
async function newLine(): Promise<string> {
  return (await rig.api.expect<{ line_id: string }>(200, 'POST', `${BASE}/lines`, {})).line_id;
}
const linkOf = (lineId: string, page?: Record<string, unknown>) =>
  rig.api.expect<Link>(200, 'POST', `${BASE}/lines/${lineId}/connect-link`, page);
/** What a browser makes up for itself when it opens a link. */
const ONE = 'a-browser-of-somebody-1';
const ANOTHER = 'a-browser-of-another-22';
const stateOf = async (url: string, want = 'none', visitor?: string) =>
  (await (
    await fetch(`${url}/state?want=${want}`, { headers: visitor === undefined ? {} : { 'x-connect-visitor': visitor } })
  ).json()) as { state: string; qr?: string | null; page: Record<string, unknown> };
const codeOf = (url: string, visitor: string) =>
  fetch(`${url}/code`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-connect-visitor': visitor },
    body: JSON.stringify({ phone: '+15550001111' }),
  });

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
  expect(await stateOf(`${rig.base}/connect/${'x'.repeat(32)}`)).toEqual({ state: 'unknown', page: {} });
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
  expect(await stateOf(second.url, 'qr')).toEqual({ state: 'expired', page: {} });
});

test('a link is the first browser’s that asks for a code, and robots that preview it change nothing', async () => {
  const { url } = await linkOf(await newLine(), { name: 'Café Olé' });
  for (const visitor of [undefined, ONE, ANOTHER]) {
    expect((await fetch(url)).status).toBe(200);
    expect(await stateOf(url, 'none', visitor)).toMatchObject({ state: 'waiting', qr: null });
  }
  // A visitor without a token of its own gets no code, and does not keep others from one.
  expect(await stateOf(url, 'qr')).toEqual({ state: 'taken', page: { name: 'Café Olé' } });
  const first = await until('a QR', async () => {
    const state = await stateOf(url, 'qr', ONE);
    return state.qr ? state : undefined;
  });
  expect(first.state).toBe('waiting');
  for (const visitor of [undefined, ANOTHER]) {
    expect((await stateOf(url, 'none', visitor)).state).toBe('taken');
    expect((await stateOf(url, 'qr', visitor)).qr).toBeUndefined();
  }
  expect((await codeOf(url, ANOTHER)).status).toBe(403);
  expect((await stateOf(url, 'qr', ONE)).state).toBe('waiting');
  expect((await codeOf(url, ONE)).status).toBe(200);
});

test('asking for a code takes the link too', async () => {
  const { url } = await linkOf(await newLine());
  expect((await codeOf(url, ONE)).status).toBe(200);
  expect((await stateOf(url, 'qr', ANOTHER)).state).toBe('taken');
});

test('the page looks as it was asked to, and is framed by whom it was asked to', async () => {
  const lineId = await newLine();
  const page = {
    name: 'Café Olé',
    colour: '#8a1c4a',
    locale: 'pt',
    redirect_url: 'https://shop.example/done?order=1',
    embed_origins: ['https://shop.example', 'http://localhost:3000'],
  };
  const { url } = await linkOf(lineId, page);
  const headers = (await fetch(url)).headers;
  expect(headers.get('content-security-policy')).toMatch(
    /frame-ancestors https:\/\/shop\.example http:\/\/localhost:3000$/,
  );
  expect(headers.get('x-frame-options')).toBeNull();
  const waiting = await stateOf(url, 'none', ONE);
  expect(waiting.page).toEqual({ name: 'Café Olé', colour: '#8a1c4a', locale: 'pt' });
  await rig.sandbox.phone('15550007777', 'Owner');
  await rig.sandbox.scan('15550007777', { line_id: lineId });
  const connected = await until('connected', async () => {
    const state = await stateOf(url, 'none', ONE);
    return state.state === 'connected' ? state : undefined;
  });
  expect(connected.page).toMatchObject({
    redirect_url: `https://shop.example/done?order=1&status=connected&line_id=${lineId}`,
    embed_origins: page.embed_origins,
  });
});

test.each([
  { colour: 'red' },
  { logo: 'https://shop.example/logo.png' },
  { logo: 'data:image/svg+xml;base64,AAAA' },
  { redirect_url: 'javascript:alert(1)' },
  { redirect_url: 'http://shop.example/' },
  { embed_origins: ["'self'"] },
  { embed_origins: ['https://shop.example/; script-src *'] },
  { locale: 'xx' },
])('%o is no way for a page to look', async (page) => {
  const lineId = await newLine();
  const refused = await rig.api.call('POST', `${BASE}/lines/${lineId}/connect-link`, page);
  expect(refused.status, refused.raw).toBe(400);
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
    await page.getByRole('button', { name: 'Show the QR code' }).click();
    const qr = page.locator('#qr');
    await qr.waitFor({ state: 'visible' });
    const size = await qr.boundingBox();
    expect(size?.width).toBeGreaterThan(250);
    const width = await page.evaluate('document.documentElement.scrollWidth');
    expect(width).toBeLessThanOrEqual(360);
    await rig.sandbox.phone('15550005555', 'Nora');
    await rig.sandbox.scan('15550005555', { line_id: lineId });
    await page.locator('#connected').waitFor({ state: 'visible', timeout: 20_000 });
    expect(await page.locator('#who').textContent()).toContain('+15550005555');
    expect([foreign, complaints]).toEqual([[], []]);
    await page.close();
  }, 60_000);

  test('a code can be typed on the phone instead', async () => {
    const lineId = await newLine();
    await rig.sandbox.phone('15550006666', 'Omar');
    await open((await linkOf(lineId)).url);
    await page.getByRole('button', { name: 'Show the QR code' }).click();
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
