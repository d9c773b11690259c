/**
 * The database cannot be reached, or cannot be written for now (its server restarts, the disk is
 * full). Waiting mends it, so a caller is asked to try again. `code` is the database's own.
 */
export class StoreUnreachableError extends Error {
  override readonly name = 'StoreUnreachableError';
  readonly code: string;

  constructor(cause: Error, code: string) {
    super(cause.message, { cause });
    this.code = code;
  }
}

/** SQLite's own words for the same: no space, a failing disk, read-only files, a lock. */
const SQLITE_AWAY = /^SQLITE_(?:FULL|IOERR|READONLY|CANTOPEN|BUSY)/;

/** Whether an error says that the database cannot be used for now. */
export function isStoreUnreachable(error: unknown): boolean {
  if (error instanceof StoreUnreachableError) return true;
  return error instanceof Error && 'code' in error && SQLITE_AWAY.test(String(error.code));
}
