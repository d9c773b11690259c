import { makeTicket } from '../../access/stream-tickets.ts';
import type { Transport } from '../../observe/stream-metrics.ts';
import { accountCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { findLine, type LineName } from '../lines/find-line.ts';
import { subscription } from '../webhooks/webhooks.ts';
import type { Batch, EventStream, StreamRequest } from './event-streams.ts';

export interface FollowInput {
  after: StreamRequest['after'];
  line?: LineName;
  /** Names of the Lines API; `*` = all but those that have to be named. */
  events: readonly string[];
}

async function open(context: Context, input: FollowInput, via: Transport, limit: number): Promise<EventStream> {
  const { events: names, selectors } = subscription(context, 'lines', input.events);
  const line = input.line && (await findLine(context, input.line));
  return context.streams.open(context.caller, {
    after: input.after,
    lineId: line?.id,
    names,
    selectors: new Set(selectors),
    via,
    limit,
  });
}

/** Events of one batch of a live stream. */
const BATCH = 100;

/** A live stream of the caller's events, from a cursor on. The caller that opens it closes it. */
export const followEvents = accountCommand(
  { scope: 'events:read', forLineKeys: 'own' },
  (context: Context, input: FollowInput & { via: Transport }): Promise<EventStream> =>
    open(context, input, input.via, BATCH),
);

/**
 * After the first event others of the same moment are waited for: who asks again at once would ask
 * for each of them.
 */
const GATHER_MS = 200;

/**
 * The events after a cursor; without any, waits for them up to `waitMs`. `hangUp` ends the wait.
 */
export const pullEvents = accountCommand(
  { scope: 'events:read', forLineKeys: 'own' },
  async (
    context: Context,
    input: FollowInput & { waitMs: number; limit: number; hangUp: AbortSignal },
  ): Promise<Batch> => {
    const stream = await open(context, input, 'poll', input.limit);
    const { hangUp } = input;
    const leave = () => stream.close();
    hangUp.addEventListener('abort', leave, { once: true });
    try {
      const { clock } = context;
      const deadline = clock.monotonic() + input.waitMs;
      let batch = await stream.next(input.waitMs);
      while (!('ended' in batch) && batch.events.length === 0 && batch.hasMore && clock.monotonic() < deadline) {
        batch = await stream.next(Math.max(0, deadline - clock.monotonic()));
      }
      if ('ended' in batch) {
        // A server that shuts down has nothing to say; the caller asks the next one with the cursor
        // it has.
        throw batch.ended;
      }
      return input.waitMs > 0 && !batch.hasMore ? await gather(context, stream, batch, input.limit) : batch;
    } finally {
      hangUp.removeEventListener('abort', leave);
      stream.close();
    }
  },
);

async function gather(context: Context, stream: EventStream, first: Batch, limit: number): Promise<Batch> {
  if (first.events.length === 0 || first.events.length >= limit) return first;
  await context.clock.sleep(GATHER_MS, stream.over);
  const rest = await stream.next(0);
  if ('ended' in rest || first.events.length + rest.events.length > limit) return { ...first, hasMore: true };
  return { ...rest, events: [...first.events, ...rest.events] };
}

/**
 * A short-lived text that opens streams of this key from a browser, where no header can be sent.
 */
export const makeStreamTicket = accountCommand(
  { scope: 'events:read', forLineKeys: 'own' },
  async ({ ring, clock, caller }: Context, _: object) => makeTicket(ring, clock, caller.keyId),
);
