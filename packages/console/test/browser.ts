import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

/** False: these tests are left out (`npm test` says so); with CI=true they run and fail. */
export const canBrowse = existsSync(CHROMIUM) || process.env.CI === 'true';

export const WIDE = { width: 1280, height: 900 };
export const NARROW = { width: 390, height: 844 };

export const OWNER = { name: 'Olga Owner', email: 'olga@example.com', password: 'correct horse battery' };

/**
 * Makes the operator's account by the link of the first start; the overview is shown then.
 */
export async function signUp(page: Page, setUpLink: string): Promise<void> {
  await page.goto(setUpLink);
  await page.getByLabel('Name').fill(OWNER.name);
  await page.getByLabel('E-mail address').fill(OWNER.email);
  await page.getByLabel('Password').fill(OWNER.password);
  await page.getByRole('button', { name: 'Create my account' }).click();
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/**
 * Notes everything that a console page must not do: errors (a refused CSP among them), and requests
 * to anywhere else.
 */
export function watch(page: Page, origin: string): string[] {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // A refused request shows on the console too; whether it was expected is for the test to say.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push(message.text());
  });
  page.on('request', (request) => {
    const { protocol, origin: to } = new URL(request.url());
    if (protocol !== 'data:' && protocol !== 'blob:' && to !== origin) faults.push(`request to ${request.url()}`);
  });
  return faults;
}

/** Everything axe-core finds, best practices included, in both themes; each as one line. */
export async function violations(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const theme of ['dark', 'light']) {
    await page.evaluate(`document.documentElement.dataset.theme = '${theme}'`);
    const result = await new AxeBuilder({ page }).analyze();
    for (const { id, help, nodes } of result.violations) {
      found.push(`${theme}: ${id} (${help}): ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
    }
  }
  return found;
}

/**
 * With SCREENS=folder: pictures of the page as it is, wide and phone-sized, light and (wide) dark.
 */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENS;
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  const take = (suffix: string) => page.screenshot({ path: join(folder, `${name}${suffix}.png`) });
  await take('');
  await page.evaluate(`document.documentElement.dataset.theme = 'dark'`);
  await take('-dark');
  await page.evaluate(`document.documentElement.dataset.theme = 'light'`);
  await page.setViewportSize(NARROW);
  await take('-phone');
  await page.setViewportSize(WIDE);
}
