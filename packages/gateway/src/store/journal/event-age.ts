import { hot } from '../db/hot.ts';
import type { Db } from '../db/store.ts';

const firstFrom = hot<[number], { seq: number; created_at: number }>(
  'select seq, created_at from events where seq >= ? order by seq limit 1',
);
const lastOfAll = hot<[], { seq: number | null }>('select max(seq) as seq from events');

/**
 * The newest event before `cutoff`; 0 when there is none. Events are written in the order of time,
 * so their numbers are halved until it is found (some twenty looks for a million): no index by age
 * has to be kept by every event for the sake of one question an hour. Where clocks of several nodes
 * differ, the answer is off by as much.
 */
export async function newestEventBefore(db: Db, cutoff: number): Promise<number> {
  const first = await firstFrom.first(db, 0);
  const last = await lastOfAll.first(db);
  if (!first || !last || last.seq === null) return 0;
  let found = 0;
  // Everything up to `low` is before, everything from `high` on is not.
  let low = Number(first.seq) - 1;
  let high = Number(last.seq) + 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const event = await firstFrom.first(db, middle);
    if (!event || Number(event.seq) >= high || Number(event.created_at) >= cutoff) high = middle;
    else low = found = Number(event.seq);
  }
  return found;
}
