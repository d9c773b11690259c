import type { PhoneStore } from '../phone/network.ts';
import { type Db, prepare } from './database.ts';

/** Ends with the phone's deletion, a reset, a restart or the simulator. */
export interface Life {
  isOver: boolean;
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
  return {
    get: (kind, id) => (life.isOver ? undefined : one.get(tenant, pn, kind, id)?.value),
    set(kind, id, value) {
      if (life.isOver) return;
      if (value === null) drop.run(tenant, pn, kind, id);
      else put.run(tenant, pn, kind, id, value);
    },
    list: (kind) => (life.isOver ? [] : all.all(tenant, pn, kind)),
    transaction: (work) => (life.isOver ? work() : db.transaction(work)()),
  };
}
