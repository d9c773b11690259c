import type { EngineEndpoint, EngineFactory, EngineStore } from '@ponte/engine';
import type { Clock } from '../core/clock.ts';
import type { Pacing } from '../core/pacing.ts';
import type { SealedBox } from '../crypto/sealed-box.ts';
import type { LiveView } from '../journal/live.ts';
import type { LineMetrics } from '../observe/line-metrics.ts';
import type { Log } from '../observe/logger.ts';
import type { Store } from '../store/db/store.ts';
import type { LineRow } from '../store/lines/line-row.ts';
import type { ConnectGate } from './connection/connect-gate.ts';
import type { KeptRows } from './inbound/kept-rows.ts';
import type { MessageTraces } from './message-traces.ts';
import type { LineFiles } from './sends/line-files.ts';
import type { ClientDesk } from './workers/announced-versions.ts';

/** What a line works with. */
export interface LineOptions {
  row: LineRow;
  store: Store;
  box: SealedBox;
  engineStore: EngineStore;
  /** What `engineStore` has just made durable of the inbox; absent: it is read again. */
  kept?: KeptRows;
  factory: EngineFactory;
  endpoint: EngineEndpoint;
  /** The version that the endpoint announces; absent: whatever the endpoint says. */
  client?: ClientDesk;
  clock: Clock;
  log: Log;
  gate: ConnectGate;
  /** Null: sends are not paced. */
  pacing: Pacing | null;
  mailboxCapacity: number;
  /** A send that has not left within this time fails; absent or 0: never. */
  sendExpiresMs?: number;
  /** Absent: the line has no files. */
  files?: LineFiles;
  metrics?: LineMetrics;
  /** Absent: traces are off. */
  traces?: MessageTraces;
  /** The live view changed. */
  publish(view: LiveView): void;
  /** New events were committed, and deliveries with them unless said otherwise. */
  nudge(hasDeliveries?: boolean): void;
}
