import type Sqlite from 'better-sqlite3';
import type pg from 'pg';

/** A table as both databases have it. */
export interface MovedTable {
  name: string;
  columns: { name: string; type: 'int8' | 'int4' | 'text' | 'bytea' }[];
  /** Names of the columns of its primary key, in its order. */
  key: string[];
  /** A column that PostgreSQL counts by itself. */
  counter: string | undefined;
}

/** The databases do not fit each other. The message is for the operator. */
export class MoveError extends Error {
  override readonly name = 'MoveError';
}

/**
 * What is not moved: the schema's own record, SQLite's full-text index, and what lives for seconds:
 * windows of rate limits, nodes and leases of a fleet, which a single node does not have.
 */
const LEFT = /^(?:sqlite_.*|migrations|messages_search.*|rate_windows|nodes|line_leases)$/;

interface SourceColumn {
  name: string;
  pk: number;
}

/** Every table that is moved, those that others point to first. Throws MoveError. */
export async function movedTables(source: Sqlite.Database, target: pg.Client): Promise<MovedTable[]> {
  const names = (source.prepare("select name from sqlite_master where type = 'table'").all() as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => !LEFT.test(name));
  const { rows } = await target.query<{ table: string; column: string; type: string; counts: boolean }>(
    `select table_name as table, column_name as column, udt_name as type, is_identity = 'YES' as counts
     from information_schema.columns where table_schema = current_schema()`,
  );
  const tables = names.map((name): MovedTable => {
    const there = new Map(rows.filter(({ table }) => table === name).map((row) => [row.column, row]));
    const here = source.prepare('select name, pk from pragma_table_info(?)').all(name) as SourceColumn[];
    const columns = here.map((column): MovedTable['columns'][number] => {
      const type = there.get(column.name)?.type;
      if (type === 'int8' || type === 'int4' || type === 'text' || type === 'bytea') return { name: column.name, type };
      throw new MoveError(`${name}.${column.name} is not in both databases: this version cannot move it`);
    });
    if (columns.length !== there.size) throw new MoveError(`the two databases have other columns in ${name}`);
    const key = here
      .filter(({ pk }) => pk > 0)
      .sort((a, b) => a.pk - b.pk)
      .map((column) => column.name);
    if (key.length === 0) throw new MoveError(`${name} has no primary key: this version cannot move it`);
    return { name, columns, key, counter: [...there.values()].find(({ counts }) => counts)?.column };
  });
  return inOrder(tables, source);
}

function inOrder(tables: MovedTable[], source: Sqlite.Database): MovedTable[] {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const ordered = new Set<MovedTable>();
  const add = (table: MovedTable) => {
    if (ordered.has(table)) return;
    const points = source.prepare('select "table" as name from pragma_foreign_key_list(?)').all(table.name);
    for (const { name } of points as { name: string }[]) {
      const other = byName.get(name);
      if (other && other !== table) add(other);
    }
    ordered.add(table);
  };
  for (const table of tables) add(table);
  return [...ordered];
}
