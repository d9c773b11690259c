import { sql } from 'kysely';
import type { Store } from './store.ts';

/** The schema as text, the same for the same schema: what the golden files in test/golden hold. */
export async function dumpSchema(store: Store): Promise<string> {
  return store.engine === 'sqlite' ? dumpSqlite(store) : dumpPostgres(store);
}

async function dumpSqlite(store: Store): Promise<string> {
  const { rows } = await sql<{ sql: string }>`
    select sql from sqlite_master where sql is not null and name not like 'sqlite_%' order by type desc, name`.execute(
    store.db,
  );
  return `${rows.map((row) => `${row.sql.trim()};`).join('\n\n')}\n`;
}

async function dumpPostgres(store: Store): Promise<string> {
  const columns = await sql<{ line: string; table_name: string }>`
    select table_name, '  ' || column_name || ' ' || data_type
      || case when is_identity = 'YES' then ' identity ' || lower(identity_generation) else '' end
      || case when is_nullable = 'NO' then ' not null' else '' end as line
    from information_schema.columns where table_schema = current_schema() order by table_name, ordinal_position`.execute(
    store.db,
  );
  const constraints = await sql<{ table_name: string; line: string }>`
    select c.relname as table_name, '  ' || replace(pg_get_constraintdef(k.oid), current_schema() || '.', '') as line
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = current_schema() order by c.relname, line`.execute(store.db);
  const indexes = await sql<{ line: string }>`
    select replace(indexdef, current_schema() || '.', '') || ';' as line
    from pg_indexes where schemaname = current_schema() order by indexname`.execute(store.db);
  const tables = [...new Set(columns.rows.map((row) => row.table_name))];
  const of = (rows: { table_name: string; line: string }[], table: string) =>
    rows.filter((row) => row.table_name === table).map((row) => row.line);
  const body = tables.map(
    (table) => `table ${table} (\n${[...of(columns.rows, table), ...of(constraints.rows, table)].join('\n')}\n)`,
  );
  return `${[...body, indexes.rows.map((row) => row.line).join('\n')].join('\n\n')}\n`;
}
