import { queryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';
import type { Mode } from '../mode.ts';
import type { Answer } from '../shapes.ts';

/** The stream tells of changes; this is for what it lost. */
export const LOOK_EVERY_MS = 60_000;

/** The lines of one of the two worlds. */
export const linesQuery = (of: Mode) =>
  queryOptions({
    queryKey: ['lines', of],
    queryFn: async () => (await api<Answer<'listLines'>>('GET', '/lines', undefined, of)).lines,
    refetchInterval: LOOK_EVERY_MS,
  });

/** What went through every line in the last day, by line. */
export const activityQuery = (of: Mode) =>
  queryOptions({
    queryKey: ['activity', of],
    queryFn: async () => {
      const { lines } = await api<Answer<'lineActivity'>>('GET', '/activity', undefined, of);
      return new Map(lines.map((line) => [line.line_id, line]));
    },
    refetchInterval: LOOK_EVERY_MS,
  });
