import type { ClientVersion, EngineEndpoint } from '@ponte/engine';
import type { BlobSettings } from '../../blobs/blob-store.ts';
import type { ErrorCode, ErrorDetails } from '../../core/app-error.ts';
import type { NetworkName } from '../../core/client-version.ts';
import type { LineCommandName, LineCommands, WorkerStats } from '../../core/line-commands.ts';
import type { LineReason } from '../../core/line-reasons.ts';
import type { Pacing } from '../../core/pacing.ts';
import type { LiveView } from '../../journal/live.ts';
import type { LogLevel } from '../../observe/logger.ts';
import type { SpanSettings } from '../../observe/spans.ts';
import type { MetricsSnapshot } from '../../observe/worker-metrics.ts';

/*
 * What the main process and a worker say to each other, over Node's IPC channel with structured
 * cloning ("advanced" serialization). Nothing here is the only copy of anything: a message that is
 * lost costs time, never data.
 */

/** The first message a worker gets. Secrets travel only here, never in argv or the environment. */
export interface WorkerSetup {
  /** The worker's name in logs and views. */
  worker: string;
  databaseUrl: string;
  masterKey: Uint8Array;
  /**
   * Held (shared) as long as the worker lives, so that a new main process can tell when the workers
   * of a killed one are gone. Null on PostgreSQL, where a session of the database is the lock.
   */
  lockFile: string | null;
  logLevel: LogLevel;
  /** A sign of life this often. */
  heartbeatMs: number;
  /** Logins of this process per second at most; 0 = no limit. */
  connectsPerSecond: number;
  /** Sends that may wait on one line. */
  mailboxCapacity: number;
  /** A send that has not left within this time fails; absent or 0: never. */
  sendExpiresMs?: number;
  /** Where files lie. */
  blobs: BlobSettings;
  /** Which node of a fleet this is a worker of; absent: there is no fleet. */
  nodeId?: string;
  /** Where its traces go; absent: none are collected. */
  tracing?: SpanSettings & { version: string };
}

/** What a worker needs to host a line, beside its row. */
export interface LineSpec {
  lineId: string;
  endpoint: EngineEndpoint;
  /** Whose servers it talks to: what is said of a version there counts for every line of it. */
  network: NetworkName;
  /** Null: not paced. */
  pacing: Pacing | null;
  /** Of a fleet: under which number this node runs the line (store/fleet). */
  epoch?: number;
}

/** A command's name with its input. */
export type CommandOf = { [N in LineCommandName]: { name: N; input: LineCommands[N]['in'] } }[LineCommandName];

export type ToWorker =
  | { type: 'setup'; setup: WorkerSetup }
  | { type: 'start_line'; spec: LineSpec }
  /** `isAtOnce`: another node owns it by now. */
  | { type: 'stop_line'; lineId: string; isAtOnce?: boolean }
  /**
   * Of a fleet, the answer to a heartbeat: what this node runs is its own for so long from the time
   * `askedAtMs` of the worker's clock.
   */
  | { type: 'lease'; askedAtMs: number; forMs: number }
  /** Lines of this network announce this version from now on. */
  | { type: 'client_version'; network: NetworkName; version: ClientVersion }
  | ({ type: 'run'; id: number; lineId: string } & CommandOf)
  /** Stop every line within the time, close the store, exit 0. */
  | { type: 'drain'; timeoutMs: number };

export type FromWorker =
  /** Set up: lines may come. */
  | { type: 'ready' }
  | { type: 'line_started'; lineId: string }
  /**
   * It could not be opened; the worker does not hold it. `isGone`: its row does not exist any more.
   */
  | { type: 'line_failed'; lineId: string; detail: string; isGone: boolean; reason?: LineReason }
  | { type: 'line_stopped'; lineId: string }
  /** A write was refused because another node owns the line; it is being stopped. */
  | { type: 'line_lost'; lineId: string }
  | { type: 'result'; id: number; ok: true; value: unknown }
  | { type: 'result'; id: number; ok: false; code: ErrorCode; message: string; details: ErrorDetails }
  /** `askedAtMs`: the worker's monotonic clock, for the leases of a fleet. */
  | { type: 'heartbeat'; stats: WorkerStats; metrics?: MetricsSnapshot; askedAtMs?: number }
  /** The network refused a client of this version. */
  | { type: 'client_refused'; network: NetworkName; version: ClientVersion | undefined }
  /** The network named the end of this version (Unix milliseconds). */
  | { type: 'client_expires'; network: NetworkName; version: ClientVersion | undefined; at: number }
  /** New deliveries were committed. */
  | { type: 'nudge'; deliveries: boolean }
  | { type: 'live'; view: LiveView };

/** How a worker ends whose node's leases are over: no crash. */
export const LEASES_OVER_CODE = 75;

/** One end of the channel. */
export interface Channel<In, Out> {
  send(message: Out): void;
  onMessage(listener: (message: In) => void): void;
}
