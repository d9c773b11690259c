import { queryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';
import { inItsMode } from '../its-mode.ts';
import type { Mode } from '../mode.ts';
import type { Answer, Endpoints, Webhook } from '../shapes.ts';

/** Webhooks of both formats in one mode, with the names of events. */
export const endpointsQuery = (of: Mode) =>
  queryOptions({
    queryKey: ['webhooks', of],
    queryFn: () => api<Endpoints>('GET', '/endpoints', undefined, of),
  });

/** One webhook, in whichever mode it is. */
export const webhookQuery = (webhookId: string) =>
  queryOptions({
    queryKey: ['webhook', webhookId],
    queryFn: () => inItsMode<Webhook>(`/webhooks/${webhookId}`),
  });

/** One delivery with its body and its attempts. */
export const deliveryQuery = (id: string) =>
  queryOptions({
    queryKey: ['deliveries', 'one', id],
    queryFn: () => api<Answer<'getDelivery'>>('GET', `/deliveries/${id}`),
  });
