import type { Alert } from '../../core/alerts.ts';
import type { Guard } from '../../net/guarded-fetch.ts';
import { standardHeaders } from '../../webhooks/signature.ts';
import type { AlertWords } from './alert-words.ts';

const WITHIN_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1_024;
const USER_AGENT = 'Ponte-Alerts/1';

const rfc3339 = (ms: number): string => new Date(ms).toISOString();

/**
 * What is posted. `text` is the whole in one sentence, which is what chat programs show of a post.
 */
export function alertBody({ id, facts, createdAt }: Alert, words: AlertWords, link: string): string {
  return JSON.stringify({
    id,
    type: `alert.${facts.about}`,
    created_at: rfc3339(createdAt),
    since: rfc3339(facts.since),
    resolved: facts.resolved,
    line_id: facts.lineId,
    subject: facts.subject,
    reason: facts.reason,
    text: [words.title, words.help].filter(Boolean).join('. '),
    link,
    ...(words.shown ? { approval: words.shown } : {}),
  });
}

/** One signed POST (Standard Webhooks). Rejects when it was not taken. */
export async function postAlert(
  guard: Pick<Guard, 'fetch'>,
  to: { url: string; secret: string },
  of: { id: string; body: string; now: number },
): Promise<void> {
  const signed = { id: of.id, timestampSeconds: Math.floor(of.now / 1_000), body: of.body };
  const answer = await guard.fetch(to.url, {
    purpose: 'webhook',
    headers: {
      'content-type': 'application/json',
      'user-agent': USER_AGENT,
      ...standardHeaders(signed, [to.secret]),
    },
    body: of.body,
    maxBytes: MAX_ANSWER_BYTES,
    totalTimeoutMs: WITHIN_MS,
  });
  answer.discard();
  if (answer.status < 200 || answer.status > 299) throw new Error(`HTTP ${answer.status}`);
}
