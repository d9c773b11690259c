import type { Line, LineStatus } from '../../core/lines.ts';
import type { LineProcessView } from '../workers/router.ts';

/**
 * Where a line really stands. The row says what its worker last said; while no worker runs it,
 * nothing is connected whatever the row says.
 */
export function lineStatus(line: Pick<Line, 'status'>, view: LineProcessView): LineStatus {
  if (view.state === 'running') return line.status;
  if (line.status === 'connected' || line.status === 'connecting') {
    return view.state === 'starting' ? 'connecting' : 'disconnected';
  }
  return line.status === 'pairing' ? 'unpaired' : line.status;
}
