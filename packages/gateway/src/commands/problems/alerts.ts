import { type Alert, type AlertWishes, nextAlertDelayMs } from '../../core/alerts.ts';
import { invalid } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import type { KeyRing } from '../../crypto/key-ring.ts';
import type { Guard } from '../../net/guarded-fetch.ts';
import { TARGET_PROBLEMS } from '../../net/target-url.ts';
import type { Log } from '../../observe/logger.ts';
import type { Store } from '../../store/db/store.ts';
import {
  ALERT_SCOPE,
  type AlertedPerson,
  findAlerted,
  openAlertSecret,
  saveAlertSettings,
} from '../../store/problems/alert-settings.ts';
import { dueAlerts, endAlert, postponeAlert, queueAlert } from '../../store/problems/alerts.ts';
import { newWebhookSecret } from '../../store/webhooks/webhooks.ts';
import { alertBody, postAlert } from './alert-post.ts';
import { wordsOf } from './alert-words.ts';
import type { SendMail } from './mailer.ts';

/** What a person set, and what this installation can. */
export interface AlertSettings extends AlertWishes {
  /** SMTP is set up. */
  canMail: boolean;
}

/** A person's own settings, and the sending of what waits. */
export interface Alerts {
  read(userId: string): Promise<AlertSettings>;
  /**
   * Changes what is given. A new address gets a secret of its own, which is answered here and never
   * again. `validation_error` for an address that may not be reached, and for e-mail without SMTP.
   */
  change(userId: string, change: Partial<AlertWishes>): Promise<AlertSettings & { secret?: string }>;
  /** Puts a test alert on its way. `validation_error` when the person is alerted nowhere. */
  test(userId: string): Promise<void>;
  /** Something may be due. */
  nudge(): void;
  /** Sends from now on. */
  start(): void;
  close(): Promise<void>;
}

export interface AlertParts {
  store: Store;
  ring: Pick<KeyRing, 'box'>;
  clock: Clock;
  log: Log;
  guard: Pick<Guard, 'checkTarget' | 'fetch'>;
  /** Whose lines and webhooks alerts are about. */
  accountId: string;
  publicUrl(): string;
  /** Undefined where no SMTP server is set. */
  sendMail: SendMail | undefined;
  /** Of a fleet: whether this node is the one that sends. */
  isOurs?(): boolean;
}

const LOOK_EVERY_MS = 15_000;
const AT_ONCE = 50;
/** Older ones are news no more. */
const MAX_AGE_MS = 24 * 3_600_000;
const NOTHING: AlertWishes = { hasEmail: false, url: null, hasTexts: false };

const wishesOf = ({ hasEmail, url, hasTexts }: AlertWishes): AlertWishes => ({ hasEmail, url, hasTexts });

/** Alerts of problems, by e-mail and by posts, one after the other. */
export function createAlerts(parts: AlertParts): Alerts {
  const { store, ring, clock, guard } = parts;
  const canMail = parts.sendMail !== undefined;
  const sender = createSender(parts);
  return {
    ...sender,
    async read(userId) {
      return { ...wishesOf((await findAlerted(store.db, userId)) ?? NOTHING), canMail };
    },
    async change(userId, change) {
      const before = wishesOf((await findAlerted(store.db, userId)) ?? NOTHING);
      const wishes = { ...before, ...change };
      if (wishes.hasEmail && !before.hasEmail && !canMail) {
        throw invalid('email', 'no SMTP server is set; ask the operator to set SMTP_URL and SMTP_FROM');
      }
      const isNew = wishes.url !== null && wishes.url !== before.url;
      if (isNew && wishes.url !== null) {
        const checked = await guard.checkTarget(wishes.url);
        if (!checked.ok) throw invalid('url', TARGET_PROBLEMS[checked.problem]);
      }
      const secret = isNew ? newWebhookSecret() : undefined;
      const box = await ring.box(ALERT_SCOPE);
      await saveAlertSettings(store.db, box, { ...wishes, userId, secret, now: clock.now() });
      return { ...wishes, canMail, secret };
    },
    async test(userId) {
      const { hasEmail, url } = (await findAlerted(store.db, userId)) ?? NOTHING;
      if (!hasEmail && url === null) {
        throw invalid('', 'You are alerted nowhere. Switch e-mail on, or set an address, first.');
      }
      const now = clock.now();
      const facts = {
        about: 'test',
        subject: userId,
        lineId: null,
        reason: null,
        since: now,
        resolved: false,
      } as const;
      await queueAlert(store.db, facts, now, userId);
      sender.nudge();
    },
  };
}

/** One alert at a time: a slow server holds up the others, never the gateway. */
function createSender(parts: AlertParts): Pick<Alerts, 'nudge' | 'start' | 'close'> {
  const { store, clock, log } = parts;
  let isOpen = false;
  let isNudged = false;
  let running: Promise<void> | undefined;
  let cancel = () => {};

  const run = (): void => {
    isNudged = true;
    if (!isOpen || running) return;
    cancel();
    running = drain()
      .catch((error: unknown) => log.warn({ error }, 'sending alerts failed'))
      .finally(() => {
        running = undefined;
        if (!isOpen) return;
        if (isNudged) run();
        else cancel = clock.after(LOOK_EVERY_MS, run);
      });
  };

  async function drain(): Promise<void> {
    isNudged = false;
    if (parts.isOurs?.() === false) return;
    for (const alert of await dueAlerts(store.db, clock.now(), AT_ONCE)) {
      if (!isOpen) return;
      await deliver(parts, alert);
    }
  }

  return {
    nudge: run,
    start() {
      isOpen = true;
      run();
    },
    async close() {
      isOpen = false;
      cancel();
      await running;
    },
  };
}

/** Sends one, or plans its next attempt; never rejects but for the database. */
async function deliver(parts: AlertParts, alert: Alert): Promise<void> {
  const { store, clock, log } = parts;
  try {
    const person = await findAlerted(store.db, alert.userId);
    if (person) await hand(parts, alert, person);
    await endAlert(store.db, alert.id);
  } catch (error) {
    const attempts = alert.attempts + 1;
    const delayMs = nextAlertDelayMs(attempts, clock.random());
    const now = clock.now();
    const about = { alert: alert.id, channel: alert.channel, attempts, reason: reasonOf(error) };
    if (delayMs === undefined || now + delayMs - alert.createdAt > MAX_AGE_MS) {
      log.warn(about, 'an alert could not be delivered and is given up');
      return endAlert(store.db, alert.id);
    }
    log.info(about, 'an alert could not be delivered yet');
    await postponeAlert(store.db, alert.id, { attempts, dueAt: now + delayMs });
  }
}

/** What a person took back meanwhile is not sent any more. */
async function hand(parts: AlertParts, alert: Alert, person: AlertedPerson): Promise<void> {
  const { store, ring, clock, guard, sendMail } = parts;
  const owner = { accountId: parts.accountId, mode: 'live' } as const;
  const words = await wordsOf(store, owner, alert.facts, person.hasTexts);
  const link = `${parts.publicUrl()}${words.path}`;
  if (alert.channel === 'webhook') {
    if (person.url === null || person.sealedSecret === null) return;
    const secret = openAlertSecret(await ring.box(ALERT_SCOPE), person.userId, person.sealedSecret);
    const body = alertBody(alert, words, link);
    return postAlert(guard, { url: person.url, secret }, { id: alert.id, body, now: clock.now() });
  }
  if (!person.hasEmail || !sendMail) return;
  const shown = words.shown && `${words.shown.operation}\n${JSON.stringify(words.shown.arguments, null, 2)}`;
  const since = `Since ${new Date(alert.facts.since).toISOString()}`;
  const text = [`${words.title}.`, words.help, since, shown, link].filter(Boolean).join('\n\n');
  await sendMail({ id: alert.id, to: person.address, subject: `Ponte: ${words.title}`, text });
}

/** Without addresses and secrets that messages of libraries may hold. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code, responseCode, kind } = error as Error & { code?: string; responseCode?: number; kind?: string };
  if (kind !== undefined) return kind;
  if (code !== undefined) return responseCode === undefined ? code : `${code} ${responseCode}`;
  return /^HTTP \d{3}$/.test(error.message) ? error.message : error.name;
}
