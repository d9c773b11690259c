import type { Line, LineStanding, LineStatus } from '../../core/lines.ts';
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

/** The same with the reason: the process's own trouble goes before what the row says. */
export function lineStanding(line: Line, view: LineProcessView): LineStanding {
  const status = lineStatus(line, view);
  const { statusReason: reason, statusUntil: until, statusCode: whatsappCode } = line;
  if (view.state === 'failed' && reason !== 'credentials_unreadable') return { ...HOST_FAILED, status };
  if (status === line.status) return { status, reason, until, whatsappCode };
  return { ...HOST_FAILED, status, reason: status === 'unpaired' ? null : 'worker_restarting' };
}

const HOST_FAILED = { reason: 'worker_failed', until: null, whatsappCode: null } as const;
