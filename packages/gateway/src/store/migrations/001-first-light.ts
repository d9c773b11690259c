import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Capitals are SCHEMA_WORDS. Indexes serve bound parameters too, so the conditions of partial ones are such that a comparison implies them. */
const STATEMENTS = `
create table settings (
  name text primary key,
  value text not null
);
create table data_keys (
  scope text primary key,
  master_key_id text not null,
  wrapped BYTES not null,
  created_at INT not null
);
create table accounts (
  id text primary key,
  name text not null,
  plan text not null,
  subscription text not null,
  created_at INT not null
);
create table api_keys (
  id text primary key,
  account_id text not null references accounts (id) on delete cascade,
  name text not null,
  mode text not null,
  hash BYTES not null unique,
  prefix text not null,
  scopes text not null,
  created_at INT not null,
  expires_at INT,
  revoked_at INT,
  last_used_at INT
);
create index api_keys_account on api_keys (account_id, created_at);
create table lines (
  number SEQUENCE,
  id text not null unique,
  account_id text not null references accounts (id),
  mode text not null,
  customer_ref text,
  label text,
  status text not null,
  status_reason text,
  phone text,
  jid text,
  lid text,
  name text,
  created_at INT not null,
  connected_at INT,
  deleted_at INT
);
create index lines_account on lines (account_id, mode, number);
create unique index lines_customer_ref on lines (account_id, mode, customer_ref) where customer_ref is not null and deleted_at is null;
create table line_keys (
  line_id text not null references lines (id) on delete cascade,
  kind text not null,
  id text not null,
  value BYTES not null,
  primary key (line_id, kind, id)
)CLUSTERED;
create table inbox (
  seq SEQUENCE,
  line_id text not null references lines (id) on delete cascade,
  kind text not null,
  hash text,
  tag text not null,
  enc_index INT not null,
  stanza BYTES,
  plaintext BYTES,
  failure text,
  done INT not null,
  created_at INT not null
);
create unique index inbox_hash on inbox (line_id, hash) where hash is not null;
create index inbox_pending on inbox (line_id, done, seq);
create index inbox_tombstones on inbox (done, created_at);
create table outbox (
  seq SEQUENCE,
  id text not null unique,
  account_id text not null,
  line_id text not null references lines (id) on delete cascade,
  message_id text not null,
  to_jid text not null,
  content text not null,
  state text not null,
  proto BYTES,
  prepared text,
  accepted_at INT not null,
  ack_timestamp INT,
  error_code text,
  error_details text,
  finished_at INT
);
create unique index outbox_message on outbox (line_id, message_id);
create index outbox_waiting on outbox (line_id, seq) where finished_at is null;
create index outbox_usage on outbox (account_id, accepted_at);
create table idempotency (
  scope text not null,
  key text not null,
  fingerprint text not null,
  outbox_id text references outbox (id) on delete cascade,
  status INT,
  body text,
  created_at INT not null,
  expires_at INT not null,
  primary key (scope, key)
);
create index idempotency_outbox on idempotency (outbox_id);
create index idempotency_expiry on idempotency (expires_at);
create table events (
  seq SEQUENCE,
  id text not null unique,
  account_id text not null,
  line_id text not null,
  type text not null,
  dedupe_key text not null,
  chat text,
  payload text not null,
  created_at INT not null
);
create unique index events_dedupe on events (line_id, dedupe_key);
create index events_account on events (account_id, seq);
create index events_age on events (created_at);
create table messages (
  seq SEQUENCE,
  line_id text not null references lines (id) on delete cascade,
  message_id text not null,
  chat_jid text not null,
  sender_jid text not null,
  from_me INT not null,
  kind text not null,
  body text not null,
  facts text not null,
  proto BYTES,
  status text not null,
  timestamp INT not null,
  created_at INT not null
);
create unique index messages_identity on messages (line_id, message_id, chat_jid, sender_jid);
create index messages_chat on messages (line_id, chat_jid, timestamp, seq);
create table chats (
  line_id text not null references lines (id) on delete cascade,
  jid text not null,
  pn text,
  lid text,
  name text,
  is_group INT not null,
  archived INT not null,
  unread_count INT not null,
  last_message_id text,
  last_message_at INT,
  updated_at INT not null,
  primary key (line_id, jid)
);
create index chats_recent on chats (line_id, updated_at);
create index chats_pn on chats (line_id, pn) where pn is not null;
create index chats_lid on chats (line_id, lid) where lid is not null;
create table contacts (
  line_id text not null references lines (id) on delete cascade,
  jid text not null,
  pn text,
  lid text,
  name text,
  push_name text,
  updated_at INT not null,
  primary key (line_id, jid)
);
create index contacts_pn on contacts (line_id, pn) where pn is not null;
create table webhooks (
  id text primary key,
  account_id text not null references accounts (id) on delete cascade,
  mode text not null,
  line_id text references lines (id) on delete cascade,
  url text not null,
  secret BYTES not null,
  previous_secret BYTES,
  previous_secret_until INT,
  events text not null,
  selectors text not null,
  filters text,
  headers BYTES,
  format text not null,
  description text,
  strict_order INT not null,
  status text not null,
  disabled_reason text,
  disabled_at INT,
  created_at INT not null,
  failing_since INT,
  last_failure_at INT,
  lane_owner text,
  lane_until INT not null
);
create index webhooks_account on webhooks (account_id, mode, created_at);
create index webhooks_line on webhooks (line_id) where line_id is not null;
create table deliveries (
  seq SEQUENCE,
  id text not null unique,
  account_id text not null,
  webhook_id text not null references webhooks (id) on delete cascade,
  event_seq INT not null references events (seq),
  order_key text,
  state text not null,
  attempts INT not null,
  step INT not null,
  pulls INT not null,
  next_at INT not null,
  expires_at INT,
  created_at INT not null,
  finished_at INT
);
create index deliveries_lane on deliveries (webhook_id, state, next_at, seq);
create index deliveries_due on deliveries (state, next_at, webhook_id);
create index deliveries_usage on deliveries (account_id, created_at);
create index deliveries_log on deliveries (webhook_id, seq);
create index deliveries_event on deliveries (event_seq);
create index deliveries_finished on deliveries (finished_at) where finished_at is not null;
create table attempts (
  delivery_id text not null references deliveries (id) on delete cascade,
  number INT not null,
  at INT not null,
  duration_ms INT not null,
  status_code INT,
  error_class text,
  response_excerpt text,
  primary key (delivery_id, number)
)CLUSTERED;
`;

export const firstLight: Migration = {
  name: '001-first-light',
  breaking: true,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
