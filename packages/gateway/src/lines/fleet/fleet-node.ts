import type { Bus } from '../../bus/bus.ts';
import type { Clock } from '../../core/clock.ts';
import type { LiveView } from '../../journal/live.ts';
import type { Log } from '../../observe/logger.ts';
import type { Store } from '../../store/db/store.ts';
import {
  countLeases,
  type FleetView,
  isBetweenNodes,
  makeLeases,
  ownerOf,
  releaseLeases,
  renewLeases,
  takeLeases,
} from '../../store/fleet/leases.ts';
import { joinFleet, leaveFleet, type FleetNode as NodeFacts } from '../../store/fleet/nodes.ts';
import type { LineRouter } from '../workers/router.ts';
import type { Supervisor } from '../workers/supervisor.ts';
import type { LineOwnership } from '../workers/supervisor-options.ts';
import { createFleetHost } from './fleet-host.ts';
import { FleetRouter } from './fleet-router.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { LEASE_TIMES } from './lease-protocol.ts';
import { OwnLines } from './own-lines.ts';
import { SharedViews } from './shared-views.ts';

/** Renewals from one count of all lines to the next: half a minute. */
const COUNT_EVERY = 6;
/** Interval between two searches for lines without a lease, whose creating node died. */
const MAKE_MS = 60_000;
/** A line is expected to be connected again so long after it came to a node. */
const SETTLING_MS = 30_000;

export interface FleetNodeOptions {
  node: Pick<NodeFacts, 'id' | 'name' | 'version' | 'weight' | 'masterKeyId'>;
  /** A store of its own: leases must not wait for a connection behind anything else. */
  leases: Store;
  store: Store;
  bus: Bus;
  clock: Clock;
  log: Log;
  /** The supervisor of this node's workers, which hosts what it is told to. */
  supervise(ownership: LineOwnership, onLive: (view: LiveView) => void): Supervisor;
  onView?(view: FleetView): void;
}

/** This process as one of several. */
export interface FleetNode {
  readonly id: string;
  /** Joins the fleet: from now on lines come to this node and go. */
  start(): Promise<void>;
  /**
   * Gives every line to the peers, as fast as they take them; nothing is taken any more. Resolves
   * when all are gone, or after `withinMs`.
   */
  handOver(withinMs: number): Promise<void>;
  readonly supervisor: Supervisor;
  readonly keeper: LeaseKeeper;
  /** The way to every line of the fleet. */
  readonly router: LineRouter;
  /** Ends every line that is still here, and leaves the fleet. */
  close(): Promise<void>;
}

/** A line that stands so is left where it is until it is through. */
const BUSY: ReadonlySet<string> = new Set(['pairing', 'connecting']);
/** Said on the bus when lines may be taken. */
const FREE = 'lines.free';

/** A node of the fleet of a database; it runs nothing before its start. */
export function createFleetNode(options: FleetNodeOptions): FleetNode {
  const { node, leases, store, bus, clock, log } = options;
  const { host, ownership } = createFleetHost({
    ...{ store, clock, log },
    supervisor: () => supervisor,
    keeper: () => keeper,
  });
  const supervisor = options.supervise(ownership, (view) => views.tellLive(view));
  const keeper = new LeaseKeeper({
    ...{ nodeId: node.id, host, clock, log, onView: options.onView },
    // A person may be holding a phone in front of its code.
    isBusy: (lineId) => BUSY.has(supervisor.live.latest(lineId)?.status ?? ''),
    onReleased: () => bus.publish(FREE, {}),
    table: {
      renew: counted(leases, (lines) => renewLeases(leases, { id: node.id, lines }, LEASE_TIMES.ttlMs)),
      take: (most, freeForMs) => takeLeases(leases, node.id, { most, freeForMs, ttlMs: LEASE_TIMES.ttlMs }),
      release: (lines) => releaseLeases(leases, node.id, lines),
    },
  });
  const views = new SharedViews({
    ...{ nodeId: node.id, bus, clock, live: supervisor.live },
    lines: () => keeper.lines(),
    view: (lineId) => supervisor.view(lineId),
  });
  const router = new FleetRouter({
    ...{ nodeId: node.id, bus, clock, log },
    local: new OwnLines({ store, supervisor, keeper, clock }),
    ownerOf: async (lineId) => (await ownerOf(store, lineId))?.nodeId,
    remoteView: (lineId) => views.of(lineId),
    isMoving: (lineId) => isBetweenNodes(store, lineId, SETTLING_MS),
    async made(lineId) {
      await makeLeases(leases, lineId);
      keeper.lookNow();
      bus.publish(FREE, {});
    },
  });
  const stopListening = bus.subscribe(FREE, () => keeper.lookNow());
  let cancelMaking = () => {};
  const makeAll = () =>
    makeLeases(leases).catch((error: unknown) => log.warn({ error }, 'looking for lines without a lease failed'));
  return {
    ...{ id: node.id, supervisor, keeper, router },
    async start() {
      await joinFleet(leases, node, LEASE_TIMES.ttlMs);
      await makeLeases(leases);
      keeper.start();
      cancelMaking = repeat(clock, makeAll);
    },
    handOver: (withinMs) => keeper.leave(withinMs),
    async close() {
      cancelMaking();
      keeper.close();
      stopListening();
      router.close();
      views.close();
      await supervisor.close();
      await leaveFleet(leases, node.id).catch((error: unknown) => {
        log.warn({ error }, 'the fleet could not be told that this node ends; it notices by itself');
      });
    },
  };
}

/** Renewals that tell how many lines there are; those are counted with some of them only. */
function counted(
  leases: Store,
  renew: (lines: number) => Promise<Omit<FleetView, 'lines'>>,
): (lines: number) => Promise<FleetView> {
  let total = 0;
  let renewals = 0;
  return async (lines) => {
    const view = await renew(lines);
    if (renewals % COUNT_EVERY === 0 || total === 0) total = await countLeases(leases);
    renewals += 1;
    return { ...view, lines: total };
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
