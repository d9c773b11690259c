import { type Db, prepare } from './database.ts';

const KNOWN_MAX = 50_000;

export type Peers = ReturnType<typeof createPeers>;

/** Who has written with whom: these get to know when an account's devices change. */
export function createPeers(db: Db, tenant: string) {
  const insert = prepare<unknown[]>(db, 'insert or ignore into peer (tenant, pn, peer) values (?,?,?)');
  const select = prepare<[string, string], { peer: string }>(db, 'select peer from peer where tenant = ? and pn = ?');
  // Spares an insert per message; forgetting it costs one.
  let known = new Set<string>();
  return {
    met(a: string, b: string): void {
      const pair = a < b ? `${a} ${b}` : `${b} ${a}`;
      if (a === b || known.has(pair)) return;
      if (known.size >= KNOWN_MAX) known = new Set();
      known.add(pair);
      insert.run(tenant, a, b);
      insert.run(tenant, b, a);
    },
    of: (pn: string): string[] => select.all(tenant, pn).map((row) => row.peer),
    forget(): void {
      known = new Set();
    },
  };
}
