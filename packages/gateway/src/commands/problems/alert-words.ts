import type { AlertFacts } from '../../core/alerts.ts';
import { LINE_REASONS, toReason } from '../../core/line-reasons.ts';
import type { Store } from '../../store/db/store.ts';
import { findLineUnowned } from '../../store/lines/lines.ts';
import { findApproval } from '../../store/sends/approvals.ts';
import { findWebhook } from '../../store/webhooks/webhooks.ts';

/** An alert in words, for a person who may read it on a locked phone. */
export interface AlertWords {
  /** One sentence. */
  title: string;
  /** What is done about it; empty when there is nothing to say. */
  help: string;
  /** Of the console's page, below the server's address. */
  path: string;
  /** What waits for a yes, as it was asked for; only for those who chose texts. */
  shown?: { operation: string; arguments: Record<string, unknown> };
}

interface Owner {
  accountId: string;
  mode: 'live' | 'test';
}

/** Puts an alert into words as things stand now. Texts are read here and kept nowhere. */
export async function wordsOf(store: Store, owner: Owner, facts: AlertFacts, hasTexts: boolean): Promise<AlertWords> {
  const line = facts.lineId === null ? undefined : await findLineUnowned(store.db, facts.lineId);
  const name = line?.label || (line?.phone ? `+${line.phone}` : 'A line');
  const over = facts.resolved;
  const linePath = `/lines/${facts.lineId ?? ''}`;
  switch (facts.about) {
    case 'line_down': {
      const reason = toReason(facts.reason);
      return {
        title: over ? `${name} is connected again` : `${name} is not connected`,
        help: over || reason === null ? '' : `${LINE_REASONS[reason].means} ${LINE_REASONS[reason].remedy}`.trim(),
        path: linePath,
      };
    }
    case 'queue_stuck':
      return {
        title: over ? `Messages of ${name} leave again` : `Messages of ${name} do not leave`,
        help: over ? '' : 'The line is connected, and still its messages wait. Restart the line.',
        path: linePath,
      };
    case 'webhook_failing':
      return ofWebhook(store, owner, facts);
    case 'disk_low':
      return over
        ? { title: 'There is room again where the data is', help: '', path: '/' }
        : {
            title: 'Little room is left where the data is',
            help: 'Free space: a full disk takes no messages.',
            path: '/',
          };
    case 'clock_off':
      return over
        ? { title: 'The clock of the server is right again', help: '', path: '/' }
        : {
            title: `The clock of the server is ${facts.reason ?? 'off'} by a minute or more`,
            help: 'Set it by NTP: signatures and WhatsApp’s tokens are refused when the time is wrong.',
            path: '/',
          };
    case 'approval': {
      const approval = hasTexts ? await findApproval(store.db, owner, facts.subject) : undefined;
      return {
        title: `A message of ${name} waits for your yes`,
        help: 'It is not sent until it is approved.',
        path: '/approvals',
        shown: approval && { operation: approval.operation, arguments: approval.shown },
      };
    }
    case 'test':
      return { title: 'This is a test: alerts reach you here', help: '', path: '/settings' };
  }
}

async function ofWebhook(store: Store, owner: Owner, facts: AlertFacts): Promise<AlertWords> {
  const webhook = await findWebhook(store.db, owner, facts.subject);
  // Paths of webhooks may hold secrets of their own.
  const host = webhook && URL.canParse(webhook.url) ? new URL(webhook.url).host : facts.subject;
  const wrong =
    facts.reason === null
      ? `The webhook to ${host} fails`
      : `The webhook to ${host} was switched off because it failed`;
  return {
    title: facts.resolved ? `The webhook to ${host} works again` : wrong,
    help: facts.resolved ? '' : 'Its log says what the endpoint answered.',
    path: `/webhooks/${facts.subject}`,
  };
}
