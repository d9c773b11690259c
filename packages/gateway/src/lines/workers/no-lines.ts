import { AppError } from '../../core/app-error.ts';
import type { LineRouter } from './router.ts';

/** The router of a process that hosts no lines: every command answers `line_failed`. */
export const noLines: LineRouter = {
  run: async () => {
    throw new AppError('line_failed');
  },
  start: async () => {},
  stop: async () => {},
  isMoving: async () => false,
  view: () => ({ state: 'stopped', health: 'unhealthy', startedAt: null, failCount: 0, worker: null }),
};
