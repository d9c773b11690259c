CREATE TABLE accounts (
  id text primary key,
  name text not null,
  plan text not null,
  subscription text not null,
  created_at integer not null
, cycle_anchor integer, contents text not null default 'plain', contents_since integer not null default 0);
CREATE TABLE addresses (
  line_id text not null references lines (id) on delete cascade,
  lid text not null,
  pn text not null,
  primary key (line_id, lid)
)  without rowid;
CREATE INDEX addresses_pn on addresses (line_id, pn);
CREATE TABLE alert_settings (
  user_id text primary key references console_users (id) on delete cascade,
  email integer not null,
  url text,
  secret blob,
  texts integer not null,
  changed_at integer not null
);
CREATE TABLE alerts (
  id text primary key,
  user_id text not null references console_users (id) on delete cascade,
  channel text not null,
  facts text not null,
  attempts integer not null,
  due_at integer not null,
  created_at integer not null
);
CREATE INDEX alerts_due on alerts (due_at, id);
CREATE INDEX alerts_user on alerts (user_id);
CREATE TABLE api_keys (
  id text primary key,
  account_id text not null references accounts (id) on delete cascade,
  name text not null,
  mode text not null,
  hash blob not null unique,
  prefix text not null,
  scopes text not null,
  created_at integer not null,
  expires_at integer,
  revoked_at integer,
  last_used_at integer
, approval text not null default 'none', lines text, networks text);
CREATE INDEX api_keys_account on api_keys (account_id, created_at);
CREATE TABLE approvals (
  id text primary key,
  account_id text not null references accounts (id) on delete cascade,
  mode text not null,
  line_id text not null references lines (id) on delete cascade,
  key_id text not null,
  key_name text not null,
  operation text not null,
  shown text not null,
  command text not null,
  input text not null,
  repeat_key text,
  fingerprint text not null,
  state text not null,
  created_at integer not null,
  expires_at integer not null,
  decided_at integer,
  decided_by text,
  outcome text
, alerted_at integer);
CREATE INDEX approvals_age on approvals (created_at);
CREATE INDEX approvals_line on approvals (line_id);
CREATE INDEX approvals_newest on approvals (account_id, mode, created_at);
CREATE UNIQUE INDEX approvals_repeat on approvals (account_id, mode, repeat_key) where repeat_key is not null;
CREATE INDEX approvals_unfinished on approvals (decided_at) where state = 'approved' and outcome is null;
CREATE TABLE attempts (
  delivery_id text not null references deliveries (id) on delete cascade,
  number integer not null,
  at integer not null,
  duration_ms integer not null,
  status_code integer,
  error_class text,
  response_excerpt text,
  primary key (delivery_id, number)
) without rowid;
CREATE TABLE chat_expirations (
  line_id text not null references lines (id) on delete cascade,
  jid text not null,
  seconds integer not null,
  set_at integer not null,
  primary key (line_id, jid)
);
CREATE TABLE chat_groups (
  line_id text not null references lines (id) on delete cascade,
  jid text not null,
  subject text not null,
  subject_at integer not null,
  updated_at integer not null,
  primary key (line_id, jid)
);
CREATE TABLE chats (
  line_id text not null references lines (id) on delete cascade,
  jid text not null,
  pn text,
  lid text,
  name text,
  is_group integer not null,
  archived integer not null,
  unread_count integer not null,
  last_message_id text,
  last_message_at integer,
  updated_at integer not null,
  primary key (line_id, jid)
);
CREATE INDEX chats_lid on chats (line_id, lid) where lid is not null;
CREATE INDEX chats_newest on chats (line_id, coalesce(last_message_at, 0), jid);
CREATE INDEX chats_pn on chats (line_id, pn) where pn is not null;
CREATE TABLE connect_links (
  hash blob primary key,
  line_id text not null references lines (id) on delete cascade,
  created_at integer not null,
  expires_at integer not null,
  used_at integer
, visitor blob, page text);
CREATE INDEX connect_links_expiry on connect_links (expires_at);
CREATE INDEX connect_links_line on connect_links (line_id);
CREATE TABLE console_audit (
  seq integer primary key autoincrement,
  at integer not null,
  user_id text,
  actor text not null,
  action text not null,
  target text not null,
  mode text,
  outcome text not null,
  address text not null,
  request_id text not null
, link text);
CREATE TABLE console_challenges (
  challenge text primary key,
  user_id text,
  expires_at integer not null
);
CREATE INDEX console_challenges_expiry on console_challenges (expires_at);
CREATE TABLE console_failures (
  subject text primary key,
  failures integer not null,
  last_at integer not null,
  blocked_until integer not null
);
CREATE INDEX console_failures_age on console_failures (last_at);
CREATE TABLE console_passkeys (
  id text primary key,
  user_id text not null references console_users (id) on delete cascade,
  name text not null,
  host text not null,
  public_key blob not null,
  counter integer not null,
  transports text not null,
  created_at integer not null,
  used_at integer
);
CREATE INDEX console_passkeys_user on console_passkeys (user_id, created_at);
CREATE TABLE console_sessions (
  id text primary key,
  hash blob not null unique,
  user_id text not null references console_users (id) on delete cascade,
  address text not null,
  user_agent text not null,
  created_at integer not null,
  seen_at integer not null,
  expires_at integer not null
);
CREATE INDEX console_sessions_expiry on console_sessions (expires_at);
CREATE INDEX console_sessions_user on console_sessions (user_id, created_at);
CREATE TABLE console_users (
  id text primary key,
  email text not null unique,
  name text not null,
  role text not null,
  password text not null,
  created_at integer not null,
  disabled_at integer,
  signed_in_at integer
);
CREATE TABLE contacts (
  line_id text not null references lines (id) on delete cascade,
  jid text not null,
  pn text,
  lid text,
  name text,
  push_name text,
  updated_at integer not null, is_business integer not null default 0, username text,
  primary key (line_id, jid)
);
CREATE INDEX contacts_pn on contacts (line_id, pn) where pn is not null;
CREATE TABLE data_keys (
  scope text primary key,
  master_key_id text not null,
  wrapped blob not null,
  created_at integer not null
);
CREATE TABLE deliveries (
  seq integer primary key autoincrement,
  id text not null unique,
  account_id text not null,
  webhook_id text not null references webhooks (id) on delete cascade,
  event_seq integer not null references events (seq) on delete cascade,
  order_key text,
  state text not null,
  attempts integer not null,
  step integer not null,
  pulls integer not null,
  next_at integer not null,
  expires_at integer,
  created_at integer not null,
  finished_at integer
, delivered text);
CREATE INDEX deliveries_dead on deliveries (webhook_id, event_seq) where state = 'dead';
CREATE INDEX deliveries_due on deliveries (webhook_id, next_at, event_seq) where finished_at is null;
CREATE INDEX deliveries_event on deliveries (event_seq);
CREATE UNIQUE INDEX deliveries_log on deliveries (webhook_id, event_seq);
CREATE TABLE event_wishes (
  account_id text not null references accounts (id) on delete cascade,
  mode text not null,
  until integer not null,
  primary key (account_id, mode)
) without rowid;
CREATE TABLE events (
  seq integer primary key autoincrement,
  id text not null unique,
  account_id text not null,
  line_id text not null,
  type text not null,
  dedupe_key text not null,
  chat text,
  payload text not null,
  created_at integer not null
);
CREATE INDEX events_account on events (account_id, seq);
CREATE UNIQUE INDEX events_dedupe on events (line_id, dedupe_key);
CREATE INDEX events_line on events (line_id, seq);
CREATE TABLE history_parts (
  seq integer primary key autoincrement,
  line_id text not null references lines (id) on delete cascade,
  part_id text not null,
  kind text not null,
  part blob not null,
  failures integer not null default 0,
  failed text,
  created_at integer not null
);
CREATE UNIQUE INDEX history_parts_identity on history_parts (line_id, part_id);
CREATE INDEX history_parts_waiting on history_parts (line_id, seq) where failed is null;
CREATE TABLE idempotency (
  scope text not null,
  key text not null,
  fingerprint text not null,
  outbox_id text references outbox (id) on delete cascade,
  status integer,
  body text,
  created_at integer not null,
  expires_at integer not null,
  primary key (scope, key)
);
CREATE INDEX idempotency_expiry on idempotency (expires_at);
CREATE INDEX idempotency_outbox on idempotency (outbox_id);
CREATE TABLE inbox (
  seq integer primary key autoincrement,
  line_id text not null references lines (id) on delete cascade,
  kind text not null,
  hash text,
  tag text not null,
  enc_index integer not null,
  stanza blob,
  plaintext blob,
  failure text,
  done integer not null,
  created_at integer not null
);
CREATE UNIQUE INDEX inbox_hash on inbox (line_id, hash) where hash is not null;
CREATE INDEX inbox_pending on inbox (line_id, seq) where done = 0;
CREATE TABLE kept_keys (
  line_id text not null references lines (id) on delete cascade,
  kind text not null,
  id text not null,
  value blob not null,
  primary key (line_id, kind, id)
);
CREATE TABLE line_keys (
  line_id text not null references lines (id) on delete cascade,
  kind text not null,
  id text not null,
  value blob not null,
  primary key (line_id, kind, id)
) without rowid;
CREATE TABLE line_leases (
  line_id text primary key references lines (id) on delete cascade,
  node_id text,
  epoch integer not null,
  expires_at integer not null
, taken_at integer);
CREATE INDEX line_leases_node on line_leases (node_id);
CREATE TABLE line_traffic (
  line_id text not null references lines (id) on delete cascade,
  step integer not null,
  at integer not null,
  received integer not null,
  sent integer not null,
  failed integer not null,
  send_ms integer not null,
  slowest_send_ms integer not null,
  primary key (line_id, step, at)
) without rowid;
CREATE INDEX line_traffic_age on line_traffic (step, at);
CREATE TABLE lines (
  number integer primary key autoincrement,
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
  created_at integer not null,
  connected_at integer,
  deleted_at integer
, pacing text, settings_stale integer not null default 0, restrictions text, status_until integer, status_code integer, credentials_kept_until integer);
CREATE INDEX lines_account on lines (account_id, mode, number);
CREATE INDEX lines_credentials_kept on lines (credentials_kept_until) where credentials_kept_until is not null;
CREATE UNIQUE INDEX lines_customer_ref on lines (account_id, mode, customer_ref) where customer_ref is not null and deleted_at is null;
CREATE TABLE message_readers (
  line_id text not null references lines (id) on delete cascade,
  message_id text not null,
  reader text not null,
  delivered_at integer,
  read_at integer,
  played_at integer,
  updated_at integer not null,
  primary key (line_id, message_id, reader)
)  without rowid;
CREATE INDEX message_readers_age on message_readers (updated_at);
CREATE TABLE messages (
  seq integer primary key autoincrement,
  line_id text not null references lines (id) on delete cascade,
  message_id text not null,
  chat_jid text not null,
  sender_jid text not null,
  from_me integer not null,
  kind text not null,
  body text not null,
  facts text not null,
  proto blob,
  status text not null,
  timestamp integer not null,
  created_at integer not null
, search text not null default '');
CREATE INDEX messages_chat on messages (line_id, chat_jid, timestamp, seq);
CREATE UNIQUE INDEX messages_identity on messages (line_id, message_id, chat_jid, sender_jid);
CREATE VIRTUAL TABLE messages_search using fts5(line_id, search, content='messages', content_rowid='seq', tokenize='unicode61');
CREATE TABLE "migrations" ("name" text primary key, "breaking" integer not null, "applied_at" integer not null);
CREATE TABLE nodes (
  id text primary key,
  name text not null,
  version text not null,
  weight integer not null,
  is_draining integer not null,
  lines integer not null,
  started_at integer not null,
  expires_at integer not null
, master_key_id text);
CREATE TABLE number_aliases (
  line_id text not null references lines (id) on delete cascade,
  asked text not null,
  pn text not null,
  primary key (line_id, asked)
)  without rowid;
CREATE TABLE outbox (
  seq integer primary key autoincrement,
  id text not null unique,
  account_id text not null,
  line_id text not null references lines (id) on delete cascade,
  message_id text not null,
  to_jid text not null,
  content text not null,
  state text not null,
  proto blob,
  prepared text,
  accepted_at integer not null,
  ack_timestamp integer,
  error_code text,
  error_details text,
  finished_at integer
, rank integer not null default 1, send_at integer, sending_at integer, archive_after integer, unconfirmed_at integer);
CREATE INDEX outbox_archive on outbox (line_id, seq) where archive_after is not null;
CREATE UNIQUE INDEX outbox_message on outbox (line_id, message_id);
CREATE INDEX outbox_scheduled on outbox (line_id, send_at) where finished_at is null and send_at is not null;
CREATE INDEX outbox_unconfirmed on outbox (line_id, seq) where unconfirmed_at is not null and finished_at is null;
CREATE INDEX outbox_waiting on outbox (line_id, seq) where finished_at is null;
CREATE TABLE plans (
  name text primary key,
  sent_messages integer,
  webhook_events integer,
  lines integer,
  updated_at integer not null
);
CREATE TABLE problems (
  account_id text not null references accounts (id) on delete cascade,
  mode text not null,
  kind text not null,
  subject text not null,
  line_id text references lines (id) on delete cascade,
  reason text,
  since integer not null,
  told_at integer,
  primary key (account_id, mode, kind, subject)
);
CREATE INDEX problems_line on problems (line_id);
CREATE TABLE rate_windows (
  bucket text primary key,
  ats text not null,
  ns text not null,
  granted integer not null,
  touched_at integer not null
);
CREATE TABLE settings (
  name text primary key,
  value text not null
);
CREATE TABLE usage (
  account_id text not null references accounts (id) on delete cascade,
  mode text not null,
  metric text not null,
  period_start integer not null,
  used integer not null,
  primary key (account_id, mode, metric, period_start)
) without rowid;
CREATE TABLE webhook_traffic (
  webhook_id text not null references webhooks (id) on delete cascade,
  step integer not null,
  at integer not null,
  delivered integer not null,
  failed integer not null,
  answer_ms integer not null,
  slowest_answer_ms integer not null,
  primary key (webhook_id, step, at)
) without rowid;
CREATE INDEX webhook_traffic_age on webhook_traffic (step, at);
CREATE TABLE webhooks (
  id text primary key,
  account_id text not null references accounts (id) on delete cascade,
  mode text not null,
  line_id text references lines (id) on delete cascade,
  url text not null,
  secret blob not null,
  previous_secret blob,
  previous_secret_until integer,
  events text not null,
  selectors text not null,
  filters text,
  headers blob,
  format text not null,
  description text,
  strict_order integer not null,
  status text not null,
  disabled_reason text,
  disabled_at integer,
  created_at integer not null,
  failing_since integer,
  last_failure_at integer,
  lane_owner text,
  lane_until integer not null
, details integer not null default 0);
CREATE INDEX webhooks_account on webhooks (account_id, mode, created_at);
CREATE INDEX webhooks_line on webhooks (line_id) where line_id is not null;
