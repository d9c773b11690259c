import type { FrontParts, FrontSettings } from './compose-front.ts';
import type { Environment } from './config/reader.ts';
import type { Clock } from './core/clock.ts';
import type { Installation } from './installation.ts';
import type { LiveHub } from './journal/live.ts';
import type { LineRouter } from './lines/workers/router.ts';
import type { Guard } from './net/guarded-fetch.ts';
import type { Log } from './observe/logger.ts';
import type { SimulatorAddress } from './sandbox/simulator-process.ts';

/** Data that is open. */
export type OpenData = Pick<Installation, 'store' | 'ring' | 'keys' | 'masterKey' | 'defaultAccountId'>;

/** Who runs the lines, as the rest of the product sees it. */
export interface LineHost {
  router: LineRouter;
  live: Pick<LiveHub, 'latest' | 'subscribe'>;
}

/**
 * Parts that stand in place of the product's own; whatever is absent is built as always. What is
 * given here belongs to the caller: the app neither starts, locks nor closes it.
 */
export interface Overrides {
  /** Where secrets are read; default: the environment of this process. */
  environment?: Environment;
  log?: Log;
  /** Shown by health checks, documents and metrics. */
  version?: string;
  /** Absent: no console. */
  consoleFolder?: string;
  /** Of everything but the database and child processes, whose time is real. */
  clock?: Clock;
  data?: OpenData;
  /** A simulated network that runs elsewhere. */
  simulator?: SimulatorAddress;
  /** In place of worker processes. */
  lines?: LineHost;
  guard?: Guard;
  front?: Partial<Omit<FrontParts, 'settings'>>;
  settings?: Partial<FrontSettings>;
  /** False: everything is built; nothing runs by itself, and nothing listens. */
  isStarted?: boolean;
}
