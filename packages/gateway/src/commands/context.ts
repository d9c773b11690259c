import type { KeyHolder } from '../access/api-keys.ts';
import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import type { ContentsState } from '../core/contents.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import type { News } from '../journal/news.ts';
import type { LineRouter } from '../lines/workers/router.ts';
import type { LinkPreviews } from '../media/link-previews.ts';
import type { Media } from '../media/media.ts';
import type { Guard } from '../net/guarded-fetch.ts';
import type { Log } from '../observe/logger.ts';
import type { Store } from '../store/db/store.ts';
import type { LineOwner } from '../store/lines/lines.ts';
import type { AccountTerms } from '../store/sends/usage.ts';
import type { WebhookFormats } from '../webhooks/format.ts';
import type { TestedWebhook } from '../webhooks/test-webhook.ts';
import type { EventStreams } from './events/event-streams.ts';
import type { ClockCheck } from './problems/clock-check.ts';

/** What a key may do. `*` on a key means all of them. */
export const SCOPES = [
  'account:read',
  'lines:read',
  'lines:write',
  'messages:send',
  'messages:read',
  'contacts:read',
  'webhooks:read',
  'webhooks:write',
  'events:read',
  'sandbox:read',
  'sandbox:write',
] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * Who asks: the account behind an API key, and what the key may do. A test key sees test lines
 * only, a live key live lines only.
 */
export type Caller = KeyHolder & {
  /** The step that its request is, where traces are on. */
  traceparent?: string;
};

/** Refuses a key that lacks a scope. */
export function requireScope(caller: Caller, scope: Scope): void {
  if (caller.scopes.includes('*') || caller.scopes.includes(scope)) return;
  throw new AppError('forbidden', {}, { message: `This API key lacks the scope ${scope}. Use a key that has it.` });
}

/** What handlers work with; built by app.ts. */
export interface Services {
  store: Store;
  ring: KeyRing;
  router: LineRouter;
  clock: Clock;
  log: Log;
  /** Judges URLs that callers give, and fetches from them. */
  guard: Pick<Guard, 'checkTarget' | 'fetch'>;
  formats: WebhookFormats;
  /** Files of messages, on their way in and out. */
  media: Media;
  /** Makes the cards of links; absent: texts go without. */
  previews?: LinkPreviews;
  /** One attempt of a `webhook.test` event now; undefined when there is no such webhook. */
  testWebhook(target: LineOwner & { id: string }): Promise<TestedWebhook | undefined>;
  /** Wakes those who wait for something in the journal. */
  news: Pick<News, 'next' | 'enter' | 'isClosed'>;
  /** Aborted when this process ends: what waits for something answers with what is so far. */
  ending?: AbortSignal;
  /** Tells the dispatcher that deliveries may be due. */
  nudgeDeliveries(): void;
  /** Live streams of events. */
  streams: EventStreams;
  /** Where others reach this server, without a trailing slash; for links it gives out. */
  publicUrl(): string;
  /** Free bytes where the data is; undefined where it cannot be determined. */
  freeDiskBytes?(): Promise<number | undefined>;
  /** How far this machine's clock is off, as far as others say. */
  clockCheck?: Pick<ClockCheck, 'read'>;
  /** Accepted sends that may wait on one line; further ones get `queue_full`. */
  maxWaitingSends?: number;
}

/** The account as it stands when the request is authorised. */
export interface Account extends AccountTerms {
  id: string;
  name: string;
  /** `active`, or why not. */
  subscription: string;
  createdAt: number;
  /** How what people say lies in the database. */
  contents: ContentsState;
}

/** One request on its way through a handler. */
export interface Context extends Services {
  caller: Caller;
  account: Account;
}
