import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, openBench } from './bench.ts';
import { canBrowse, picture, violations } from './browser.ts';

const TWO_MINUTES_MS = 120_000;
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP4z8CAB+GTG8HSALfKY52fTcuYAAAAAElFTkSuQmCC',
  'base64',
);
const VOICE_S = 30;
/** How many recordings play at this moment. */
const SOUNDING = `[...document.querySelectorAll('audio')].filter((one) => !one.paused).length`;

/** A WAV file without a sound, as base64. */
function silence(seconds: number): string {
  const rate = 8_000;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + rate * seconds, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write('data', 36);
  header.writeUInt32LE(rate * seconds, 40);
  return Buffer.concat([header, Buffer.alloc(rate * seconds, 128)]).toString('base64');
}

describe.skipIf(!canBrowse)('the chats of a line', { timeout: TWO_MINUTES_MS }, () => {
  let bench: Bench;
  let lineId: string;
  let phone: string;
  beforeAll(async () => {
    bench = await openBench();
    ({ lineId, phone } = await bench.pairedLine('Shop'));
  }, TWO_MINUTES_MS);
  afterAll(() => bench?.close());

  const chats = () => bench.page.getByRole('navigation', { name: 'Chats' });
  const open = async (name: string) => {
    await bench.page.goto(`${bench.product.url}/lines/${lineId}/chats?mode=test`);
    await chats().getByRole('link', { name }).first().click();
    await bench.page.getByRole('region', { name }).waitFor();
  };
  const bubble = (text: string) => bench.page.getByRole('listitem').filter({ hasText: text }).last();
  /** What a phone has of the chat, its own messages too. */
  const heard = (of: string) =>
    bench.ask<{ body?: string; status: string; edited: boolean; revoked: boolean }[]>(
      'GET',
      `/sandbox/phones/${of}/inbox?sent=true`,
    );

  it('shows day, marks and links, and clears what is unread once it is looked at', async () => {
    const from = await bench.newPhone('Ana');
    await bench.write(from, phone, 'Is it *here*? See https://example.com/a_b.');
    await bench.page.goto(`${bench.product.url}/lines/${lineId}/chats?mode=test`);
    const ana = chats().getByRole('link', { name: 'Ana' });
    await ana.getByText('unread').waitFor({ state: 'attached' });
    await ana.click();
    await bench.page.getByText('Today', { exact: true }).waitFor();
    expect(await bubble('Is it here?').getByRole('link').getAttribute('href')).toBe('https://example.com/a_b');
    await ana.getByText('unread').waitFor({ state: 'detached' });
    await expect
      .poll(async () => (await heard(from)).some(({ status }) => status === 'read'), { timeout: 10_000 })
      .toBe(true);
    expect(await violations(bench.page)).toEqual([]);
  });

  it('begins a new line by Shift+Enter, answers, edits and deletes in place, by keyboard alone', async () => {
    const { page } = bench;
    const from = await bench.newPhone('Ben');
    await bench.write(from, phone, 'A question');
    await open('Ben');
    await bubble('A question').getByRole('button', { name: 'Reply' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Message' }).focus();
    await page.keyboard.type('First line');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('second line');
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await heard(from)).map(({ body }) => body)).toContain('First line\nsecond line');
    await bubble('second line')
      .getByText(/sent|delivered|read/)
      .waitFor();
    await bubble('second line').getByRole('button', { name: 'Edit' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Edit' }).fill('Only one line');
    await page.keyboard.press('Enter');
    await bubble('Only one line').waitFor();
    await expect.poll(async () => (await heard(from)).some(({ edited }) => edited), { timeout: 10_000 }).toBe(true);
    await bubble('Only one line').getByRole('button', { name: 'Delete for everyone' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete for everyone' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('Deleted for everyone.').waitFor();
    await expect.poll(async () => (await heard(from)).some(({ revoked }) => revoked), { timeout: 10_000 }).toBe(true);
  });

  it('sends a file', async () => {
    const from = await bench.newPhone('Cleo');
    await bench.write(from, phone, 'A picture, please');
    await open('Cleo');
    await bench.page
      .getByLabel('Attach a file')
      .setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: PICTURE });
    await expect.poll(async () => (await heard(from)).length, { timeout: 20_000 }).toBeGreaterThan(1);
  });

  it('finds chats by name and messages by their words', async () => {
    const from = await bench.newPhone('Dora');
    await bench.write(from, phone, 'The parcel is late');
    await bench.write(await bench.newPhone('Gil'), phone, 'Good morning');
    await bench.page.goto(`${bench.product.url}/lines/${lineId}/chats?mode=test`);
    for (const name of ['Dora', 'Gil']) await chats().getByRole('link', { name }).waitFor();
    await bench.page.getByRole('searchbox').fill('parcel');
    await bench.page
      .getByRole('region', { name: 'Messages' })
      .getByRole('link', { name: 'The parcel is late' })
      .click();
    await bench.page.getByRole('region', { name: 'Dora' }).waitFor();
    await bench.page.getByRole('searchbox').fill('dor');
    await expect.poll(() => chats().getByRole('link', { name: 'Gil' }).count()).toBe(0);
    expect(await violations(bench.page)).toEqual([]);
    await picture(bench.page, 'chats');
  });

  it('shows who is on the other side, and closes again', async () => {
    const { page } = bench;
    await bench.write(await bench.newPhone('Fay'), phone, 'Hello');
    await open('Fay');
    const about = page.getByRole('button', { name: 'About this chat' });
    await about.click();
    const pane = page.getByRole('complementary', { name: 'About this chat' });
    await pane.getByText(/@(s\.whatsapp\.net|lid)/).waitFor();
    await pane.getByText('Loading').waitFor({ state: 'detached' });
    await pane.getByText('Fay', { exact: true }).waitFor();
    expect(await pane.getByRole('alert').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    await about.click();
    await pane.waitFor({ state: 'detached' });
  });

  it('plays a voice message: to a place, at three speeds, and no two at once', async () => {
    const { page } = bench;
    const from = await bench.newPhone('Eve');
    const voice = { type: 'voice', data: silence(VOICE_S), mime_type: 'audio/wav', seconds: VOICE_S };
    for (const _ of [1, 2]) await bench.ask('POST', `/sandbox/phones/${from}/messages`, { to: phone, ...voice });
    await open('Eve');
    const play = page.getByRole('button', { name: 'Play: Sound' });
    const pause = page.getByRole('button', { name: 'Pause: Sound' });
    await expect.poll(() => play.count()).toBe(2);
    expect(await page.getByText('0:30', { exact: true }).count()).toBe(2);
    expect(await violations(page)).toEqual([]);
    await play.first().focus();
    await page.keyboard.press('Enter');
    await pause.waitFor();
    const place = page.getByRole('slider', { name: 'Place in the recording' }).first();
    await place.fill('12');
    await expect.poll(() => place.getAttribute('aria-valuetext')).toMatch(/^0:(1[2-9]|2\d) of 0:30$/);
    await page.getByRole('button', { name: 'Speed: 1 times' }).first().click();
    await page.getByRole('button', { name: 'Speed: 1.5 times' }).waitFor();
    await play.click();
    await expect.poll(() => page.evaluate(SOUNDING)).toBe(1);
    await pause.click();
    await expect.poll(() => play.count()).toBe(2);
  });

  it('asked no other host for anything, and threw nothing', () => expect(bench.faults).toEqual([]));
});
