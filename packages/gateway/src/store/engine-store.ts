import type { EngineStore, KeyChange, RawStanza, SealedEnvelope } from '@ponte/engine';
import type { Statement } from 'better-sqlite3';
import type { Clock } from '../core/clock.ts';
import type { SealedBox } from '../crypto/sealed-box.ts';
import { insertStanza, plaintextAad, stanzaAad } from './inbox.ts';
import type { RawSqlite } from './sqlite.ts';
import type { Store } from './store.ts';

interface SealedChange {
  kind: string;
  id: string;
  value: Buffer | null;
}

interface SealedRow {
  lineId: string;
  hash: string;
  encIndex: number;
  stanza: Buffer;
  plaintext: Buffer;
  createdAt: number;
}

/** Ids in one query: below the parameter limit of both databases. */
const IDS_PER_QUERY = 500;

const keyAad = (lineId: string, kind: string, id: string) => `line_keys|value|${lineId}|${kind}|${id}`;

/** One line's keys and inbox, encrypted under the line's data key. See `EngineStore` for what is guaranteed. */
export function createEngineStore(options: {
  store: Store;
  box: SealedBox;
  lineId: string;
  clock: Clock;
}): EngineStore {
  const { store, box, lineId, clock } = options;
  const write = store.engine === 'sqlite' ? commitSqlite : commitPostgres;

  return {
    async get(kind, ids) {
      const found = new Map<string, Uint8Array>();
      for (let from = 0; from < ids.length; from += IDS_PER_QUERY) {
        const rows = await store.db
          .selectFrom('line_keys')
          .select(['id', 'value'])
          .where('line_id', '=', lineId)
          .where('kind', '=', kind)
          .where('id', 'in', ids.slice(from, from + IDS_PER_QUERY))
          .execute();
        for (const row of rows) found.set(row.id, box.open(row.value, keyAad(lineId, kind, row.id)));
      }
      return found;
    },
    async list(kind) {
      const rows = await store.db
        .selectFrom('line_keys')
        .select(['id', 'value'])
        .where('line_id', '=', lineId)
        .where('kind', '=', kind)
        .execute();
      return new Map(rows.map((row) => [row.id, box.open(row.value, keyAad(lineId, kind, row.id))]));
    },
    async commit(changes, sealed) {
      const rows = lastOfEach(changes).map((change) => ({
        kind: change.kind,
        id: change.id,
        value: change.value === null ? null : box.seal(change.value, keyAad(lineId, change.kind, change.id)),
      }));
      await write(store, lineId, rows, sealed && sealedRow(box, lineId, sealed, clock.now()));
    },
    async findSealed(hash) {
      const row = await store.db
        .selectFrom('inbox')
        .select('plaintext')
        .where('line_id', '=', lineId)
        .where('hash', '=', hash)
        .executeTakeFirst();
      if (!row) return undefined;
      return { plaintext: row.plaintext ? box.open(row.plaintext, plaintextAad(lineId, hash)) : new Uint8Array(0) };
    },
    appendStanza: (entry: RawStanza) => insertStanza(store, box, lineId, entry, clock.now()),
    async clear() {
      await store.transaction(async (tx) => {
        await tx.db.deleteFrom('line_keys').where('line_id', '=', lineId).execute();
      });
    },
  };
}

/** Two changes of one key in a batch: the last one counts (PostgreSQL takes a key once per statement only). */
function lastOfEach(changes: KeyChange[]): KeyChange[] {
  const last = new Map<string, KeyChange>();
  for (const change of changes) last.set(`${change.kind}\0${change.id}`, change);
  return [...last.values()];
}

function sealedRow(box: SealedBox, lineId: string, sealed: SealedEnvelope, createdAt: number): SealedRow {
  return {
    lineId,
    hash: sealed.hash,
    encIndex: sealed.encIndex,
    stanza: box.seal(sealed.stanza, stanzaAad(lineId, sealed.hash)),
    plaintext: box.seal(sealed.plaintext, plaintextAad(lineId, sealed.hash)),
    createdAt,
  };
}

interface Statements {
  put: Statement<[string, string, string, Buffer]>;
  remove: Statement<[string, string, string]>;
  seal: Statement<[string, string, number, Buffer, Buffer, number]>;
}

const prepared = new WeakMap<RawSqlite, Statements>();

function statementsOf(raw: RawSqlite): Statements {
  let statements = prepared.get(raw);
  if (!statements) {
    statements = {
      put: raw.prepare(
        'insert into line_keys (line_id, kind, id, value) values (?, ?, ?, ?) on conflict (line_id, kind, id) do update set value = excluded.value',
      ),
      remove: raw.prepare('delete from line_keys where line_id = ? and kind = ? and id = ?'),
      seal: raw.prepare(
        "insert into inbox (line_id, kind, hash, tag, enc_index, stanza, plaintext, failure, done, created_at) values (?, 'sealed', ?, 'message', ?, ?, ?, null, 0, ?)",
      ),
    };
    prepared.set(raw, statements);
  }
  return statements;
}

/** Every message goes through here once, so the statements are prepared by hand: three times as fast as through the query builder. */
async function commitSqlite(store: Store, lineId: string, rows: SealedChange[], sealed?: SealedRow): Promise<void> {
  await store.sqlite((raw) => {
    const { put, remove, seal } = statementsOf(raw);
    raw
      .transaction(() => {
        for (const { kind, id, value } of rows) {
          if (value === null) remove.run(lineId, kind, id);
          else put.run(lineId, kind, id, value);
        }
        if (sealed) seal.run(lineId, sealed.hash, sealed.encIndex, sealed.stanza, sealed.plaintext, sealed.createdAt);
      })
      .immediate();
  });
}

async function commitPostgres(store: Store, lineId: string, rows: SealedChange[], sealed?: SealedRow): Promise<void> {
  const puts = rows.flatMap(({ kind, id, value }) => (value === null ? [] : [{ line_id: lineId, kind, id, value }]));
  await store.transaction(async (tx) => {
    for (let from = 0; from < puts.length; from += IDS_PER_QUERY) {
      await tx.db
        .insertInto('line_keys')
        .values(puts.slice(from, from + IDS_PER_QUERY))
        .onConflict((conflict) =>
          conflict.columns(['line_id', 'kind', 'id']).doUpdateSet((eb) => ({ value: eb.ref('excluded.value') })),
        )
        .execute();
    }
    for (const { kind, id, value } of rows) {
      if (value !== null) continue;
      await tx.db
        .deleteFrom('line_keys')
        .where('line_id', '=', lineId)
        .where('kind', '=', kind)
        .where('id', '=', id)
        .execute();
    }
    if (!sealed) return;
    await tx.db
      .insertInto('inbox')
      .values({
        line_id: lineId,
        kind: 'sealed',
        hash: sealed.hash,
        tag: 'message',
        enc_index: sealed.encIndex,
        stanza: sealed.stanza,
        plaintext: sealed.plaintext,
        failure: null,
        done: 0,
        created_at: sealed.createdAt,
      })
      .execute();
  });
}
