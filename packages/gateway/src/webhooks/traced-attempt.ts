import type { Spans } from '../observe/spans.ts';
import { attempt } from './attempt.ts';

/**
 * Attempts that are steps of their message's trace, which goes on at the receiver by `traceparent`.
 * Events that are in no trace (states of a line) are attempted as ever.
 */
export function tracedAttempts(spans: Spans): typeof attempt {
  return async (pool, clock, out, signal) => {
    const parent = traceparentOf(out.delivery.event?.payload);
    if (parent === undefined) return attempt(pool, clock, out, signal);
    const span = spans.begin('webhook deliver', {
      kind: 'client',
      parent,
      attributes: {
        'http.request.method': 'POST',
        'ponte.webhook.id': out.endpoint.webhook.id,
        'ponte.delivery.id': out.delivery.id,
        'ponte.delivery.attempt': out.attempt,
        'ponte.event.id': out.eventId,
        'ponte.event.type': out.delivery.event?.type ?? '',
      },
    });
    const result = await attempt(pool, clock, { ...out, traceparent: span.traceparent }, signal);
    const { statusCode, errorClass } = result;
    if (statusCode !== null) span.set({ 'http.response.status_code': statusCode });
    const isTaken = errorClass === null && statusCode !== null && statusCode >= 200 && statusCode < 300;
    span.end(isTaken ? undefined : (errorClass ?? `status ${statusCode}`));
    return { ...result, traceId: span.traceId };
  };
}

/** What an event's payload says of its trace; journal/accept.ts wrote it. */
function traceparentOf(payload: string | undefined): string | undefined {
  if (payload === undefined) return undefined;
  const { traceparent } = JSON.parse(payload) as { traceparent?: unknown };
  return typeof traceparent === 'string' ? traceparent : undefined;
}
