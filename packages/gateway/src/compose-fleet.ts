import { hostname } from 'node:os';
import { masterKeyOf } from './access/master-keys.ts';
import type { RateLimiter } from './access/rate-limit.ts';
import { createSharedRateLimiter, type SharedLimiterOptions } from './access/shared-rate-limit.ts';
import type { Bus } from './bus/bus.ts';
import { createNatsBus } from './bus/nats-bus.ts';
import type { Config } from './config/config.ts';
import { type FleetSettings, readNatsFiles } from './config/fleet-settings.ts';
import type { Clock } from './core/clock.ts';
import { newNodeId, randomBase62 } from './core/ids.ts';
import { type FleetNews, SharedNews } from './lines/fleet/shared-news.ts';
import type { Log } from './observe/logger.ts';
import { takePlaces } from './store/access/rate-windows.ts';
import { claimSetting, readSetting } from './store/access/settings.ts';
import { openStore } from './store/db/open.ts';
import type { Store } from './store/db/store.ts';
import type { FleetNode } from './store/fleet/nodes.ts';

/** What a node shares with the others of its fleet. */
export interface Fleet {
  node: Pick<FleetNode, 'id' | 'name' | 'version' | 'weight' | 'masterKeyId'>;
  bus: Bus;
  /** A store of its own: leases wait for no other work. */
  leases: Store;
  /** Where the fleet counts requests. */
  counts: Store;
  /** Nodes that were up at the last renewal of our leases, this one among them. */
  nodesUp: number;
  /** Tells the other nodes that there is something to look at. */
  tell(news: FleetNews): void;
  close(): Promise<void>;
}

interface FleetParts {
  config: Config;
  store: Store;
  clock: Clock;
  log: Log;
  version: string;
  masterKey: Buffer;
  /** Another node told something. */
  onNews(news: FleetNews): void;
}

/** Names the subjects of this installation on a NATS server that others may use as well. */
const BUS_PREFIX = 'bus_prefix';

/** Undefined for a node that is alone. Does not wait for NATS. */
export async function openFleet({
  config,
  store,
  clock,
  log,
  version,
  masterKey,
  onNews,
}: FleetParts): Promise<Fleet | undefined> {
  const { fleet, database } = config;
  if (!fleet) return undefined;
  const name = fleet.name ?? hostname();
  const prefix = await prefixOf(store);
  const { url } = database;
  const onError = (error: Error) => log.error({ error }, 'a store of the fleet reported a failure');
  const leases = await openStore({ url, clock, onError, isOfFleet: true });
  const counts = await openStore({ url, clock, onError, isLossy: true });
  const bus = createNatsBus({ ...natsOf(fleet), prefix, name: `ponte ${name}`, clock, log });
  const node = { id: newNodeId(), name, version, weight: fleet.weight, masterKeyId: masterKeyOf(masterKey).id };
  const news = new SharedNews({ bus, nodeId: node.id, clock, onNews });
  return {
    node,
    bus,
    leases,
    counts,
    nodesUp: 1,
    tell: (told) => news.tell(told),
    async close() {
      news.close();
      await bus.close();
      await leases.close();
      await counts.close();
    },
  };
}

async function prefixOf({ db }: Store): Promise<string> {
  await claimSetting(db, BUS_PREFIX, `ponte.${randomBase62(8)}`);
  return (await readSetting(db, BUS_PREFIX)) ?? 'ponte';
}

function natsOf(fleet: FleetSettings) {
  const { url, user, password } = fleet.nats;
  const { credentials, ca, cert, key } = readNatsFiles(fleet);
  const tls = ca === undefined && cert === undefined ? undefined : { ca, cert, key };
  return { url, user, password, credentials, tls };
}

/** Budgets that all nodes of the fleet share. */
export function sharedBudgets(
  fleet: Pick<Fleet, 'counts' | 'nodesUp'>,
  options: Pick<SharedLimiterOptions, 'limits' | 'clock' | 'log'>,
): RateLimiter {
  return createSharedRateLimiter({
    ...options,
    nodes: () => fleet.nodesUp,
    takePlaces: (bucket, want) => takePlaces(fleet.counts.db, bucket, want),
  });
}
