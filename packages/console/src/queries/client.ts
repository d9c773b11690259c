import { QueryClient } from '@tanstack/react-query';
import { ApiError } from '../api.ts';

/**
 * One cache for the whole app. Refusals are not asked again; a server that does not answer is, a
 * few times.
 */
export const queries = new QueryClient({
  defaultOptions: {
    // What a person started is tried, whatever the browser thinks of its network.
    mutations: { networkMode: 'always' },
    queries: {
      staleTime: 5_000,
      retry: (failures, error) =>
        failures < 3 && error instanceof ApiError && (error.status === 0 || error.status >= 500),
    },
  },
});
