import { QueryClient } from '@tanstack/react-query';
import { ApiError } from '../api.ts';

const isPassing = (error: unknown): error is ApiError =>
  error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);

/**
 * One cache for the whole app. Refusals are not asked again; a server that does not answer, or asks
 * for patience, is, a few times and not before it said.
 */
export const queries = new QueryClient({
  defaultOptions: {
    // What a person started is tried, whatever the browser thinks of its network.
    mutations: { networkMode: 'always' },
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < 3 && isPassing(error),
      retryDelay: (failures, error) =>
        (isPassing(error) ? error.retryAfterMs : undefined) ?? Math.min(1_000 * 2 ** failures, 30_000),
    },
  },
});
