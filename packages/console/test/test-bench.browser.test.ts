import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, openBench } from './bench.ts';
import { canBrowse, OWNER, picture, violations, WIDE, watch } from './browser.ts';

const TWO_MINUTES_MS = 120_000;
/** A page learns of what happened by the stream, not by asking again (every 30 s). */
const SOON_MS = 8_000;

interface PublishedOperation {
  operationId: string;
  parameters: { name: string }[];
  requestBody?: { content: Record<string, { schema: { properties?: Record<string, unknown> } }> };
}

describe.skipIf(!canBrowse)(
  'the test bench, webhooks, usage, playground and passkeys in a browser',
  { timeout: TWO_MINUTES_MS },
  () => {
    let bench: Bench;
    let page: Page;

    beforeAll(async () => {
      bench = await openBench();
      page = bench.page;
    }, TWO_MINUTES_MS);
    afterAll(() => bench?.close());
    afterEach(async () => {
      await bench.clear();
      await unlimit?.();
      unlimit = undefined;
      // It asked no other host for anything, broke no rule of its CSP, and threw nothing.
      expect(bench.faults.splice(0)).toEqual([]);
    });

    const go = (path: string) => page.goto(`${bench.product.url}${path}?mode=test`);
    /** The page of a line, with both ends of its chat with Alice. Nothing was written yet. */
    const openChat = async () => {
      const { lineId, phone: linePhone } = await bench.pairedLine('Support');
      const alice = await bench.newPhone('Alice');
      await go(`/lines/${lineId}`);
      await page.getByRole('combobox', { name: 'Phone' }).selectOption(alice);
      await page.getByRole('textbox', { name: 'Write as Alice' }).waitFor();
      return { lineId, linePhone, alice: `+${alice}` };
    };
    const sendFromLine = async (text: string) => {
      await page.getByRole('textbox', { name: 'Send through the line' }).fill(text);
      await page.keyboard.press('Enter');
      await phone().getByText(text).waitFor();
    };
    interface Accounts {
      accounts: { id: string; plan: string }[];
    }
    const admin = async (method: string, path: string, body?: unknown): Promise<Accounts> => {
      const headers = { authorization: `Bearer ${bench.product.adminToken}`, 'content-type': 'application/json' };
      const response = await fetch(`${bench.product.url}/api/admin${path}`, {
        method,
        headers,
        body: JSON.stringify(body),
      });
      expect([path, response.status]).toEqual([path, expect.toSatisfy((code) => code < 300)]);
      return (await response.json()) as Accounts;
    };
    let unlimit: (() => Promise<unknown>) | undefined;
    /** One line and ten messages at most, until the test is over. */
    const limitPlan = async () => {
      await admin('PUT', '/v1/plans/small', { sent_messages: 10, webhook_events: 1_000, lines: 1 });
      const [account] = (await admin('GET', '/v1/accounts')).accounts;
      unlimit = () => admin('PATCH', `/v1/accounts/${account?.id}`, { plan: account?.plan });
      await admin('PATCH', `/v1/accounts/${account?.id}`, { plan: 'small' });
    };
    const button = (name: string | RegExp) => page.getByRole('button', { name });
    const dialog = () => page.getByRole('dialog');
    const phone = () => page.getByRole('region', { name: 'Phone of Alice' });
    const line = () => page.getByRole('region', { name: 'Your line' });
    const happened = (text: string | RegExp) =>
      page.getByRole('region', { name: 'What happened' }).getByText(text).first();
    const attach = async (screen: ReturnType<typeof phone>, what: string) => {
      await screen.getByRole('button', { name: 'Attach' }).click();
      await page.getByRole('menuitem', { name: what }).click();
    };
    const inspect = async (name: string) => {
      expect(await violations(page), name).toEqual([]);
      await picture(page, name);
    };

    it('pairs by one click and shows both ends of a chat', async () => {
      const { line_id: lineId } = await bench.ask<{ line_id: string }>('POST', '/lines', { label: 'Support' });
      await go(`/lines/${lineId}`);
      await button('Scan with a virtual phone').click();
      await button('Add a phone').click();
      await page.getByRole('textbox', { name: 'Write as Alice' }).fill('Hello from the phone');
      await page.keyboard.press('Enter');
      await line().getByText('Hello from the phone').waitFor();
      await page.getByRole('textbox', { name: 'Send through the line' }).fill('Hello from the line');
      await page.keyboard.press('Enter');
      await phone().getByText('Hello from the line').waitFor();
      await line().getByText('delivered').waitFor();
    });

    it('votes in a poll and answers an invitation of the line, and reacts', async () => {
      await openChat();
      await sendFromLine('Hello from the line');
      await attach(line(), 'Poll');
      await phone().getByRole('button', { name: 'Vote for Tomorrow' }).click();
      await happened('A poll vote came in').waitFor();
      await expect
        .poll(() => phone().getByRole('button', { name: 'Vote for Tomorrow' }).getAttribute('aria-pressed'), {
          timeout: SOON_MS,
        })
        .toBe('true');
      await attach(line(), 'Invitation');
      await phone().getByRole('button', { name: 'Going', exact: true }).click();
      await happened('An answer to an invitation came in').waitFor();
      const message = phone().getByRole('listitem').filter({ hasText: 'Hello from the line' });
      await message.hover();
      await message.getByRole('button', { name: 'React with 👍' }).click();
      await happened('A reaction').waitFor();
    });

    it('sends files both ways: pictures and sounds in place, documents to download', async () => {
      await openChat();
      await attach(phone(), 'Photo');
      const shown = line().getByRole('img', { name: 'Picture' });
      await shown.waitFor();
      await expect
        .poll(() => shown.evaluate((image) => (image as HTMLImageElement).naturalWidth), { timeout: SOON_MS })
        .toBe(32);
      await attach(phone(), 'Voice message');
      await line().getByLabel('Sound').waitFor();
      await attach(phone(), 'Document');
      const download = page.waitForEvent('download');
      await line()
        .getByRole('link', { name: /^Download file/ })
        .click();
      expect((await download).suggestedFilename()).toMatch(/^file/);
      await inspect('test-bench');
    });

    it('types, calls and hangs up, goes away and comes back', async () => {
      await openChat();
      const typed = page.waitForResponse((response) => response.url().endsWith('/typing'));
      await page.getByRole('textbox', { name: 'Write as Alice' }).fill('I am wri');
      expect((await typed).status()).toBe(200);
      await page.getByRole('textbox', { name: 'Write as Alice' }).fill('');
      await phone().getByRole('button', { name: 'Voice call to the line' }).click();
      await phone().getByText('Calling the line').waitFor();
      await happened('A call came in').waitFor();
      await phone().getByRole('button', { name: 'Hang up' }).click();
      await happened('A call ended').waitFor();
      await phone().getByText('Calling the line').waitFor({ state: 'hidden' });
      await phone().getByRole('button', { name: 'Take the phone offline' }).click();
      await phone().getByText('it gets its messages when it is back').waitFor();
      await page.getByRole('textbox', { name: 'Send through the line' }).fill('Are you there?');
      await page.keyboard.press('Enter');
      const sent = line().getByRole('listitem').filter({ hasText: 'Are you there?' });
      await sent.getByText('sent', { exact: true }).waitFor();
      await phone().getByRole('button', { name: 'Bring the phone online' }).click();
      await sent.getByText('delivered').waitFor();
    });

    it('shows what waits on the line, and cancels it', async () => {
      const { lineId, alice } = await openChat();
      const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
      await bench.ask('POST', '/messages/send', { line_id: lineId, to: alice, message: 'Later', send_at: inAnHour });
      const queue = page.getByRole('region', { name: 'Queue · 1' });
      await queue.waitFor({ timeout: SOON_MS });
      await queue.getByRole('button', { name: `Cancel the message to ${alice}` }).click();
      await page.getByText('Cancelled: it will not be sent.').waitFor();
      await queue.waitFor({ state: 'hidden' });
    });

    it('shows of the history what is asked for', async () => {
      await openChat();
      await sendFromLine('Something to show');
      await happened(/^Message (from|sent)/).waitFor();
      await page.getByLabel('Show', { exact: true }).selectOption('connection');
      await happened(/^Line: connected/).waitFor();
      await happened(/^Message (from|sent)/).waitFor({ state: 'hidden' });
      await page.getByLabel('Show', { exact: true }).selectOption('all');
      await happened(/^Message (from|sent)/).waitFor();
    });

    it('says at once that a worker died, and that the line is back', async () => {
      await openChat();
      const head = page.locator('main header').first();
      bench.product.killWorkers();
      await page.getByText('Its worker process has ended').waitFor({ timeout: SOON_MS });
      await head.getByText('Connected', { exact: true }).waitFor({ timeout: 60_000 });
      await page.getByText('Its worker process has ended').waitFor({ state: 'hidden' });
    });

    it('restarts a line when asked to', async () => {
      await openChat();
      await button('Restart').click();
      await dialog().getByRole('button', { name: 'Restart' }).click();
      await page.getByText('Restarted. It connects again by itself.').waitFor();
      await page.locator('main header').first().getByText('Connected', { exact: true }).waitFor({ timeout: 30_000 });
      await page.getByRole('textbox', { name: 'Send through the line' }).fill('After the restart');
      await page.keyboard.press('Enter');
      await phone().getByText('After the restart').waitFor();
    });

    it('edits a webhook: events, filters, headers, order', async () => {
      const { linePhone, alice } = await openChat();
      await go('/webhooks');
      await button('New webhook').click();
      await dialog().getByLabel('URL').fill(bench.hook.url);
      await dialog().getByLabel('Events').first().selectOption('some');
      await dialog().getByLabel('message.received').check();
      await dialog().getByRole('button', { name: 'Create' }).click();
      await dialog()
        .getByText(/wzb_whsec_/)
        .waitFor();
      await dialog().getByRole('button', { name: 'I have copied it' }).click();
      await page.getByRole('link', { name: 'Deliveries' }).click();
      await button('Edit').click();
      await dialog().getByLabel('Description (optional)').fill('For the shop');
      await dialog().getByText('Filters').click();
      await dialog().getByLabel('Messages').selectOption('in');
      await dialog().getByText('Own headers').click();
      await dialog().getByRole('button', { name: 'Replace the headers' }).click();
      await dialog().getByLabel('Name', { exact: true }).fill('X-Team');
      await dialog().getByLabel('Value').fill('shop');
      await dialog().getByLabel('Order').selectOption('strict');
      await inspect('webhook-edit');
      await dialog().getByRole('button', { name: 'Save' }).click();
      await dialog().waitFor({ state: 'hidden' });
      await page.getByText('strictly in order').waitFor();
      await page.getByText('Received only').waitFor();
      await page.getByText('For the shop').waitFor();
      await bench.write(alice.slice(1), linePhone, 'For the webhook');
      await expect.poll(() => bench.hook.headers.at(-1)?.['x-team'], { timeout: SOON_MS }).toBe('shop');
      const log = page.getByRole('region', { name: 'Deliveries' });
      await log.getByRole('listitem').filter({ hasText: 'message.received' }).first().waitFor();
      await log.getByLabel('Event', { exact: true }).selectOption('call.incoming');
      await log.getByText('None.').waitFor();
      await log.getByLabel('Event', { exact: true }).selectOption('message.received');
      await log.getByRole('listitem').filter({ hasText: 'message.received' }).first().waitFor();
    });

    it('draws what happened over time, with the same figures as a table', async () => {
      const sentMessages = async () =>
        (await bench.ask<{ metrics: { sent_messages: { used: number } } }>('GET', '/usage')).metrics.sent_messages.used;
      // Of lines that are deleted since; they are in no chart.
      const before = await sentMessages();
      const { lineId, alice } = await openChat();
      await sendFromLine('One that is counted');
      const later = { line_id: lineId, to: alice, send_at: new Date(Date.now() + 3_600_000).toISOString() };
      const { message_id: cancelled } = await bench.ask<{ message_id: string }>('POST', '/messages/send', {
        ...later,
        message: 'Never sent',
      });
      await bench.ask('DELETE', `/lines/${lineId}/queue/${cancelled}`);
      await go('/usage');
      const messages = page.getByRole('region', { name: 'Messages' });
      await messages.locator('canvas').waitFor();
      await messages.getByText('The figures').click();
      const cells = await messages.getByRole('row').last().getByRole('cell').allInnerTexts();
      expect(cells).toHaveLength(3);
      // One message was cancelled: it is counted by neither.
      const sent = await messages.getByRole('cell').allInnerTexts();
      const total = sent.filter((_, at) => at % 3 === 1).reduce((sum, text) => sum + Number(text), 0);
      expect(total).toBe((await sentMessages()) - before);
      await page.getByLabel('Time shown').selectOption('30d');
      await expect.poll(() => messages.getByRole('row').count()).toBe(31);
    });

    it('shows how much of a limited plan is used', async () => {
      await bench.pairedLine('The only one');
      await limitPlan();
      await go('/usage');
      await page.getByText('Plan: small.').waitFor();
      await page.getByRole('img', { name: /^Sent messages: \d+ \/ 10$/ }).waitFor();
      await page.getByRole('img', { name: 'Lines: 1 / 1' }).waitFor();
      await inspect('usage-limited');
      await go('/lines');
      await button('New line').click();
      await dialog().getByLabel('Name').fill('One too many');
      await dialog().getByRole('button', { name: 'Create' }).click();
      await dialog().getByRole('alert').getByText('line', { exact: false }).waitFor();
      await page.keyboard.press('Escape');
    });

    it('has a form for every call of the published APIs, with a field for everything it takes', async () => {
      await go('/playground');
      const { paths } = (await (await fetch(`${bench.product.url}/api/openapi.json`)).json()) as {
        paths: Record<string, Record<string, PublishedOperation>>;
      };
      const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
      expect(operations.length).toBeGreaterThan(80);
      const missing: string[] = [];
      for (const { operationId, parameters, requestBody } of operations) {
        await page.getByLabel('Operation').selectOption(operationId);
        const body = requestBody?.content['application/json']?.schema.properties ?? {};
        const asked = [...parameters.map(({ name }) => name), ...Object.keys(body)];
        const labels = await page.locator('main form').locator('label, legend, summary').allTextContents();
        for (const name of asked) {
          if (!labels.some((label) => label.split(/ [·*]/, 1)[0] === name)) missing.push(`${operationId}: ${name}`);
        }
      }
      expect(missing).toEqual([]);
    });

    it('says in the language of the page why something was refused', async () => {
      await bench.ask('POST', '/lines', { label: 'The only one' });
      await limitPlan();
      await go('/lines');
      await page.getByRole('combobox', { name: 'Language' }).first().selectOption('es');
      await button('Nueva línea').click();
      await dialog().getByLabel('Nombre').fill('Otra');
      await dialog().getByRole('button', { name: 'Crear' }).click();
      await dialog().getByText('El plan no permite más líneas.').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('combobox', { name: 'Idioma' }).first().selectOption('en');
    });

    it('signs in by a passkey that was added in the settings, and no more once it is deleted', async () => {
      const { url } = bench.product;
      const other = await bench.browser.newContext({
        viewport: WIDE,
        locale: 'en-US',
        colorScheme: 'light',
        reducedMotion: 'reduce',
      });
      const own = await other.newPage();
      own.setDefaultTimeout(20_000);
      const more = watch(own, url);
      const cdp = await other.newCDPSession(own);
      await cdp.send('WebAuthn.enable');
      await cdp.send('WebAuthn.addVirtualAuthenticator', {
        options: {
          protocol: 'ctap2',
          transport: 'internal',
          hasResidentKey: true,
          hasUserVerification: true,
          isUserVerified: true,
          automaticPresenceSimulation: true,
        },
      });
      const press = (name: string) => own.getByRole('button', { name, exact: true }).first().click();
      await own.goto(`${url}/settings`);
      await own.getByLabel('E-mail address').fill(OWNER.email);
      await own.getByLabel('Password').fill(OWNER.password);
      await press('Sign in');
      await press('Add a passkey');
      await own.getByRole('dialog').getByLabel('Name').fill('Test device');
      await own.getByRole('dialog').getByLabel('Your password').fill('not my password');
      await own.getByRole('dialog').getByRole('button', { name: 'Add a passkey' }).click();
      await own.getByText('This is not your present password.').waitFor();
      await own.getByRole('dialog').getByLabel('Your password').fill(OWNER.password);
      await own.getByRole('dialog').getByRole('button', { name: 'Add a passkey' }).click();
      await own.getByText('Test device').waitFor();
      expect(await violations(own)).toEqual([]);
      await picture(own, 'passkeys');
      await press('Sign out');
      await own.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
      expect(await violations(own)).toEqual([]);
      await picture(own, 'sign-in');
      await press('Sign in with a passkey');
      await own.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
      await own.goto(`${url}/settings`);
      await press('Delete the passkey Test device');
      await own.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await own.getByText('No passkeys yet.').waitFor();
      await press('Sign out');
      await press('Sign in with a passkey');
      await own.getByText('This passkey is not known here. Sign in with your password.').waitFor();
      expect(more).toEqual([]);
      await other.close();
    });
  },
);
