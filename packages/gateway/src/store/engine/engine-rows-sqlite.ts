import type { Statement } from 'better-sqlite3';
import type { RawSqlite } from '../db/raw-sqlite.ts';
import type { Store } from '../db/store.ts';
import type { EngineRows, InboxRow, KeyRow } from './engine-rows.ts';

interface Statements {
  key: Statement<[string, string, string], { id: string; value: Buffer }>;
  keysOfKind: Statement<[string, string], { id: string; value: Buffer }>;
  putKey: Statement<[string, string, string, Buffer]>;
  deleteKey: Statement<[string, string, string]>;
  deleteKeys: Statement<[string]>;
  inboxRow: Statement<[string, string], { plaintext: Buffer | null }>;
  putInbox: Statement<[string, string, string, string, number, Buffer, Buffer | null, string | null, number]>;
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
      putInbox: raw.prepare(
        'insert into inbox (line_id, kind, hash, tag, enc_index, stanza, plaintext, failure, done, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)',
      ),
    };
    prepared.set(raw, statements);
  }
  return statements;
}

function write(raw: RawSqlite, lineId: string, keys: KeyRow[], inbox: InboxRow | undefined): number | undefined {
  const { putKey, deleteKey, putInbox } = statementsOf(raw);
  for (const { kind, id, value } of keys) {
    if (value === null) deleteKey.run(lineId, kind, id);
    else putKey.run(lineId, kind, id, value);
  }
  if (!inbox) return undefined;
  const { kind, hash, tag, encIndex, stanza, plaintext, failure, createdAt } = inbox;
  return Number(putInbox.run(lineId, kind, hash, tag, encIndex, stanza, plaintext, failure, createdAt).lastInsertRowid);
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
    write: (keys, inbox, progress) => {
      const done = store.sqlite((raw) => {
        const seq = write(raw, lineId, keys, inbox);
        if (seq !== undefined) progress?.written(seq);
        return seq;
      }, 'write');
      progress?.asked();
      return done;
    },
    inboxRow: (hash) => store.sqlite((raw) => statementsOf(raw).inboxRow.get(lineId, hash), 'read'),
    deleteKeys: () => store.sqlite((raw) => void statementsOf(raw).deleteKeys.run(lineId), 'write'),
  };
}
