import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Receiver, startReceiver } from '../../../test/receiver.ts';
import { forEachStore, type TestStore } from '../../../test/store-harness.ts';
import { type MailServer, startMailServer } from '../../../test/support/mail-server.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { until } from '../../../test/support/until.ts';
import { createWebhookWorld, guardFor, type WebhookWorld } from '../../../test/support/webhook-world.ts';
import { nextAlertDelayMs } from '../../core/alerts.ts';
import type { Log } from '../../observe/logger.ts';
import { silentLog } from '../../observe/logger.ts';
import { insertUser } from '../../store/access/users.ts';
import { MAX_WAITING_ALERTS, queueAlert } from '../../store/problems/alerts.ts';
import { insertApproval } from '../../store/sends/approvals.ts';
import { type Alerts, createAlerts } from './alerts.ts';
import { createMailer } from './mailer.ts';
import { type ProblemWatch, watchProblems } from './watch-problems.ts';

const ADA = 'usr_ada';
const BOB = 'usr_bob';

forEachStore((openStore) => {
  let opened: TestStore;
  let world: WebhookWorld;
  let clock: ManualClock;
  let lineId: string;
  let mail: MailServer;
  let hook: Receiver;
  let alerts: Alerts;
  let watch: ProblemWatch;
  let said: string[];

  beforeEach(async () => {
    opened = await openStore();
    clock = new ManualClock(Date.now());
    world = await createWebhookWorld(opened.store, clock);
    lineId = await world.addLine({ mode: 'live' });
    await world.store.db.updateTable('lines').set({ phone: '15550001111', label: 'Shop' }).execute();
    for (const [id, email] of [
      [ADA, 'ada@example.com'],
      [BOB, 'bob@example.com'],
    ] as const) {
      const rest = {
        name: id,
        role: 'viewer',
        password: 'x',
        created_at: 0,
        disabled_at: null,
        signed_in_at: null,
      } as const;
      await insertUser(world.store.db, { id, email, ...rest });
    }
    mail = await startMailServer();
    hook = await startReceiver();
    said = [];
    open();
  });
  afterEach(async () => {
    watch.close();
    await alerts.close();
    await hook.close();
    await mail.close();
    await opened.close();
  });

  function open(): void {
    const log: Log = { ...silentLog, warn: (_, message) => void said.push(message) };
    alerts = createAlerts({
      ...{ store: world.store, ring: world.ring, clock, log, accountId: world.accountId },
      guard: guardFor([hook.port], clock),
      publicUrl: () => 'https://ponte.example.com',
      sendMail: createMailer({
        ...{ host: '127.0.0.1', port: mail.port, security: 'plain', user: undefined, password: undefined },
        from: 'Ponte <ponte@example.com>',
      }),
    });
    watch = watchProblems({
      ...{ store: world.store, clock, log, accountId: world.accountId },
      nudgeDeliveries: () => {},
      onChange: () => {},
      nudgeAlerts: () => alerts.nudge(),
    });
    alerts.start();
  }
  const turn = (id: string, status: string, status_reason: string | null) =>
    world.store.db.updateTable('lines').set({ status, status_reason }).where('id', '=', id).execute();
  const waiting = () => world.store.db.selectFrom('alerts').selectAll().execute();
  const allGone = () => until('an empty queue', async () => (await waiting()).length === 0);

  test('a line that is down is told once to each, on the way they chose, and once when it is back', async () => {
    await alerts.change(ADA, { hasEmail: true });
    const { secret } = await alerts.change(BOB, { url: `http://127.0.0.1:${hook.port}/alerts` });
    await turn(lineId, 'logged_out', 'logged_out');
    await watch.look();
    await watch.look();
    const [first] = await mail.until(1);
    expect([first?.to, first?.data]).toEqual([
      expect.stringContaining('<ada@example.com>'),
      expect.stringContaining('Subject: Ponte: Shop is not connected'),
    ]);
    // Quoted-printable may break a line anywhere; mail programs put it together again.
    expect(first?.data.replace(/=\r?\n/g, '')).toContain(`https://ponte.example.com/lines/${lineId}`);
    const [post] = await hook.until(1);
    const body = new Webhook(String(secret).replace(/^wzb_/, '')).verify(
      post?.body ?? '',
      post?.headers as Record<string, string>,
    );
    expect(body).toMatchObject({ type: 'alert.line_down', line_id: lineId, reason: 'logged_out', resolved: false });
    expect(Object.keys(body as object).toSorted()).toEqual([
      'created_at',
      'id',
      'line_id',
      'link',
      'reason',
      'resolved',
      'since',
      'subject',
      'text',
      'type',
    ]);
    await allGone();
    // A restart tells nothing again.
    watch.close();
    await alerts.close();
    open();
    clock.skip(60_000);
    await watch.look();
    await turn(lineId, 'connected', null);
    await watch.look();
    await mail.until(2);
    await hook.until(2);
    await allGone();
    expect(mail.mails.map(({ data }) => /Subject: (.*)/.exec(data)?.[1])).toEqual([
      'Ponte: Shop is not connected',
      'Ponte: Shop is connected again',
    ]);
    expect(hook.requests.map(({ body: text }) => (JSON.parse(text) as { resolved: boolean }).resolved)).toEqual([
      false,
      true,
    ]);
  });

  test('nobody hears of test lines, of other accounts, or without wanting to', async () => {
    await alerts.change(ADA, { hasEmail: true });
    await turn(world.lineId, 'logged_out', 'logged_out');
    const foreign = await world.addLine({ mode: 'live', accountId: 'acc_other' });
    await turn(foreign, 'logged_out', 'logged_out');
    await watch.look();
    expect(await waiting()).toEqual([]);
    expect([mail.mails, hook.requests]).toEqual([[], []]);
  });

  test('what could not be delivered is tried again later under the same id, and given up at its end', async () => {
    await alerts.change(ADA, { url: `http://127.0.0.1:${hook.port}/alerts` });
    hook.use(() => ({ answer: 503 }));
    await turn(lineId, 'logged_out', 'logged_out');
    await watch.look();
    for (let attempt = 1; attempt <= 7; attempt += 1) {
      await hook.until(attempt);
      const isLast = nextAlertDelayMs(attempt, 0.5) === undefined;
      await until('the outcome of an attempt', async () => {
        const [row] = await waiting();
        return isLast ? row === undefined : Number(row?.attempts) === attempt;
      });
      clock.skip(nextAlertDelayMs(attempt, 0.5) ?? 86_400_000);
      alerts.nudge();
    }
    expect(hook.requests).toHaveLength(7);
    expect(new Set(hook.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(said).toContain('an alert could not be delivered and is given up');
  });

  test('a mail server that refuses is asked again; the e-mail comes once', async () => {
    await alerts.change(ADA, { hasEmail: true });
    mail.refuse(451);
    await turn(lineId, 'logged_out', 'logged_out');
    await watch.look();
    await until('the outcome of an attempt', async () => Number((await waiting())[0]?.attempts) === 1);
    mail.refuse(undefined);
    clock.skip(nextAlertDelayMs(1, 0.5) ?? 0);
    alerts.nudge();
    await mail.until(1);
    await allGone();
    expect(mail.mails).toHaveLength(1);
  });

  test('the text of a message that waits for a yes is in the alerts of those alone who chose it', async () => {
    const url = `http://127.0.0.1:${hook.port}`;
    await alerts.change(ADA, { url: `${url}/with`, hasTexts: true });
    await alerts.change(BOB, { url: `${url}/without` });
    await insertApproval(world.store.db, {
      ...{ id: 'apr_1', accountId: world.accountId, mode: 'live', lineId, keyId: 'key_1', keyName: 'bot' },
      ...{ operation: 'sendMessage', shown: { message: 'the secret plan' }, command: 'sends.text', input: {} },
      ...{ repeatKey: null, fingerprint: 'f', state: 'pending', createdAt: clock.now() },
      ...{ expiresAt: clock.now() + 600_000, decidedAt: null, decidedBy: null, outcome: null },
    });
    await watch.look();
    await watch.look();
    await hook.until(2);
    await allGone();
    const by = new Map(hook.requests.map(({ path, body }) => [path, body]));
    expect(hook.requests).toHaveLength(2);
    expect(by.get('/with')).toContain('the secret plan');
    expect(by.get('/without')).toContain('waits for your yes');
    expect(by.get('/without')).not.toContain('secret plan');
  });

  test('the queue has a bound', async () => {
    await alerts.close();
    await alerts.change(ADA, { url: `http://127.0.0.1:${hook.port}` });
    const facts = { about: 'test', subject: 'x', lineId: null, reason: null, since: 0, resolved: false } as const;
    const row = {
      user_id: ADA,
      channel: 'email',
      facts: JSON.stringify(facts),
      attempts: 0,
      due_at: 0,
      created_at: 0,
    } as const;
    const rows = Array.from({ length: MAX_WAITING_ALERTS - 1 }, (_, n) => ({ ...row, id: `alt_${n}` }));
    for (let at = 0; at < rows.length; at += 100) {
      await world.store.db
        .insertInto('alerts')
        .values(rows.slice(at, at + 100))
        .execute();
    }
    expect(await queueAlert(world.store.db, facts, 0)).toBe(0);
    expect(await queueAlert(world.store.db, facts, 0)).toBe(1);
    expect(await waiting()).toHaveLength(MAX_WAITING_ALERTS);
  });

  test('who can sign in no more is alerted no more', async () => {
    await alerts.change(ADA, { hasEmail: true });
    await world.store.db.updateTable('console_users').set({ disabled_at: 1 }).execute();
    await turn(lineId, 'logged_out', 'logged_out');
    await watch.look();
    expect(await waiting()).toEqual([]);
  });
});
