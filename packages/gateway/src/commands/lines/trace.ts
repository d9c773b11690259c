import type { LineCommands, TracePage } from '../../core/line-commands.ts';
import { lineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineName } from './find-line.ts';

const ANSWER_WITHIN_MS = 5_000;

const ask = (context: Context, lineId: string, input: LineCommands['trace']['in']): Promise<TracePage> =>
  context.router.run(lineId, 'trace', input, { timeoutMs: ANSWER_WITHIN_MS });

/** Begins to look on at a line's stanzas; one that is under way begins anew. */
export const startTrace = lineCommand(
  { scope: 'lines:write' },
  (context: Context, line, { minutes }: { line: LineName; minutes: number }) =>
    ask(context, line.id, { do: 'start', minutes }),
);

/** What was seen since a number. */
export const readTrace = lineCommand(
  { scope: 'lines:write' },
  (context: Context, line, { after }: { line: LineName; after: number }) =>
    ask(context, line.id, { do: 'read', after }),
);

/** Ends it before its time; one that is not under way stays so. */
export const stopTrace = lineCommand({ scope: 'lines:write' }, (context: Context, line, _: { line: LineName }) =>
  ask(context, line.id, { do: 'stop' }),
);
