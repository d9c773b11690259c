import type {
  KyselyPlugin,
  PluginTransformQueryArgs,
  PluginTransformResultArgs,
  QueryResult,
  RootOperationNode,
  UnknownRow,
} from 'kysely';
import { hot } from '../db/hot.ts';
import type { Store, Tx } from '../db/store.ts';

/** The ownership under which a node writes for a line. */
export interface Fence {
  lineId: string;
  nodeId: string;
  epoch: number;
}

/** Another node owns the line by now: nothing was written, and nothing may be sent for it. */
export class StaleOwnerError extends Error {
  override readonly name = 'StaleOwnerError';

  constructor({ lineId, epoch }: Fence) {
    super(`${lineId} is not this node's under number ${epoch} any more`);
  }
}

/**
 * The store of one line of a fleet (PostgreSQL). Every transaction first makes sure that the line
 * is still this owner's, and keeps it so until its end: no other node takes the line while one is
 * open. One that comes too late writes nothing, rejects with StaleOwnerError and tells `onStale`.
 * `db` is for reading: whatever would write outside a transaction, and so unfenced, is refused.
 */
export function fencedStore(store: Store, fence: Fence, onStale: () => void): Store {
  return {
    engine: store.engine,
    contents: store.contents,
    db: store.db.withPlugin(new ReadsOnly()),
    async transaction(work, durability, together, patienceMs) {
      try {
        return await store.transaction(
          async (tx) => {
            await holdFence(tx, fence);
            return work(tx);
          },
          durability,
          together,
          patienceMs,
        );
      } catch (error) {
        if (error instanceof StaleOwnerError) onStale();
        throw error;
      }
    },
    sqlite: () => Promise.reject(new Error('a fleet has no SQLite')),
    // It is its owner's, who has other lines on it.
    close: async () => {},
  };
}

const OWNED = 'select 1 from line_leases where line_id = ? and node_id = ? and epoch = ?';
/** FOR KEY SHARE: a renewal does not wait for it, a node that takes the line does. */
const held = hot<[string, string, number], unknown>({ sqlite: OWNED, postgres: `${OWNED} for key share` });

async function holdFence({ db }: Tx, fence: Fence): Promise<void> {
  if (!(await held.first(db, fence.lineId, fence.nodeId, fence.epoch))) throw new StaleOwnerError(fence);
}

const WRITES = new Set<string>(['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode', 'MergeQueryNode']);

class ReadsOnly implements KyselyPlugin {
  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    if (WRITES.has(node.kind)) throw new Error('a line of a fleet writes in transactions only: this one is unfenced');
    return node;
  }

  async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return result;
  }
}
