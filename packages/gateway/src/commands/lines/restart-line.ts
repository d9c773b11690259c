import { lineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineName } from './find-line.ts';

/**
 * Ends the line's connection and opens it afresh, in a worker that has room; pairing and accepted
 * sends stay. Answers once the line is hosted again, not once it is connected. `line_failed` when
 * it could not be ended or hosted in time.
 */
export const restartLine = lineCommand(
  { scope: 'lines:write' },
  async (context: Context, line, _: { line: LineName }): Promise<object> => {
    await context.router.stop(line.id);
    await context.router.start(line.id);
    return {};
  },
);
