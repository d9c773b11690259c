import type { LiveView } from '../../journal/live.ts';
import type { LineCount } from '../../observe/system-metrics.ts';
import { lineStatus } from '../connection/line-status.ts';
import type { Placement } from './placements.ts';
import type { LineProcessView } from './router.ts';

/** How the process of a line does; of one that has no place here, stopped. */
export function viewOfProcess(placement: Placement | undefined): LineProcessView {
  if (!placement || placement.state === 'stopping') {
    return { state: 'stopped', health: 'unhealthy', startedAt: null, failCount: 0, worker: null };
  }
  const { slot } = placement;
  const isFailed = placement.state === 'failed' || slot.state === 'failed';
  const state = isFailed ? 'failed' : placement.state === 'running' ? 'running' : 'starting';
  const failCount = slot.failCount + placement.failures;
  const health = isFailed ? 'unhealthy' : failCount > 0 ? 'degraded' : 'healthy';
  return { state, health, startedAt: slot.startedAt, failCount, worker: slot.startedAt === null ? null : slot.name };
}

/**
 * What is true of a line whose worker says nothing of it any more, until the next one speaks;
 * undefined when there is nothing to correct. `last`: what was said of it before.
 */
export function viewWithoutWorker(placement: Placement, last: LiveView | undefined): LiveView | undefined {
  const { line, reason } = placement;
  const nothing = { lineId: line.id, status: 'disconnected', phone: null, name: null } as const;
  const said = last ?? (reason && nothing);
  if (!said) return undefined;
  const process = viewOfProcess(placement);
  return {
    ...said,
    status: reason ? 'disconnected' : lineStatus(said, process),
    reason: reason ?? (process.state === 'failed' ? 'worker_failed' : 'worker_restarting'),
    until: null,
    whatsappCode: null,
    qr: null,
  };
}

/** Lines by mode, status and reason. `latest`: what was said of a line last. */
export function countLines(
  placements: readonly Placement[],
  latest: (lineId: string) => LiveView | undefined,
): LineCount[] {
  const counts = new Map<string, LineCount>();
  for (const placement of placements) {
    const { mode, id } = placement.line;
    const last = latest(id);
    const status = lineStatus({ status: last?.status ?? 'connecting' }, viewOfProcess(placement));
    const reason = last?.reason ?? 'none';
    const key = `${mode} ${status} ${reason}`;
    const known = counts.get(key) ?? { mode, status, reason, count: 0 };
    counts.set(key, { ...known, count: known.count + 1 });
  }
  return [...counts.values()];
}
