import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
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

const DELIVERIES_PER_PAGE = 25;

/** A webhook's log, newest first, narrowed to what is asked for. */
export const deliveriesQuery = (webhookId: string, asked: Record<string, string>) =>
  infiniteQueryOptions({
    queryKey: ['deliveries', webhookId, asked],
    queryFn: ({ pageParam }) => {
      const query = new URLSearchParams({ ...asked, limit: String(DELIVERIES_PER_PAGE) });
      if (pageParam !== null) query.set('cursor', pageParam);
      return api<Answer<'listDeliveries'>>('GET', `/webhooks/${webhookId}/deliveries?${query}`);
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: (before) => before,
  });

/** One delivery with its body and its attempts. */
export const deliveryQuery = (id: string) =>
  queryOptions({
    queryKey: ['deliveries', 'one', id],
    queryFn: () => api<Answer<'getDelivery'>>('GET', `/deliveries/${id}`),
  });
