import { queryOptions } from '@tanstack/react-query';
import { api } from './api.ts';
import type { Mode } from './mode.ts';

/** One thing that is wrong. */
export interface Problem {
  kind: 'line_down' | 'queue_stuck' | 'webhook_failing';
  line_id: string | null;
  webhook_id: string | null;
  reason: string | null;
  since: string;
}

export interface Problems {
  problems: Problem[];
  approvals: { waiting: number; expiring: number; first_ends_at: string | null };
  disk: { free_bytes: number; empty: boolean } | null;
}

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
