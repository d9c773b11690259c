import { queryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';
import type { Mode } from '../mode.ts';
import type { LineActivity } from '../shapes.ts';
import { LOOK_EVERY_MS } from './lines-query.ts';

/** What went through every line in the last day, by line. */
export const activityQuery = (of: Mode) =>
  queryOptions({
    queryKey: ['activity', of],
    queryFn: async () => {
      const { lines } = await api<{ lines: LineActivity[] }>('GET', '/activity', undefined, of);
      return new Map(lines.map((line) => [line.line_id, line]));
    },
    refetchInterval: LOOK_EVERY_MS,
  });
