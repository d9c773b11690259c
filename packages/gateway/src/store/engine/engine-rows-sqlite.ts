import type { Statement } from 'better-sqlite3';
import type { RawSqlite } from '../db/raw-sqlite.ts';
import type { Store } from '../db/store.ts';
import type { EngineRows, KeyRow } from './engine-rows.ts';
import { keepRow, writeKeysOneByOne } from './keep-row.ts';

interface Statements {
  key: Statement<[string, string, string], { id: string; value: Buffer }>;
  keysOfKind: Statement<[string, string], { id: string; value: Buffer }>;
  putKey: Statement<[string, string, string, Buffer]>;
  deleteKey: Statement<[string, string, string]>;
  deleteKeys: Statement<[string]>;
  inboxRow: Statement<[string, string], { plaintext: Buffer | null }>;
}

const prepared = new WeakMap<RawSqlite, Statements>();

function statementsOf(raw: RawSqlite): Statements {
  let statements = prepared.get(raw);
  if (!statements) {
    statements = {
      key: raw.prepare('select id, value from line_keys where line_id = ? and kind = ? and id = ?'),
      keysOfKind: raw.prepare('select id, value from line_keys where line_id = ? and kind = ?'),
      putKey: raw.prepare(
        'insert into line_keys (line_id, kind, id, value) values (?, ?, ?, ?) on conflict (line_id, kind, id) do update set value = excluded.value',
      ),
      deleteKey: raw.prepare('delete from line_keys where line_id = ? and kind = ? and id = ?'),
      deleteKeys: raw.prepare('delete from line_keys where line_id = ?'),
      inboxRow: raw.prepare('select plaintext from inbox where line_id = ? and hash = ?'),
    };
    prepared.set(raw, statements);
  }
  return statements;
}

function write(raw: RawSqlite, lineId: string, keys: KeyRow[]): void {
  const { putKey, deleteKey } = statementsOf(raw);
  for (const { kind, id, value } of keys) {
    if (value === null) deleteKey.run(lineId, kind, id);
    else putKey.run(lineId, kind, id, value);
  }
}

/**
 * Every message goes through here, so the statements are prepared by hand and commits are grouped.
 */
export function createSqliteEngineRows(store: Store, lineId: string): EngineRows {
  return {
    keys: (kind, ids) =>
      store.sqlite((raw) => {
        const { key } = statementsOf(raw);
        return ids.flatMap((id) => key.get(lineId, kind, id) ?? []);
      }, 'read'),
    keysOfKind: (kind) => store.sqlite((raw) => statementsOf(raw).keysOfKind.all(lineId, kind), 'read'),
    write: (keys) => store.sqlite((raw) => write(raw, lineId, keys), 'write'),
    keep: (keys, row, alongside) =>
      keepRow(store, { lineId, row, alongside, writeKeys: (tx) => writeKeysOneByOne(tx, lineId, keys) }),
    inboxRow: (hash) => store.sqlite((raw) => statementsOf(raw).inboxRow.get(lineId, hash), 'read'),
    deleteKeys: () => store.sqlite((raw) => void statementsOf(raw).deleteKeys.run(lineId), 'write'),
  };
}
