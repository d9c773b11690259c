import type { EventType, JournalEvent } from '../core/events.ts';
import type { LineStatus } from '../core/lines.ts';

export type FormatName = 'bridges' | 'lines';

/** What a subscription picks from the journal: a type of event, or one state of the line. */
export type Selector = EventType | `line.status:${LineStatus}`;

/** One event name a webhook of a format can ask for. */
export interface FormatEvent {
  /** What the name stands for in the journal; any one of them is enough. */
  selects: readonly Selector[];
  /** True: only for webhooks that name it; `["*"]` does not cover it. */
  optIn?: boolean;
}

/**
 * What a format may say about the line of an event. `id` is empty for an event of the account
 * itself.
 */
export interface LineView {
  id: string;
  number: number;
  customerRef: string | null;
  label: string | null;
  phone: string | null;
}

export interface Rendered {
  /** The exact bytes that are signed and sent (UTF-8). */
  body: string;
  /** The event's name in this format; only what live streams carry needs one. */
  name?: string;
  /**
   * Headers of this format only (X-Customer-Ref, X-WAzion-Bridge-Event, …); the common ones are
   * added by the attempt.
   */
  headers: Record<string, string>;
}

export interface RenderedFor {
  id: string;
  attempt: number;
  /**
   * The event names the webhook asked for, in the format's words: one journal event may have two
   * names, one of them opt-in.
   */
  events?: readonly string[];
  /** It asked for more than the published members. */
  hasDetails?: boolean;
}

/**
 * How one published API writes its webhook bodies. The dispatcher renders from the journal at every
 * attempt, so a format must give the same bytes for the same event and line. No input or output, no
 * clock, no randomness.
 */
export interface WebhookFormat {
  readonly name: FormatName;
  /** Every event name a webhook may subscribe to. */
  readonly events: Readonly<Record<string, FormatEvent>>;
  /**
   * Header for `sha256=<hex HMAC-SHA256 of the body keyed with the whole secret>`; null when the
   * format has none.
   */
  readonly legacySignatureHeader: string | null;
  /** Null: this format has nothing to say about the event; the delivery ends as `skipped`. */
  render(event: JournalEvent, line: LineView, delivery: RenderedFor): Rendered | null;
}

export type WebhookFormats = Readonly<Record<FormatName, WebhookFormat>>;

/** All names a `*` stands for. */
export const ALL_EVENTS = '*';

/** Names in `names` that the format does not know; empty when all is well. */
export function unknownEventNames(format: WebhookFormat, names: readonly string[]): string[] {
  return names.filter((name) => name !== ALL_EVENTS && !Object.hasOwn(format.events, name));
}

/** What the names select, without doubles. Unknown names select nothing. */
export function selectorsFor(format: WebhookFormat, names: readonly string[]): Selector[] {
  const all = names.includes(ALL_EVENTS);
  const picked = Object.entries(format.events).filter(([name, event]) => names.includes(name) || (all && !event.optIn));
  return [...new Set(picked.flatMap(([, event]) => event.selects))];
}

/** True when one of the selectors picks the event. */
export function selects(selectors: ReadonlySet<string>, event: JournalEvent): boolean {
  if (selectors.has(event.type)) return true;
  return event.type === 'line.status' && selectors.has(`line.status:${event.payload.status}`);
}
