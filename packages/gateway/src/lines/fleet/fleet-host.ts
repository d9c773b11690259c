import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../observe/logger.ts';
import type { Store } from '../../store/db/store.ts';
import type { OwnedLine } from '../../store/fleet/leases.ts';
import { loadLine } from '../../store/lines/line-row.ts';
import type { Supervisor } from '../workers/supervisor.ts';
import type { LineOwnership } from '../workers/supervisor-options.ts';
import type { LeaseHost, LeaseKeeper } from './lease-keeper.ts';

const RETRY_MS = 1_000;

export interface FleetHostOptions {
  store: Store;
  clock: Clock;
  log: Log;
  supervisor(): Pick<Supervisor, 'host' | 'end' | 'endAll'>;
  keeper(): Pick<LeaseKeeper, 'epochOf' | 'ended' | 'renewNow' | 'validForMs'>;
}

/** Between the keeper of leases and the supervisor: what is taken is hosted, what is lost ends. */
export function createFleetHost(options: FleetHostOptions): { host: LeaseHost; ownership: LineOwnership } {
  const { store, clock, log, supervisor, keeper } = options;

  async function start(line: OwnedLine): Promise<void> {
    const isStillOurs = () => keeper().epochOf(line.lineId) === line.epoch;
    if (!isStillOurs()) return;
    try {
      const row = await loadLine(store.db, line.lineId);
      if (!isStillOurs()) return;
      if (row) supervisor().host(row, line.epoch);
      else keeper().ended(line.lineId);
    } catch (error) {
      log.warn({ lineId: line.lineId, error }, 'a line that is this node’s now could not be read; it is tried again');
      clock.after(RETRY_MS, () => void start(line));
    }
  }

  return {
    host: {
      start: (line) => void start(line),
      close: (lineId) => supervisor().end(lineId, false),
      cut: (lineId) => supervisor().end(lineId, true),
      cutAll: () => supervisor().endAll(),
    },
    ownership: {
      validForMs: () => keeper().validForMs(),
      // The database knows whose it is: what it says is done.
      lost: () => keeper().renewNow(),
      gone: (lineId) => keeper().ended(lineId),
    },
  };
}
