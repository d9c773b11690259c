import { sql } from 'kysely';
import type { Store } from '../src/store/db/store.ts';

/** The schema as the database itself tells it: what the golden files keep. */
export async function dumpSchema(store: Store): Promise<string> {
  const lines = store.engine === 'sqlite' ? await dumpSqlite(store) : await dumpPostgres(store);
  return `${lines.join('\n')}\n`;
}

async function dumpSqlite(store: Store): Promise<string[]> {
  const { rows } = await sql<{ text: string }>`
    select sql as text from sqlite_master where sql is not null and name not like 'sqlite_%' and name not like 'messages_search_%' order by tbl_name, type desc, name
  `.execute(store.db);
  return rows.map((row) => `${row.text};`);
}

async function dumpPostgres(store: Store): Promise<string[]> {
  const columns = await sql<{ text: string }>`
    select table_name || '.' || column_name || ' ' || data_type || coalesce(' collate ' || collation_name, '')
      || case when is_nullable = 'NO' then ' not null' else '' end
      || case when is_identity = 'YES' then ' identity ' || lower(identity_generation) else '' end as text
    from information_schema.columns where table_schema = current_schema()
    order by table_name, ordinal_position
  `.execute(store.db);
  const constraints = await sql<{ text: string }>`
    select c.relname || ': ' || pg_get_constraintdef(k.oid) as text
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = current_schema() order by 1
  `.execute(store.db);
  const indexes = await sql<{ text: string }>`
    select replace(indexdef, current_schema() || '.', '') as text from pg_indexes
    where schemaname = current_schema() order by indexname
  `.execute(store.db);
  const triggers = await sql<{ text: string }>`
    select replace(pg_get_triggerdef(t.oid), current_schema() || '.', '') as text
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = current_schema() and not t.tgisinternal order by 1
  `.execute(store.db);
  return [...columns.rows, ...constraints.rows, ...indexes.rows, ...triggers.rows].map((row) => row.text);
}

/** Column names by table. */
export async function columnsOf(store: Store): Promise<Map<string, Set<string>>> {
  const tables = await store.db.introspection.getTables();
  // Other tests have schemas on the same server.
  const own = store.engine === 'postgres' ? await currentSchema(store) : undefined;
  // The full-text index of SQLite is a table with shadows of its own; it is not read by columns.
  const ours = tables.filter(
    (table) => !table.name.startsWith('messages_search') && (own === undefined || table.schema === own),
  );
  return new Map(ours.map((table) => [table.name, new Set(table.columns.map((column) => column.name))]));
}

async function currentSchema(store: Store): Promise<string | undefined> {
  const { rows } = await sql<{ name: string }>`select current_schema() as name`.execute(store.db);
  return rows[0]?.name;
}
