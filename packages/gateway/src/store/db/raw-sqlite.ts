import type Sqlite from 'better-sqlite3';

/** The bare connection, for the few statements that are prepared by hand. */
export type RawSqlite = Sqlite.Database;
