import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../observe/logger.ts';
import type { Store } from '../../store/db/store.ts';
import { type FleetView, makeLeases, releaseLeases, renewLeases, takeLeases } from '../../store/fleet/leases.ts';
import { joinFleet, leaveFleet, type FleetNode as NodeFacts } from '../../store/fleet/nodes.ts';
import type { LineOwnership, Supervisor } from '../workers/supervisor.ts';
import { createFleetHost } from './fleet-host.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { LEASE_TIMES } from './lease-protocol.ts';

/** Between two looks for lines that have no lease yet, because whoever made them died. */
const MAKE_MS = 60_000;

export interface FleetNodeOptions {
  node: Pick<NodeFacts, 'id' | 'name' | 'version' | 'weight'>;
  /** A store of its own: leases must not wait for a connection behind anything else. */
  leases: Store;
  store: Store;
  clock: Clock;
  log: Log;
  /** The supervisor of this node's workers, which hosts what it is told to. */
  supervise(ownership: LineOwnership): Supervisor;
  /** Lines were given back: peers may take them at once. */
  onReleased?(): void;
  onView?(view: FleetView): void;
}

/** This process as one of several. */
export interface FleetNode {
  readonly id: string;
  readonly supervisor: Supervisor;
  readonly keeper: LeaseKeeper;
  /** A line was made: whoever has room may take it. */
  made(lineId: string): Promise<void>;
  /** Hands every line over; what peers did not take in time ends all the same. */
  close(drainMs: number): Promise<void>;
}

/** Joins the fleet of a database: from now on lines come to this node and go. */
export async function startFleetNode(options: FleetNodeOptions): Promise<FleetNode> {
  const { node, leases, store, clock, log } = options;
  const { host, ownership } = createFleetHost({
    ...{ store, clock, log },
    supervisor: () => supervisor,
    keeper: () => keeper,
  });
  const supervisor = options.supervise(ownership);
  const keeper = new LeaseKeeper({
    ...{ nodeId: node.id, host, clock, log, onReleased: options.onReleased, onView: options.onView },
    table: {
      renew: (lines) => renewLeases(leases, { id: node.id, lines }, LEASE_TIMES.ttlMs),
      take: (most, freeForMs) => takeLeases(leases, node.id, { most, freeForMs, ttlMs: LEASE_TIMES.ttlMs }),
      release: (lines) => releaseLeases(leases, node.id, lines),
    },
  });
  await joinFleet(leases, node, LEASE_TIMES.ttlMs);
  await makeLeases(leases);
  keeper.start();
  const cancelMaking = repeat(clock, () =>
    makeLeases(leases).catch((error: unknown) => log.warn({ error }, 'looking for lines without a lease failed')),
  );
  return {
    id: node.id,
    supervisor,
    keeper,
    async made(lineId) {
      await makeLeases(leases, lineId);
      keeper.lookNow();
    },
    async close(drainMs) {
      await keeper.leave(drainMs);
      cancelMaking();
      keeper.close();
      await supervisor.close();
      await leaveFleet(leases, node.id).catch((error: unknown) => {
        log.warn({ error }, 'the fleet could not be told that this node ends; it notices by itself');
      });
    },
  };
}

function repeat(clock: Clock, work: () => Promise<void>): () => void {
  let cancel = () => {};
  let isOver = false;
  const again = () => {
    cancel = clock.after(MAKE_MS * (0.75 + clock.random() / 2), () => void work().then(() => isOver || again()));
  };
  again();
  return () => {
    isOver = true;
    cancel();
  };
}
