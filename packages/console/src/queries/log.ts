import { queryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';
import type { Mode } from '../mode.ts';
import type { Answer } from '../shapes.ts';

type Log = Answer<'readLog'>;
export type LogEntry = Log['entries'][number];
export type LogKind = LogEntry['kind'];

const LOOK_EVERY_MS = 2_000;

/**
 * The latest log entries of one mode; grows while the page is open, and stands still in a pause.
 */
export const logQuery = (of: Mode, isPaused: boolean) =>
  queryOptions({
    queryKey: ['log', of],
    queryFn: () => api<Log>('GET', '/log', undefined, of),
    refetchInterval: isPaused ? false : LOOK_EVERY_MS,
    enabled: !isPaused,
  });
