import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/**
 * Capitals are SCHEMA_WORDS. Indexes serve bound parameters too, so the conditions of partial ones
 * are such that a comparison implies them.
 */
const STATEMENTS = `
create table settings (
  name TEXT primary key,
  value TEXT not null
);
create table data_keys (
  scope TEXT primary key,
  master_key_id TEXT not null,
  wrapped BYTES not null,
  created_at INT not null
);
create table accounts (
  id TEXT primary key,
  name TEXT not null,
  plan TEXT not null,
  subscription TEXT not null,
  created_at INT not null
);
create table api_keys (
  id TEXT primary key,
  account_id TEXT not null references accounts (id) on delete cascade,
  name TEXT not null,
  mode TEXT not null,
  hash BYTES not null unique,
  prefix TEXT not null,
  scopes TEXT not null,
  created_at INT not null,
  expires_at INT,
  revoked_at INT,
  last_used_at INT
);
create index api_keys_account on api_keys (account_id, created_at);
create table lines (
  number SEQUENCE,
  id TEXT not null unique,
  account_id TEXT not null references accounts (id),
  mode TEXT not null,
  customer_ref TEXT,
  label TEXT,
  status TEXT not null,
  status_reason TEXT,
  phone TEXT,
  jid TEXT,
  lid TEXT,
  name TEXT,
  created_at INT not null,
  connected_at INT,
  deleted_at INT
);
create index lines_account on lines (account_id, mode, number);
create unique index lines_customer_ref on lines (account_id, mode, customer_ref) where customer_ref is not null and deleted_at is null;
create table line_keys (
  line_id TEXT not null references lines (id) on delete cascade,
  kind TEXT not null,
  id TEXT not null,
  value BYTES not null,
  primary key (line_id, kind, id)
)CLUSTERED;
create table inbox (
  seq SEQUENCE,
  line_id TEXT not null references lines (id) on delete cascade,
  kind TEXT not null,
  hash TEXT,
  tag TEXT not null,
  enc_index INT not null,
  stanza BYTES,
  plaintext BYTES,
  failure TEXT,
  done INT not null,
  created_at INT not null
);
create unique index inbox_hash on inbox (line_id, hash) where hash is not null;
create index inbox_pending on inbox (line_id, done, seq);
create index inbox_tombstones on inbox (done, created_at);
create table outbox (
  seq SEQUENCE,
  id TEXT not null unique,
  account_id TEXT not null,
  line_id TEXT not null references lines (id) on delete cascade,
  message_id TEXT not null,
  to_jid TEXT not null,
  content TEXT not null,
  state TEXT not null,
  proto BYTES,
  prepared TEXT,
  accepted_at INT not null,
  ack_timestamp INT,
  error_code TEXT,
  error_details TEXT,
  finished_at INT
);
create unique index outbox_message on outbox (line_id, message_id);
create index outbox_waiting on outbox (line_id, seq) where finished_at is null;
create index outbox_usage on outbox (account_id, accepted_at);
create table idempotency (
  scope TEXT not null,
  key TEXT not null,
  fingerprint TEXT not null,
  outbox_id TEXT references outbox (id) on delete cascade,
  status INT,
  body TEXT,
  created_at INT not null,
  expires_at INT not null,
  primary key (scope, key)
);
create index idempotency_outbox on idempotency (outbox_id);
create index idempotency_expiry on idempotency (expires_at);
create table events (
  seq SEQUENCE,
  id TEXT not null unique,
  account_id TEXT not null,
  line_id TEXT not null,
  type TEXT not null,
  dedupe_key TEXT not null,
  chat TEXT,
  payload TEXT not null,
  created_at INT not null
);
create unique index events_dedupe on events (line_id, dedupe_key);
create index events_account on events (account_id, seq);
create index events_age on events (created_at);
create table messages (
  seq SEQUENCE,
  line_id TEXT not null references lines (id) on delete cascade,
  message_id TEXT not null,
  chat_jid TEXT not null,
  sender_jid TEXT not null,
  from_me INT not null,
  kind TEXT not null,
  body TEXT not null,
  facts TEXT not null,
  proto BYTES,
  status TEXT not null,
  timestamp INT not null,
  created_at INT not null
);
create unique index messages_identity on messages (line_id, message_id, chat_jid, sender_jid);
create index messages_chat on messages (line_id, chat_jid, timestamp, seq);
create table chats (
  line_id TEXT not null references lines (id) on delete cascade,
  jid TEXT not null,
  pn TEXT,
  lid TEXT,
  name TEXT,
  is_group INT not null,
  archived INT not null,
  unread_count INT not null,
  last_message_id TEXT,
  last_message_at INT,
  updated_at INT not null,
  primary key (line_id, jid)
);
create index chats_recent on chats (line_id, updated_at);
create index chats_pn on chats (line_id, pn) where pn is not null;
create index chats_lid on chats (line_id, lid) where lid is not null;
create table contacts (
  line_id TEXT not null references lines (id) on delete cascade,
  jid TEXT not null,
  pn TEXT,
  lid TEXT,
  name TEXT,
  push_name TEXT,
  updated_at INT not null,
  primary key (line_id, jid)
);
create index contacts_pn on contacts (line_id, pn) where pn is not null;
create table webhooks (
  id TEXT primary key,
  account_id TEXT not null references accounts (id) on delete cascade,
  mode TEXT not null,
  line_id TEXT references lines (id) on delete cascade,
  url TEXT not null,
  secret BYTES not null,
  previous_secret BYTES,
  previous_secret_until INT,
  events TEXT not null,
  selectors TEXT not null,
  filters TEXT,
  headers BYTES,
  format TEXT not null,
  description TEXT,
  strict_order INT not null,
  status TEXT not null,
  disabled_reason TEXT,
  disabled_at INT,
  created_at INT not null,
  failing_since INT,
  last_failure_at INT,
  lane_owner TEXT,
  lane_until INT not null
);
create index webhooks_account on webhooks (account_id, mode, created_at);
create index webhooks_line on webhooks (line_id) where line_id is not null;
create table deliveries (
  seq SEQUENCE,
  id TEXT not null unique,
  account_id TEXT not null,
  webhook_id TEXT not null references webhooks (id) on delete cascade,
  event_seq INT not null references events (seq) on delete cascade,
  order_key TEXT,
  state TEXT not null,
  attempts INT not null,
  step INT not null,
  pulls INT not null,
  next_at INT not null,
  expires_at INT,
  created_at INT not null,
  finished_at INT
);
create index deliveries_due on deliveries (webhook_id, next_at, event_seq) where finished_at is null;
create unique index deliveries_log on deliveries (webhook_id, event_seq);
create index deliveries_dead on deliveries (webhook_id, event_seq) where state = 'dead';
create index deliveries_usage on deliveries (account_id, created_at);
create index deliveries_event on deliveries (event_seq);
create table attempts (
  delivery_id TEXT not null references deliveries (id) on delete cascade,
  number INT not null,
  at INT not null,
  duration_ms INT not null,
  status_code INT,
  error_class TEXT,
  response_excerpt TEXT,
  primary key (delivery_id, number)
)CLUSTERED;
`;

export const firstLight: Migration = {
  name: '001-first-light',
  breaking: true,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
