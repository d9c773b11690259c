import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';
import { inItsMode } from '../its-mode.ts';
import type { Answer, Line } from '../shapes.ts';

const EVENTS_PER_PAGE = 25;

/** One line, in whichever mode it is. */
export const lineQuery = (lineId: string) =>
  queryOptions({ queryKey: ['line', lineId], queryFn: () => inItsMode<Line>(`/lines/${lineId}`) });

/** The process that hosts it. */
export const processQuery = (lineId: string) =>
  queryOptions({
    queryKey: ['process', lineId],
    queryFn: () => api<Answer<'lineProcess'>>('GET', `/lines/${lineId}/process`),
  });

/** What its worker uses at this moment; there is no answer while none hosts it. */
export const statsQuery = (lineId: string) =>
  queryOptions({
    queryKey: ['stats', lineId],
    queryFn: () => api<Answer<'lineStats'>>('GET', `/lines/${lineId}/stats`),
    retry: false,
  });

/** What waits to leave, at most `shown` of it. */
export const queueQuery = (lineId: string, shown = 1) =>
  queryOptions({
    queryKey: shown === 1 ? ['queue', lineId] : ['queue', lineId, shown],
    queryFn: () => api<Answer<'lineQueue'>>('GET', `/lines/${lineId}/queue?limit=${shown}`),
  });

/** What happened on it, newest first. */
export const timelineQuery = (lineId: string, kind: 'all' | 'messages' | 'connection') =>
  infiniteQueryOptions({
    queryKey: ['timeline', lineId, kind],
    queryFn: ({ pageParam }) => {
      const query = new URLSearchParams({ limit: String(EVENTS_PER_PAGE) });
      if (kind !== 'all') query.set('kind', kind);
      if (pageParam !== null) query.set('before', String(pageParam));
      return api<Answer<'lineTimeline'>>('GET', `/lines/${lineId}/timeline?${query}`);
    },
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next ?? undefined,
  });
