import type { EngineEndpoint } from '@ponte/engine';
import type { Clock } from '../../core/clock.ts';
import type { Pacing } from '../../core/pacing.ts';
import type { LiveView } from '../../journal/live.ts';
import type { Log } from '../../observe/logger.ts';
import type { MetricsSum } from '../../observe/worker-metrics.ts';
import type { Store } from '../../store/db/store.ts';
import type { SpawnWorker } from './fork-worker.ts';
import type { HostedLine } from './placements.ts';
import type { FromWorker, WorkerSetup } from './worker-protocol.ts';

export interface SupervisorConfig {
  /** Worker processes per mode at most (`shared`). */
  workers: number;
  /** `dedicated`: one process per line. */
  isolation: 'shared' | 'dedicated';
  /** Told to every worker; `heartbeatMs` is also the beat of the watch. */
  setup: Omit<WorkerSetup, 'worker'>;
  /** A worker without a heartbeat for this long is killed; default: HANG_AFTER_MS. */
  hangAfterMs?: number;
  /** Of live lines; test lines are not paced. Default: the published pacing. */
  pacing?: Pacing | null;
}

/** Of a fleet: lines come and go with their leases (lines/fleet). */
export interface LineOwnership {
  /** For how long what runs here is this node's for certain. */
  validForMs(): number;
  /** A line's write was refused: another node owns it. */
  lost(lineId: string): void;
  /** A line's row does not exist any more. */
  gone(lineId: string): void;
}

export interface SupervisorOptions {
  config: SupervisorConfig;
  store: Store;
  spawnWorker: SpawnWorker;
  /**
   * Where the line connects. Asked at every start of the line; may reject while the place is not
   * there yet.
   */
  endpointFor(line: HostedLine): EngineEndpoint | Promise<EngineEndpoint>;
  clock: Clock;
  log: Log;
  /** New deliveries were committed by a worker. */
  onNudge(hasDeliveries: boolean): void;
  /** Adds up what the workers count. */
  metrics?: Pick<MetricsSum, 'update' | 'retire'>;
  onLive?(view: LiveView): void;
  /** Without it every line of the database is this gateway's. */
  ownership?: LineOwnership;
  /** WhatsApp (or a simulated network) said something of the version that lines announce. */
  onClient?(told: Extract<FromWorker, { type: 'client_refused' | 'client_expires' }>): void;
}
