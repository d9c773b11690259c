import type { PhoneStore } from '../phone/network.ts';
import { type Db, prepare } from './database.ts';
import { atomically, sharedCommit } from './shared-commit.ts';

/** Ends with the phone's deletion, a reset, a restart or the simulator. */
export interface Life {
  isOver: boolean;
}

interface Written {
  kind: string;
  id: string;
  /** Null: it is to go. */
  value: Uint8Array | null;
}

/**
 * What one phone must not forget, in the database. A phone whose life is over reads nothing and
 * leaves no trace.
 */
export function phoneStore(db: Db, tenant: string, pn: string, life: Life): PhoneStore {
  const one = prepare<[string, string, string, string], { value: Buffer }>(
    db,
    'select value from phone_state where tenant = ? and pn = ? and kind = ? and id = ?',
  );
  const all = prepare<[string, string, string], { id: string; value: Buffer }>(
    db,
    'select id, value from phone_state where tenant = ? and pn = ? and kind = ? order by id',
  );
  const put = prepare<unknown[]>(
    db,
    'insert or replace into phone_state (tenant, pn, kind, id, value) values (?,?,?,?,?)',
  );
  const drop = prepare<unknown[]>(db, 'delete from phone_state where tenant = ? and pn = ? and kind = ? and id = ?');
  const commit = sharedCommit(db);
  // Of this turn, by kind and id; in the database before the commit.
  const fresh = new Map<string, Written>();
  const flush = (): void => {
    const all = [...fresh.values()];
    fresh.clear();
    if (life.isOver || all.length === 0) return;
    // What was written in a transaction that is taken back is not written.
    commit.onTakenBack(() => {
      commit.writeLater(flush);
      for (const written of all) fresh.set(keyOf(written.kind, written.id), written);
    });
    for (const { kind, id, value } of all) {
      if (value === null) drop.run(tenant, pn, kind, id);
      else put.run(tenant, pn, kind, id, value);
    }
  };
  return {
    get(kind, id) {
      if (life.isOver) return undefined;
      const written = fresh.get(keyOf(kind, id));
      return written ? (written.value ?? undefined) : one.get(tenant, pn, kind, id)?.value;
    },
    set(kind, id, value) {
      if (life.isOver) return;
      const key = keyOf(kind, id);
      const before = fresh.get(key);
      if (fresh.size === 0) commit.writeLater(flush);
      fresh.set(key, { kind, id, value });
      commit.onTakenBack(() => {
        if (before) fresh.set(key, before);
        else fresh.delete(key);
      });
    },
    list(kind) {
      if (life.isOver) return [];
      flush();
      return all.all(tenant, pn, kind);
    },
    transaction: (work) => (life.isOver ? work() : atomically(db, work)),
  };
}

const keyOf = (kind: string, id: string): string => `${kind} ${id}`;
