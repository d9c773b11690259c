import Database from 'better-sqlite3';
import { sharedCommit } from './shared-commit.ts';

/**
 * An open database; named here so that what is built on it can be described without the library's
 * types.
 */
export interface Db extends Database.Database {}

/** The first schema; later versions only add to it. */
const SCHEMA = `
create table meta (key text primary key, value blob not null) without rowid;

create table account (
  tenant text not null, pn text not null, lid text not null, name text not null,
  about text not null default '', about_at integer not null default 0, business integer not null default 0,
  lid_only integer not null default 0, next_device integer not null default 1,
  settings text not null default '{}', created_at integer not null,
  primary key (tenant, pn), unique (tenant, lid)
) without rowid;

create table device (
  tenant text not null, pn text not null, id integer not null, line_id text, noise_key blob, identity blob,
  registration_id integer, skey_id integer, skey blob, skey_signature blob,
  key_index integer not null default 0, adv_identity blob, platform text not null default '', linked_at integer not null,
  primary key (tenant, pn, id)
) without rowid;
create index device_line on device (tenant, line_id) where line_id is not null;

create table prekey (
  tenant text not null, pn text not null, device integer not null, id integer not null, key blob not null,
  primary key (tenant, pn, device, id)
) without rowid;

create table queue (
  seq integer primary key autoincrement, tenant text not null, pn text not null, device integer not null,
  class text not null, id text not null, sender text not null, stanza blob not null
);
create index queue_device on queue (tenant, pn, device, seq);
create index queue_stanza on queue (tenant, pn, device, class, id);

create table phone_state (
  tenant text not null, pn text not null, kind text not null, id text not null, value blob not null,
  primary key (tenant, pn, kind, id)
) without rowid;

create table peer (
  tenant text not null, pn text not null, peer text not null, primary key (tenant, pn, peer)
) without rowid;

create table setting (
  tenant text not null, pn text not null, kind text not null, name text not null, value text not null,
  primary key (tenant, pn, kind, name)
) without rowid;
`;

/** Links to media; the bytes themselves are files (or in memory) under the hash. */
const MEDIA = `
create table media (
  tenant text not null, id text not null, kind text not null, hash text not null, size integer not null,
  created_ms integer not null, expires_ms integer not null,
  primary key (tenant, id)
) without rowid;
create index media_hash on media (tenant, hash, created_ms);
create index media_expiry on media (expires_ms);
`;

/**
 * Groups with their members and the people who asked to join. People are named by number here,
 * whatever the group shows.
 */
const GROUPS = `
create table chat_group (
  tenant text not null, id text not null, subject text not null, subject_by text not null, subject_at integer not null,
  creator text not null, created_at integer not null, mode text not null,
  description text, description_id text, description_by text, description_at integer not null default 0,
  announce integer not null default 0, locked integer not null default 0, ephemeral_s integer not null default 0,
  approval integer not null default 0, member_add text not null default 'all_member_add', invite text not null,
  primary key (tenant, id)
) without rowid;
create index chat_group_invite on chat_group (tenant, invite);

create table group_member (
  tenant text not null, group_id text not null, pn text not null, role text not null default '', joined_at integer not null,
  primary key (tenant, group_id, pn)
) without rowid;
create index group_member_pn on group_member (tenant, pn);

create table group_request (
  tenant text not null, group_id text not null, pn text not null, method text not null, requested_at integer not null,
  primary key (tenant, group_id, pn)
) without rowid;
create index group_request_pn on group_request (tenant, pn);
`;

/** Pictures of accounts (`pn` is the number) and groups (the group's id). */
const PICTURES = `
create table picture (
  tenant text not null, pn text not null, id text not null, token text not null, hash text not null, bytes blob not null,
  primary key (tenant, pn)
) without rowid;
create unique index picture_token on picture (tenant, token);
create index setting_value on setting (tenant, kind, name, value) where kind = 'qr';
`;

/**
 * App state as the server has it: patches that only the account's devices can read, and their
 * result per collection.
 */
const APP_STATE = `
create table app_state (
  tenant text not null, pn text not null, name text not null, version integer not null, mac blob not null, key_id blob not null,
  primary key (tenant, pn, name)
) without rowid;

create table app_state_patch (
  tenant text not null, pn text not null, name text not null, version integer not null, patch blob not null,
  primary key (tenant, pn, name, version)
) without rowid;

create table app_state_record (
  tenant text not null, pn text not null, name text not null, id blob not null, record blob not null,
  primary key (tenant, pn, name, id)
) without rowid;
`;

/** Channels (newsletters): what is posted there is not encrypted. */
const CHANNELS = `
create table channel (
  tenant text not null, id text not null, name text not null, description text not null default '', owner text not null,
  created_at integer not null, invite text not null, last_server_id integer not null default 100,
  primary key (tenant, id)
) without rowid;

create table channel_follower (
  tenant text not null, channel_id text not null, pn text not null, muted integer not null default 0,
  primary key (tenant, channel_id, pn)
) without rowid;
create index channel_follower_pn on channel_follower (tenant, pn);

create table channel_post (
  tenant text not null, channel_id text not null, server_id integer not null, message_id text not null, type text not null,
  posted_at integer not null, body blob not null,
  primary key (tenant, channel_id, server_id)
) without rowid;

create table channel_reaction (
  tenant text not null, channel_id text not null, server_id integer not null, pn text not null, code text not null,
  primary key (tenant, channel_id, server_id, pn)
) without rowid;
`;

/** Step n brings a file from version n to n + 1. New ones go to the end; none is ever changed. */
const MIGRATIONS: readonly string[] = [SCHEMA, MEDIA, GROUPS, PICTURES, APP_STATE, CHANNELS];

/** Every table that holds rows of a tenant; `meta` is the network's own. */
export const TENANT_TABLES = [
  'account',
  'device',
  'prekey',
  'queue',
  'phone_state',
  'peer',
  'setting',
  'media',
  'chat_group',
  'group_member',
  'group_request',
  'picture',
  'app_state',
  'app_state_patch',
  'app_state_record',
  'channel',
  'channel_follower',
  'channel_post',
  'channel_reaction',
] as const;

/**
 * Opens (and creates) the simulator's file, `:memory:` for a world that ends with the process.
 * Committed state survives the death of the process, not of the machine (WAL, synchronous=NORMAL);
 * what is written in one turn of the event loop is committed together (shared-commit.ts).
 * Throws when the file was written by a newer version.
 */
export function openDatabase(dataFile: string): Db {
  const db = new Database(dataFile);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  db.pragma('busy_timeout = 5000');
  const version = Number(db.pragma('user_version', { simple: true }));
  if (version > MIGRATIONS.length) {
    db.close();
    throw new Error(
      `simulator data file ${dataFile} has schema ${version}, this version knows ${MIGRATIONS.length}: use the newer version, or another file`,
    );
  }
  if (version < MIGRATIONS.length) {
    db.transaction(() => {
      for (const step of MIGRATIONS.slice(version)) db.exec(step);
      db.pragma(`user_version = ${MIGRATIONS.length}`);
    })();
  }
  return db;
}

const statements = new WeakMap<Db, Map<string, Database.Statement>>();

/** A prepared statement: its parameters, and a row of its answer. */
export type Statement<P extends unknown[], R = unknown> = Database.Statement<P, R>;

/** The statement for this SQL, prepared once per database however many tenants use it. */
export function prepare<P extends unknown[], R = unknown>(db: Db, sql: string): Statement<P, R> {
  const known = statements.get(db) ?? new Map<string, Database.Statement>();
  statements.set(db, known);
  const found = known.get(sql) ?? inTheTurn(db, db.prepare(sql));
  known.set(sql, found);
  return found as Statement<P, R>;
}

/** A statement that writes does so in the transaction of the turn. */
function inTheTurn(db: Db, statement: Database.Statement): Database.Statement {
  if (statement.readonly) return statement;
  const commit = sharedCommit(db);
  const { run, get, all } = statement;
  statement.run = (...values: unknown[]) => {
    commit.begin();
    return run.apply(statement, values);
  };
  statement.get = (...values: unknown[]) => {
    commit.begin();
    return get.apply(statement, values);
  };
  statement.all = (...values: unknown[]) => {
    commit.begin();
    return all.apply(statement, values);
  };
  return statement;
}

/** A value of the network itself that is made once and then kept. */
export function keptSecret(db: Db, key: string, make: () => Uint8Array): Uint8Array {
  const stored = prepare<[string], { value: Buffer }>(db, 'select value from meta where key = ?').get(key)?.value;
  if (stored) return stored;
  const made = make();
  prepare<unknown[]>(db, 'insert into meta (key, value) values (?, ?)').run(key, made);
  return made;
}
