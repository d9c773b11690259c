import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, openBench } from './bench.ts';
import { canBrowse } from './browser.ts';

const TWO_MINUTES_MS = 120_000;
const MAX_STEPS = 150;

/** What a screen reader would call the element that has the focus. */
const FOCUSED = `(() => {
  const one = document.activeElement;
  return one.getAttribute('aria-label') ?? one.labels?.[0]?.innerText ?? one.innerText ?? '';
})()`;

describe.skipIf(!canBrowse)('by keyboard alone', { timeout: TWO_MINUTES_MS }, () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench();
  }, TWO_MINUTES_MS);
  afterAll(() => bench?.close());

  const focused = async () => String(await bench.page.evaluate(FOCUSED)).trim();
  /** Goes on by the Tab key until what has the focus is called this. */
  const tabTo = async (name: string) => {
    const passed: string[] = [];
    for (let i = 0; i < MAX_STEPS; i += 1) {
      await bench.page.keyboard.press('Tab');
      const now = await focused();
      if (now === name) return;
      passed.push(now);
    }
    throw new Error(`the Tab key never came to "${name}"; it passed ${passed.join(' | ')}`);
  };

  it('a line is made, paired, and sends a message', async () => {
    const { page, product } = bench;
    await page.goto(`${product.url}/lines?mode=test`);
    await page.getByText('No lines yet').waitFor();
    await tabTo('New line');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await expect.poll(focused).toBe('Name');
    await page.keyboard.type('Keys only');
    await page.keyboard.press('Enter');
    await page.getByRole('img', { name: 'QR code to scan with WhatsApp' }).waitFor();
    await tabTo('Scan with a virtual phone');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('Connected').waitFor();
    // The button that was pressed is gone: the focus is on the way out, not lost.
    await expect.poll(focused).toBe('Close');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await tabTo('Add a phone');
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Send through the line' }).waitFor();
    await tabTo('Send through the line');
    await page.keyboard.type('Sent by keys alone');
    await page.keyboard.press('Enter');
    await page.getByRole('list', { name: 'Chat' }).getByText('Sent by keys alone').waitFor();
  });

  it('asked no other host for anything, and threw nothing', () => expect(bench.faults).toEqual([]));
});
