import type { EventType } from '../../core/events.ts';
import { listTimeline } from '../../store/lines/timeline.ts';
import { lineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineName } from './find-line.ts';

/** What happened on a line, newest first. */
export const lineTimeline = lineCommand(
  { scope: 'lines:read' },
  (context: Context, line, input: { line: LineName; types?: readonly EventType[]; before?: number; limit: number }) =>
    listTimeline(context.store.db, line.id, input),
);
