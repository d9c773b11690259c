import { sql } from 'kysely';

/**
 * The database server's clock at this moment (Unix milliseconds), not at the begin of the
 * transaction. PostgreSQL only.
 */
export const serverNow = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
