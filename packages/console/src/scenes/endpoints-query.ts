import { queryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';
import type { Mode } from '../mode.ts';
import type { Endpoints } from '../shapes.ts';

/** Webhooks of both formats in one mode, with the names of events. */
export const endpointsQuery = (of: Mode) =>
  queryOptions({
    queryKey: ['webhooks', of],
    queryFn: () => api<Endpoints>('GET', '/endpoints', undefined, of),
  });
