import type { Webhook } from '../../core/webhooks.ts';
import { json, type Route, route } from '../../http/route.ts';
import { rfc3339, rfc3339OrNull } from './answers.ts';
import * as schemas from './schemas.ts';

const endpoint = (of: Webhook) => ({
  id: of.id,
  format: of.format,
  url: of.url,
  events: of.events,
  line_id: of.lineId,
  description: of.description,
  status: of.status,
  disabled_reason: of.disabledReason,
  failing_since: rfc3339OrNull(of.failingSince),
  created_at: rfc3339(of.createdAt),
  filters: of.filters && {
    chats: of.filters.chats ?? null,
    direction: of.filters.direction ?? null,
    types: of.filters.kinds ?? null,
  },
  strict_order: of.strictOrder,
  rotating_until: rfc3339OrNull(of.rotatingUntil),
});

/**
 * Webhooks of both published formats as one list. What is done with one of them goes through the
 * rows of the Lines API, whatever its format.
 */
export const webhookRoutes: Route[] = [
  route({
    tag: 'Webhooks',
    limit: 'console',
    auth: 'session',
    method: 'GET',
    role: 'viewer',
    path: '/v1/endpoints',
    operation: 'listEndpoints',
    summary: 'Webhooks of both formats, oldest first, and the names of events',
    answers: { 200: { description: 'Webhooks.', schema: schemas.endpoints } },
    command: 'webhooks.every',
    in: () => ({}),
    out: ({ webhooks, names, types }) => json(200, { webhooks: webhooks.map(endpoint), names, types }),
  }),
  route({
    tag: 'Webhooks',
    limit: 'console',
    auth: 'session',
    method: 'PATCH',
    role: 'developer',
    path: '/v1/endpoints/:id',
    operation: 'changeEndpoint',
    summary: 'Change where a webhook of the Bridges API goes and what it gets',
    params: schemas.idParams,
    body: schemas.endpointChange,
    answers: { 200: { description: 'Changed.', schema: schemas.done } },
    command: 'webhooks.patch',
    in: ({ params, body }) => ({ id: params.id, ...body }),
    out: () => json(200, { ok: true }),
  }),
];
