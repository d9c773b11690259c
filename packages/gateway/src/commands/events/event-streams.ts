import type { KeyHolder } from '../../access/api-keys.ts';
import { AppError } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import type { EventFeed, FeedReader } from '../../journal/event-feed.ts';
import type { Log } from '../../observe/logger.ts';
import { noStreamMetrics, type StreamMetrics, type Transport } from '../../observe/stream-metrics.ts';
import { endedKeys } from '../../store/access/ended-keys.ts';
import type { Store } from '../../store/db/store.ts';
import { wishForLiveFacts } from '../../store/journal/event-log.ts';
import { selects, type WebhookFormat } from '../../webhooks/format.ts';
import { mayUseLine } from '../line-limits.ts';

/** One event as it goes out: the same bytes as the body of a Lines webhook. */
export interface StreamedEvent {
  /** Where a reader goes on after it. */
  cursor: string;
  id: string;
  /** The event's name in the Lines API. */
  name: string;
  body: string;
}

/**
 * What came since the last one. No events: nothing for this reader, but `cursor` may have moved.
 */
export interface Batch {
  events: StreamedEvent[];
  cursor: string;
  /** There is more to read at once. */
  hasMore: boolean;
}

/**
 * Why a stream ended: `unavailable` (we shut down), `unauthorized`, `subscription_required`,
 * `cursor_expired`.
 */
export interface Ended {
  ended: AppError;
}

/**
 * One reader's way through the events, in their order, each once. Nothing is read ahead of `next`:
 * a slow reader costs a cursor.
 */
export interface EventStream {
  /**
   * The next events, at once when there are some; otherwise waits up to `waitMs` for them. One call
   * at a time.
   */
  next(waitMs: number): Promise<Batch | Ended>;
  /** Aborted when the stream is over, whichever side ended it; `next` says why. */
  readonly over: AbortSignal;
  /** Ends it because its reader does not read. */
  cut(reason: string): void;
  close(): void;
}

export interface StreamRequest {
  /** A cursor, or `now`, or `oldest`. */
  after: number | 'now' | 'oldest';
  lineId?: string;
  names: readonly string[];
  selectors: ReadonlySet<string>;
  via: Transport;
  /** Events of one batch at most. */
  limit: number;
}

export interface EventStreams {
  /** Throws `cursor_expired`, `rate_limited` (too many streams of this key), `unavailable`. */
  open(caller: KeyHolder, request: StreamRequest): Promise<EventStream>;
  /** Streams that are open. */
  readonly size: number;
  /** Ends every stream; further ones are refused. */
  close(): void;
}

export interface EventStreamsDeps {
  store: Store;
  feed: EventFeed;
  format: WebhookFormat;
  clock: Clock;
  log: Log;
  metrics?: StreamMetrics;
  maxPerKey?: number;
}

const MAX_PER_KEY = 20;
const MAX_STREAMS = 2_000;
/** A key that is revoked anywhere ends its streams within this time and one query. */
const WATCH_MS = 500;
/** How often a client's wish for live facts is renewed, and how long each renewal lasts. */
const WISH_EVERY_MS = 10_000;
const WISH_FOR_MS = 30_000;
/** A batch ends when its bodies are this long together. */
const MAX_BATCH_CHARS = 256 * 1_024;
/** Pages looked through for one batch: a reader of rare events hears how far it got. */
const MAX_PAGES = 20;

/** The live streams of this process, whatever carries them. */
export function createEventStreams(deps: EventStreamsDeps): EventStreams {
  const { store, feed, clock, log } = deps;
  const maxPerKey = deps.maxPerKey ?? MAX_PER_KEY;
  const open = new Set<RunningStream>();
  let isClosed = false;
  let cancelWatch: (() => void) | undefined;

  async function watch(): Promise<void> {
    try {
      const keyIds = [...new Set([...open].map((stream) => stream.caller.keyId))];
      const ended = keyIds.length === 0 ? new Map() : await endedKeys(store.db, keyIds, clock.now());
      for (const stream of open) {
        const reason = ended.get(stream.caller.keyId);
        if (reason) stream.end(new AppError(reason));
      }
      await renewWishes();
    } catch (error) {
      log.warn({ error }, 'looking after the keys of event streams failed; trying again');
    }
    cancelWatch = isClosed || open.size === 0 ? undefined : clock.after(WATCH_MS, () => void watch());
  }

  async function renewWishes(): Promise<void> {
    const now = clock.monotonic();
    const due = [...open].filter((stream) => stream.wishesLive && now - stream.wishedAt >= WISH_EVERY_MS);
    const owners = new Map(due.map(({ caller }) => [`${caller.accountId} ${caller.mode}`, caller]));
    for (const owner of owners.values()) await wishForLiveFacts(store.db, owner, clock.now() + WISH_FOR_MS);
    for (const stream of due) stream.wishedAt = now;
  }

  async function positionOf(after: StreamRequest['after']): Promise<number | 'now'> {
    if (after === 'now') return after;
    const { oldest, newest } = await feed.bounds();
    if (after === 'oldest') return oldest;
    if (after >= oldest && after <= newest) return after;
    throw new AppError('cursor_expired', { oldest_cursor: String(oldest), newest_cursor: String(newest) });
  }

  return {
    async open(caller, request) {
      if (isClosed || open.size >= MAX_STREAMS) throw new AppError('unavailable', { retryAfterSeconds: 5 });
      if ([...open].filter((stream) => stream.caller.keyId === caller.keyId).length >= maxPerKey) {
        const message = `This API key has ${maxPerKey} event streams open. Close one, or use another key.`;
        throw new AppError('rate_limited', { retryAfterSeconds: 10 }, { message });
      }
      const stream = new RunningStream(deps, caller, request, () => open.delete(stream));
      // Its place is taken before anything is waited for.
      open.add(stream);
      try {
        const { accountId, mode } = caller;
        const owner = { accountId, mode, lineId: request.lineId };
        if (stream.wishesLive) await wishForLiveFacts(store.db, owner, clock.now() + WISH_FOR_MS);
        stream.begin(await feed.open(owner, await positionOf(request.after)));
      } catch (error) {
        stream.close();
        throw error;
      }
      if (isClosed) stream.end(new AppError('unavailable', { retryAfterSeconds: 1 }));
      cancelWatch ??= clock.after(WATCH_MS, () => void watch());
      return stream;
    },
    get size() {
      return open.size;
    },
    close() {
      isClosed = true;
      cancelWatch?.();
      for (const stream of [...open]) stream.end(new AppError('unavailable', { retryAfterSeconds: 1 }));
    },
  };
}

class RunningStream implements EventStream {
  readonly caller: KeyHolder;
  readonly wishesLive: boolean;
  wishedAt: number;
  readonly #deps: EventStreamsDeps;
  readonly #request: StreamRequest;
  readonly #metrics: StreamMetrics;
  readonly #over = new AbortController();
  readonly #onClose: () => void;
  #reader: FeedReader | undefined;
  #ended: AppError | undefined;

  constructor(deps: EventStreamsDeps, caller: KeyHolder, request: StreamRequest, onClose: () => void) {
    this.#deps = deps;
    this.#metrics = deps.metrics ?? noStreamMetrics;
    this.caller = caller;
    this.#request = request;
    this.#onClose = onClose;
    this.wishesLive = request.selectors.has('typing') || request.selectors.has('message.receipt');
    this.wishedAt = deps.clock.monotonic();
    this.#metrics.opened(request.via);
  }

  get over(): AbortSignal {
    return this.#over.signal;
  }

  begin(reader: FeedReader): void {
    this.#reader = reader;
    if (this.#over.signal.aborted) reader.close();
  }

  async next(waitMs: number): Promise<Batch | Ended> {
    const reader = this.#reader;
    if (!reader) throw new Error('this stream has not begun');
    const late = new AbortController();
    const cancel = this.#deps.clock.after(waitMs, () => late.abort());
    try {
      for (;;) {
        if (this.#over.signal.aborted) return { ended: this.#ended ?? new AppError('unavailable') };
        const batch = await this.#read(reader);
        if ('ended' in batch || batch.events.length > 0 || batch.hasMore || late.signal.aborted) return batch;
        // Closing the reader ends the wait too.
        await reader.news(late.signal);
        if (late.signal.aborted) return { ...batch, cursor: String(reader.position) };
      }
    } finally {
      cancel();
    }
  }

  async #read(reader: FeedReader): Promise<Batch | Ended> {
    const events: StreamedEvent[] = [];
    let chars = 0;
    for (let page = 0; page < MAX_PAGES && reader.hasMore && events.length === 0; page += 1) {
      const from = reader.position;
      const read = await reader.read(this.#request.limit);
      if (!read) return this.#expired();
      for (const event of read) {
        if (chars > MAX_BATCH_CHARS) {
          // The rest is read again with the next batch.
          reader.seek(Number(events.at(-1)?.cursor ?? from));
          break;
        }
        const out = this.#render(event);
        if (!out) continue;
        events.push(out);
        chars += out.body.length;
      }
    }
    this.#metrics.sent(this.#request.via, events.length);
    return { events, cursor: String(reader.position), hasMore: reader.hasMore };
  }

  #render(event: Parameters<WebhookFormat['render']>[0]): StreamedEvent | undefined {
    const { names, selectors } = this.#request;
    if (!mayUseLine(this.caller, event.lineId) || !selects(selectors, event)) return undefined;
    const line = { id: event.lineId, number: 0, customerRef: null, label: null, phone: null };
    const { format } = this.#deps;
    const rendered = format.render(event, line, { id: event.id, attempt: 1, events: names });
    if (!rendered) return undefined;
    return { cursor: String(event.seq), id: event.id, name: rendered.name ?? event.type, body: rendered.body };
  }

  async #expired(): Promise<Ended> {
    const { oldest, newest } = await this.#deps.feed.bounds();
    const error = new AppError('cursor_expired', { oldest_cursor: String(oldest), newest_cursor: String(newest) });
    this.end(error);
    return { ended: error };
  }

  /** Ends it from our side. */
  end(error: AppError): void {
    if (this.#over.signal.aborted) return;
    this.#ended = error;
    this.#metrics.cut(error.code);
    this.close();
  }

  cut(reason: string): void {
    if (this.#over.signal.aborted) return;
    this.#metrics.cut(reason);
    this.close();
  }

  close(): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#reader?.close();
    this.#metrics.closed(this.#request.via);
    this.#onClose();
  }
}
