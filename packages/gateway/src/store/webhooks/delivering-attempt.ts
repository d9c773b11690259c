import { FEW, hot } from '../db/hot.ts';
import type { Db } from '../db/store.ts';

/** One attempt as its owner may see it. */
export interface AttemptView {
  number: number;
  at: number;
  durationMs: number;
  statusCode: number | null;
  errorClass: string | null;
  responseExcerpt: string | null;
}

/**
 * The attempt that delivered, as it stands in the delivery's row: its time, how long it took, the
 * status it got, and what the receiver said.
 */
type Packed = [at: number, durationMs: number, statusCode: number | null, responseExcerpt: string | null];

export const packAttempt = (attempt: {
  at: number;
  durationMs: number;
  statusCode: number | null;
  responseExcerpt: string | null;
}): string =>
  JSON.stringify([attempt.at, attempt.durationMs, attempt.statusCode, attempt.responseExcerpt] satisfies Packed);

/** `attempts`: of the delivery, whose last one this was. */
export function unpackAttempt(packed: string | null, attempts: number): AttemptView | null {
  if (packed === null) return null;
  const [at, durationMs, statusCode, responseExcerpt] = JSON.parse(packed) as Packed;
  return { number: attempts, at, durationMs, statusCode, errorClass: null, responseExcerpt };
}

const markOne = hot<[number, string, number]>(
  `update deliveries set state = 'delivered', attempts = attempts + 1, finished_at = ?, delivered = ?
  where seq = ? and finished_at is null`,
);
/** Of pairs `[seq, attempt]`. */
const markMany = hot<[number, string]>({
  sqlite: `update deliveries
    set state = 'delivered', attempts = attempts + 1, finished_at = ?, delivered = ended.value ->> 1
    from json_each(?) as ended
    where seq = ended.value ->> 0 and finished_at is null`,
  postgres: `update deliveries
    set state = 'delivered', attempts = attempts + 1, finished_at = ?, delivered = ended.value ->> 1
    from json_array_elements(cast(? as json)) as ended
    where seq = cast(ended.value ->> 0 as bigint) and finished_at is null`,
});

/** A delivery with the attempt that delivered it (`packAttempt`). */
export interface Delivered {
  seq: number;
  attempt: string;
}

/**
 * Marks deliveries as delivered by the attempt that just ended. Ones that ended meanwhile (deleted,
 * by another process) are left alone.
 */
export async function markDelivered(db: Db, ended: readonly Delivered[], at: number): Promise<void> {
  if (ended.length > FEW) {
    await markMany.run(db, at, JSON.stringify(ended.map(({ seq, attempt }) => [seq, attempt])));
    return;
  }
  for (const { seq, attempt } of ended) await markOne.run(db, at, attempt, seq);
}
