import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';

/** Where something was found: `table.column` or a file, and how often. */
export type Finds = Record<string, number>;

/**
 * Every table, column and row of a SQLite database, and every other file of its folder, looked
 * through for these words. The index of the full-text search is asked like the product asks it: its
 * pages keep what is no longer found until they are merged.
 */
export function census(dataDir: string, words: string[]): Finds {
  const finds: Finds = {};
  const note = (place: string) => {
    finds[place] = (finds[place] ?? 0) + 1;
  };
  const holds = (value: unknown): boolean => {
    if (value === null) return false;
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value));
    return words.some((word) => bytes.includes(word));
  };
  const db = new Sqlite(join(dataDir, 'ponte.db'), { readonly: true });
  try {
    const tables = db.prepare("select name from sqlite_master where type = 'table'").pluck().all() as string[];
    for (const table of tables.filter((name) => !name.startsWith('messages_search'))) {
      for (const row of db.prepare(`select * from "${table}"`).iterate() as Iterable<Record<string, unknown>>) {
        for (const [column, value] of Object.entries(row)) if (holds(value)) note(`${table}.${column}`);
      }
    }
    for (const word of words) {
      const found = db.prepare('select count(*) from messages_search where messages_search match ?').pluck();
      if (Number(found.get(`"${word}"`)) > 0) note('messages_search');
    }
  } finally {
    db.close();
  }
  for (const entry of readdirSync(dataDir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || /ponte\.db(-wal|-shm)?$/.test(entry.name)) continue;
    if (entry.parentPath !== dataDir || holds(readFileSync(path))) note(path.slice(dataDir.length + 1));
  }
  return finds;
}
