import { Readable } from 'node:stream';
import type { Batch, EventStream } from '../commands/events/event-streams.ts';
import type { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Answer } from './route.ts';

/** A sign of life this often, so that proxies and readers know that the line is up. */
export const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for this long is cut off; it can reconnect with its cursor. */
export const STUCK_MS = 30_000;
/** How soon a reader should come back, which EventSource keeps to. */
const RETRY_MS = 2_000;
/** What may wait for a reader that is slower than its events. */
const MAX_BUFFERED_BYTES = 64 * 1_024;

/**
 * A stream of events as `text/event-stream` (HTML standard, server-sent events): `id` is the
 * cursor, `event` the name, `data` the body of the Lines webhooks. Events are read when the reader
 * takes them: a slow one costs a small buffer here and nothing else. The last thing said is `event:
 * end` with the reason, whenever there is a reader to hear it.
 */
export function eventSource(
  stream: EventStream,
  deps: { clock: Clock; endBody(error: AppError): Record<string, unknown> },
): Answer {
  const { clock } = deps;
  let cancelStuck = () => {};
  let isBusy = false;
  const out = new Readable({
    highWaterMark: MAX_BUFFERED_BYTES,
    read() {
      cancelStuck();
      if (isBusy) return;
      isBusy = true;
      void step();
    },
  });
  const say = (text: string) => {
    cancelStuck();
    cancelStuck = clock.after(STUCK_MS, () => {
      stream.cut('slow');
      out.destroy();
    });
    isBusy = false;
    out.push(text);
  };
  async function step(): Promise<void> {
    try {
      const batch = await stream.next(HEARTBEAT_MS);
      if (out.destroyed) return;
      if (!('ended' in batch)) return say(text(batch));
      say(`event: end\ndata: ${JSON.stringify(deps.endBody(batch.ended))}\n\n`);
      out.push(null);
    } catch (error) {
      out.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }
  out.once('close', () => {
    cancelStuck();
    stream.close();
  });
  out.on('error', () => {}); // 'close' follows.
  // A client that does not read never sees the end: it is cut after a grace period.
  stream.over.addEventListener('abort', () => clock.after(FAREWELL_MS, () => out.destroy()), { once: true });
  out.push(`retry: ${RETRY_MS}\n\n`);
  return {
    status: 200,
    headers: { 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
    stream: { contentType: 'text/event-stream; charset=utf-8', data: out },
  };
}

/** How long a reader has to hear why its stream ends. */
const FAREWELL_MS = 500;

/**
 * A heartbeat is a comment; its `id` moves the reader's cursor over events that were not for it,
 * without an event.
 */
function text({ events, cursor }: Batch): string {
  if (events.length === 0) return `: heartbeat\nid: ${cursor}\n\n`;
  return events.map((event) => `id: ${event.cursor}\nevent: ${event.name}\ndata: ${event.body}\n\n`).join('');
}
