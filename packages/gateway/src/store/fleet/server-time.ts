import { sql } from 'kysely';

/**
 * The database server's clock at this moment (Unix milliseconds), not at the beginning of the
 * transaction. A query of its own, so that indexes are used for what is compared with it.
 * PostgreSQL only.
 */
export const serverNow = sql<number>`(select (extract(epoch from clock_timestamp()) * 1000)::bigint)`;
