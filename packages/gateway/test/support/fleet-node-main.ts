import { createNatsBus } from '../../src/bus/nats-bus.ts';
import { systemClock } from '../../src/core/clock.ts';
import { newNodeId } from '../../src/core/ids.ts';
import type { LineCommandName } from '../../src/core/line-commands.ts';
import { createFleetNode, type FleetNode } from '../../src/lines/fleet/fleet-node.ts';
import { forkWorkers } from '../../src/lines/workers/fork-worker.ts';
import { createSupervisor } from '../../src/lines/workers/supervisor.ts';
import { createLogger, type LogLevel } from '../../src/observe/logger.ts';
import { openStore } from '../../src/store/db/open.ts';
import { gatewayModule } from './product-code.ts';

/*
 * A node of a fleet without a front door: supervisor, real workers, real leases. Told everything,
 * and asked, by its parent.
 */

export interface NodeSetup {
  name: string;
  databaseUrl: string;
  masterKey: Uint8Array;
  logLevel: LogLevel;
  /** Where lines connect; ACCOUNT and LINE stand for both. */
  wsUrl: string;
  noiseRoot: Uint8Array;
  mediaCa: string;
  mediaAddress: string;
  natsUrl: string;
}

export type ToNode = { id: number } & (
  | { ask: 'start'; setup: NodeSetup }
  | { ask: 'id' }
  /** The lines that have a placement in this node's supervisor. */
  | { ask: 'hosted' }
  | { ask: 'run'; lineId: string; name: LineCommandName; input: unknown }
  | { ask: 'view'; lineId: string }
  | { ask: 'drain'; withinMs: number }
);

export type FromNode = { id: number } & ({ ok: true; value: unknown } | { ok: false; message: string });

let node: FleetNode | undefined;

async function start(setup: NodeSetup): Promise<string> {
  const log = createLogger({ level: setup.logLevel, process: setup.name });
  const open = () => openStore({ url: setup.databaseUrl, clock: systemClock, isOfFleet: true, onError: () => {} });
  const store = await open();
  const id = newNodeId();
  node = createFleetNode({
    node: { id, name: setup.name, version: '1', weight: 1, masterKeyId: null },
    leases: await open(),
    store,
    clock: systemClock,
    log,
    bus: createNatsBus({ url: setup.natsUrl, prefix: 'ponte', name: setup.name, clock: systemClock, log }),
    supervise: (ownership, onLive) =>
      createSupervisor({
        config: {
          workers: 1,
          isolation: 'shared',
          setup: {
            databaseUrl: setup.databaseUrl,
            lockFile: null,
            masterKey: setup.masterKey,
            logLevel: setup.logLevel,
            heartbeatMs: 1_000,
            connectsPerSecond: 0,
            mailboxCapacity: 1_000,
            blobs: { kind: 'folder', folder: '/nowhere', isShared: false },
            nodeId: id,
          },
        },
        store,
        spawnWorker: forkWorkers(gatewayModule('worker-main')),
        endpointFor: (line) => ({
          wsUrl: setup.wsUrl.replace('ACCOUNT', line.accountId).replace('LINE', line.id),
          noiseRoot: setup.noiseRoot,
          mediaCa: setup.mediaCa,
          mediaAddress: setup.mediaAddress,
        }),
        clock: systemClock,
        log,
        onNudge: () => {},
        ownership,
        onLive,
      }),
  });
  await node.start();
  return id;
}

async function answer(message: ToNode): Promise<unknown> {
  if (message.ask === 'start') return start(message.setup);
  if (!node) throw new Error('not started');
  const { supervisor, router } = node;
  switch (message.ask) {
    case 'id':
      return node.id;
    case 'hosted':
      return supervisor.lineCounts().reduce((sum, { count }) => sum + count, 0);
    case 'run':
      return router.run(message.lineId, message.name, message.input as never, { timeoutMs: 30_000 });
    case 'view':
      return { process: router.view(message.lineId), live: supervisor.live.latest(message.lineId) };
    case 'drain':
      await node.handOver(message.withinMs);
      return node.close();
  }
}

process.on('message', (raw) => {
  const message = raw as ToNode;
  const say = (said: FromNode) => process.send?.(said, undefined, undefined, () => {});
  answer(message).then(
    (value) => say({ id: message.id, ok: true, value }),
    (error: unknown) => say({ id: message.id, ok: false, message: error instanceof Error ? error.message : '' }),
  );
});
process.on('disconnect', () => process.exit(1));
