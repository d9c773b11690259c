import { queryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';
import type { Mode } from '../mode.ts';
import type { Answer } from '../shapes.ts';

export type Problems = Answer<'listProblems'>;
/** One thing that is wrong. */
export type Problem = Problems['problems'][number];

/** The stream tells of changes; this is for what it lost, and for what changes with time alone. */
const LOOK_EVERY_MS = 30_000;

/** What is wrong in one mode, and what waits for a person. */
export const problemsQuery = (of: Mode) =>
  queryOptions({
    queryKey: ['problems', of],
    queryFn: () => api<Problems>('GET', '/problems', undefined, of),
    refetchInterval: LOOK_EVERY_MS,
  });

/** The same problem has the same name as long as it lasts. */
export const problemName = (of: Problem): string => `${of.kind} ${of.webhook_id ?? of.line_id} ${of.since}`;
