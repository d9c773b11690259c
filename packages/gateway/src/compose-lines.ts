import { fileURLToPath } from 'node:url';
import { fetchLiveVersion, fetchSandboxVersion } from './client-version/fetch-version.ts';
import { openVersionDesk, type VersionDesk } from './client-version/version-desk.ts';
import type { Fleet } from './compose-fleet.ts';
import type { Config } from './config/config.ts';
import type { Clock } from './core/clock.ts';
import { builtInVersion, createEndpoints } from './endpoints.ts';
import type { LiveView } from './journal/live.ts';
import { createFleetNode } from './lines/fleet/fleet-node.ts';
import { forkWorkers } from './lines/workers/fork-worker.ts';
import { createSupervisor, type Supervisor } from './lines/workers/supervisor.ts';
import type { LineOwnership, SupervisorOptions } from './lines/workers/supervisor-options.ts';
import type { Guard } from './net/guarded-fetch.ts';
import type { Log } from './observe/logger.ts';
import type { SystemSources } from './observe/system-metrics.ts';
import type { LineHost, OpenData } from './overrides.ts';
import type { SimulatorAddress } from './sandbox/simulator-process.ts';
import { workersLockFile } from './store/db/gateway-lock.ts';

/** What the lines are built on. */
export interface LineParts {
  config: Config;
  data: OpenData;
  clock: Clock;
  log: Log;
  guard: Guard;
  metrics: SupervisorOptions['metrics'];
  /** Of the product, as its traces say it. */
  version: string;
  /** Undefined: every line of the database is this node's. */
  fleet: Fleet | undefined;
  simulator(): SimulatorAddress | undefined;
  /** WhatsApp's page said what time it is. */
  onWhatsappTime?(ms: number): void;
  /** A worker committed something. */
  onNudge(hasDeliveries: boolean): void;
}

/** The lines of this process: who runs them, and what is known of them. */
export interface Lines extends LineHost {
  clientVersion?: VersionDesk['known'];
  figures: Pick<SystemSources, 'lines' | 'workers' | 'workerCrashes' | 'clientVersion'>;
  /** Gives every line of the database a worker. */
  start(): Promise<void>;
  /** Of a fleet: gives the lines to the other nodes, within the time. */
  handOver(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

const HEARTBEAT_MS = 2_000;
/** Sends that may wait on one line. */
const MAILBOX_CAPACITY = 1_000;
const WORKER_ENTRY = './worker-main.ts';

/** Worker processes that host the lines, and the version of WhatsApp Web that these announce. */
export async function composeLines(parts: LineParts): Promise<Lines> {
  const { clock, log, guard, simulator } = parts;
  const { store } = parts.data;
  const supervise = (ofFleet: Pick<SupervisorOptions, 'ownership' | 'onLive'>) =>
    createSupervisor({
      config: workersOf(parts),
      ...{ store, clock, log, metrics: parts.metrics, onNudge: parts.onNudge },
      ...ofFleet,
      spawnWorker: forkWorkers(fileURLToPath(new URL(WORKER_ENTRY, import.meta.url))),
      endpointFor: createEndpoints({ versionFor: (line) => versions.versionFor(line), simulator }),
      onClient: (told) =>
        told.type === 'client_refused'
          ? versions.refused(told.network, told.version)
          : versions.expires(told.network, told.version, told.at),
    });
  const { supervisor, ...host } = parts.fleet ? runFleet(parts, parts.fleet, supervise) : runAlone(supervise({}));
  const versions = await openVersionDesk({
    ...{ store, clock, log, builtIn: builtInVersion, environment: parts.config.whatsappVersion },
    fetchLive: () => fetchLiveVersion(guard, parts.onWhatsappTime),
    fetchSandbox: (accountId) => fetchSandboxVersion(simulator()?.baseUrl ?? '', accountId),
    hasLiveLines: () => supervisor.hasLines('live'),
    onChange: (network, version) => supervisor.announce(network, version),
  });
  return {
    router: host.router,
    live: supervisor.live,
    clientVersion: () => versions.known(),
    figures: {
      lines: () => supervisor.lineCounts(),
      workers: () => supervisor.workerFigures(),
      workerCrashes: () => supervisor.workerCrashes(),
      clientVersion: () => versions.known(),
    },
    start: host.start,
    handOver: host.handOver,
    async close() {
      await host.close();
      versions.close();
    },
  };
}

/** Who runs the workers, and when. */
type Running = Pick<Lines, 'router' | 'start' | 'handOver' | 'close'> & { supervisor: Supervisor };

const runAlone = (supervisor: Supervisor): Running => ({
  supervisor,
  router: supervisor,
  start: () => supervisor.start(),
  handOver: async () => {},
  close: () => supervisor.close(),
});

function runFleet(
  { clock, log, data }: LineParts,
  fleet: Fleet,
  supervise: (ofFleet: { ownership: LineOwnership; onLive(view: LiveView): void }) => Supervisor,
): Running {
  const { node, bus, leases } = fleet;
  const own = createFleetNode({
    ...{ node, bus, leases, clock, log, store: data.store },
    onView(view) {
      fleet.nodesUp = view.nodes.length;
    },
    supervise: (ownership, onLive) => supervise({ ownership, onLive }),
  });
  return {
    supervisor: own.supervisor,
    router: own.router,
    start: () => own.start(),
    handOver: (withinMs) => own.handOver(withinMs),
    close: () => own.close(),
  };
}

/** Lines that someone else runs. */
export const linesOf = (host: LineHost): Lines => ({
  ...host,
  figures: { lines: () => [], workers: () => [], workerCrashes: () => 0, clientVersion: () => undefined },
  start: async () => {},
  handOver: async () => {},
  close: async () => {},
});

const workersOf = ({ config, data, fleet, version }: LineParts): SupervisorOptions['config'] => ({
  workers: config.workers.count,
  isolation: config.workers.isolation,
  setup: {
    databaseUrl: config.database.url,
    masterKey: data.masterKey,
    logLevel: config.logLevel,
    lockFile: config.database.engine === 'sqlite' ? workersLockFile(config.dataDir) : null,
    heartbeatMs: HEARTBEAT_MS,
    connectsPerSecond: config.workers.connectsPerSecond,
    mailboxCapacity: MAILBOX_CAPACITY,
    sendExpiresMs: config.sendExpiresMs,
    blobs: config.media.blobs,
    tracing: config.tracing && { ...config.tracing, version },
    nodeId: fleet?.node.id,
  },
});
