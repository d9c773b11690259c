accounts.id text collate C not null
accounts.name text collate C not null
accounts.plan text collate C not null
accounts.subscription text collate C not null
accounts.created_at bigint not null
accounts.cycle_anchor bigint
accounts.contents text collate C not null
accounts.contents_since bigint not null
addresses.line_id text collate C not null
addresses.lid text collate C not null
addresses.pn text collate C not null
alert_settings.user_id text collate C not null
alert_settings.email bigint not null
alert_settings.url text collate C
alert_settings.secret bytea
alert_settings.texts bigint not null
alert_settings.changed_at bigint not null
alerts.id text collate C not null
alerts.user_id text collate C not null
alerts.channel text collate C not null
alerts.facts text collate C not null
alerts.attempts bigint not null
alerts.due_at bigint not null
alerts.created_at bigint not null
api_keys.id text collate C not null
api_keys.account_id text collate C not null
api_keys.name text collate C not null
api_keys.mode text collate C not null
api_keys.hash bytea not null
api_keys.prefix text collate C not null
api_keys.scopes text collate C not null
api_keys.created_at bigint not null
api_keys.expires_at bigint
api_keys.revoked_at bigint
api_keys.last_used_at bigint
api_keys.approval text collate C not null
api_keys.lines text collate C
api_keys.networks text collate C
approvals.id text collate C not null
approvals.account_id text collate C not null
approvals.mode text collate C not null
approvals.line_id text collate C not null
approvals.key_id text collate C not null
approvals.key_name text collate C not null
approvals.operation text collate C not null
approvals.shown text collate C not null
approvals.command text collate C not null
approvals.input text collate C not null
approvals.repeat_key text collate C
approvals.fingerprint text collate C not null
approvals.state text collate C not null
approvals.created_at bigint not null
approvals.expires_at bigint not null
approvals.decided_at bigint
approvals.decided_by text collate C
approvals.outcome text collate C
approvals.alerted_at bigint
attempts.delivery_id text collate C not null
attempts.number bigint not null
attempts.at bigint not null
attempts.duration_ms bigint not null
attempts.status_code bigint
attempts.error_class text collate C
attempts.response_excerpt text collate C
chat_expirations.line_id text collate C not null
chat_expirations.jid text collate C not null
chat_expirations.seconds bigint not null
chat_expirations.set_at bigint not null
chat_groups.line_id text collate C not null
chat_groups.jid text collate C not null
chat_groups.subject text collate C not null
chat_groups.subject_at bigint not null
chat_groups.updated_at bigint not null
chats.line_id text collate C not null
chats.jid text collate C not null
chats.pn text collate C
chats.lid text collate C
chats.name text collate C
chats.is_group bigint not null
chats.archived bigint not null
chats.unread_count bigint not null
chats.last_message_id text collate C
chats.last_message_at bigint
chats.updated_at bigint not null
connect_links.hash bytea not null
connect_links.line_id text collate C not null
connect_links.created_at bigint not null
connect_links.expires_at bigint not null
connect_links.used_at bigint
connect_links.visitor bytea
connect_links.page text collate C
console_audit.seq bigint not null identity always
console_audit.at bigint not null
console_audit.user_id text collate C
console_audit.actor text collate C not null
console_audit.action text collate C not null
console_audit.target text collate C not null
console_audit.mode text collate C
console_audit.outcome text collate C not null
console_audit.address text collate C not null
console_audit.request_id text collate C not null
console_audit.link text collate C
console_challenges.challenge text collate C not null
console_challenges.user_id text collate C
console_challenges.expires_at bigint not null
console_failures.subject text collate C not null
console_failures.failures bigint not null
console_failures.last_at bigint not null
console_failures.blocked_until bigint not null
console_passkeys.id text collate C not null
console_passkeys.user_id text collate C not null
console_passkeys.name text collate C not null
console_passkeys.host text collate C not null
console_passkeys.public_key bytea not null
console_passkeys.counter bigint not null
console_passkeys.transports text collate C not null
console_passkeys.created_at bigint not null
console_passkeys.used_at bigint
console_sessions.id text collate C not null
console_sessions.hash bytea not null
console_sessions.user_id text collate C not null
console_sessions.address text collate C not null
console_sessions.user_agent text collate C not null
console_sessions.created_at bigint not null
console_sessions.seen_at bigint not null
console_sessions.expires_at bigint not null
console_users.id text collate C not null
console_users.email text collate C not null
console_users.name text collate C not null
console_users.role text collate C not null
console_users.password text collate C not null
console_users.created_at bigint not null
console_users.disabled_at bigint
console_users.signed_in_at bigint
contacts.line_id text collate C not null
contacts.jid text collate C not null
contacts.pn text collate C
contacts.lid text collate C
contacts.name text collate C
contacts.push_name text collate C
contacts.updated_at bigint not null
contacts.is_business bigint not null
contacts.username text collate C
data_keys.scope text collate C not null
data_keys.master_key_id text collate C not null
data_keys.wrapped bytea not null
data_keys.created_at bigint not null
deliveries.seq bigint not null identity always
deliveries.id text collate C not null
deliveries.account_id text collate C not null
deliveries.webhook_id text collate C not null
deliveries.event_seq bigint not null
deliveries.order_key text collate C
deliveries.state text collate C not null
deliveries.attempts bigint not null
deliveries.step bigint not null
deliveries.pulls bigint not null
deliveries.next_at bigint not null
deliveries.expires_at bigint
deliveries.created_at bigint not null
deliveries.finished_at bigint
deliveries.delivered text collate C
event_wishes.account_id text collate C not null
event_wishes.mode text collate C not null
event_wishes.until bigint not null
events.seq bigint not null identity always
events.id text collate C not null
events.account_id text collate C not null
events.line_id text collate C not null
events.type text collate C not null
events.dedupe_key text collate C not null
events.chat text collate C
events.payload text collate C not null
events.created_at bigint not null
history_parts.seq bigint not null identity always
history_parts.line_id text collate C not null
history_parts.part_id text collate C not null
history_parts.kind text collate C not null
history_parts.part bytea not null
history_parts.failures bigint not null
history_parts.failed text collate C
history_parts.created_at bigint not null
idempotency.scope text collate C not null
idempotency.key text collate C not null
idempotency.fingerprint text collate C not null
idempotency.outbox_id text collate C
idempotency.status bigint
idempotency.body text collate C
idempotency.created_at bigint not null
idempotency.expires_at bigint not null
inbox.seq bigint not null identity always
inbox.line_id text collate C not null
inbox.kind text collate C not null
inbox.hash text collate C
inbox.tag text collate C not null
inbox.enc_index bigint not null
inbox.stanza bytea
inbox.plaintext bytea
inbox.failure text collate C
inbox.done bigint not null
inbox.created_at bigint not null
kept_keys.line_id text collate C not null
kept_keys.kind text collate C not null
kept_keys.id text collate C not null
kept_keys.value bytea not null
line_keys.line_id text collate C not null
line_keys.kind text collate C not null
line_keys.id text collate C not null
line_keys.value bytea not null
line_leases.line_id text collate C not null
line_leases.node_id text collate C
line_leases.epoch bigint not null
line_leases.expires_at bigint not null
line_leases.taken_at bigint
line_traffic.line_id text collate C not null
line_traffic.step bigint not null
line_traffic.at bigint not null
line_traffic.received bigint not null
line_traffic.sent bigint not null
line_traffic.failed bigint not null
line_traffic.send_ms bigint not null
line_traffic.slowest_send_ms bigint not null
lines.number bigint not null identity always
lines.id text collate C not null
lines.account_id text collate C not null
lines.mode text collate C not null
lines.customer_ref text collate C
lines.label text collate C
lines.status text collate C not null
lines.status_reason text collate C
lines.phone text collate C
lines.jid text collate C
lines.lid text collate C
lines.name text collate C
lines.created_at bigint not null
lines.connected_at bigint
lines.deleted_at bigint
lines.pacing text collate C
lines.settings_stale bigint not null
lines.restrictions text collate C
lines.status_until bigint
lines.status_code bigint
lines.credentials_kept_until bigint
message_readers.line_id text collate C not null
message_readers.message_id text collate C not null
message_readers.reader text collate C not null
message_readers.delivered_at bigint
message_readers.read_at bigint
message_readers.played_at bigint
message_readers.updated_at bigint not null
messages.seq bigint not null identity always
messages.line_id text collate C not null
messages.message_id text collate C not null
messages.chat_jid text collate C not null
messages.sender_jid text collate C not null
messages.from_me bigint not null
messages.kind text collate C not null
messages.body text collate C not null
messages.facts text collate C not null
messages.proto bytea
messages.status text collate C not null
messages.timestamp bigint not null
messages.created_at bigint not null
messages.search text collate C not null
migrations.name text not null
migrations.breaking integer not null
migrations.applied_at bigint not null
nodes.id text collate C not null
nodes.name text collate C not null
nodes.version text collate C not null
nodes.weight bigint not null
nodes.is_draining bigint not null
nodes.lines bigint not null
nodes.started_at bigint not null
nodes.expires_at bigint not null
nodes.master_key_id text collate C
number_aliases.line_id text collate C not null
number_aliases.asked text collate C not null
number_aliases.pn text collate C not null
outbox.seq bigint not null identity always
outbox.id text collate C not null
outbox.account_id text collate C not null
outbox.line_id text collate C not null
outbox.message_id text collate C not null
outbox.to_jid text collate C not null
outbox.content text collate C not null
outbox.state text collate C not null
outbox.proto bytea
outbox.prepared text collate C
outbox.accepted_at bigint not null
outbox.ack_timestamp bigint
outbox.error_code text collate C
outbox.error_details text collate C
outbox.finished_at bigint
outbox.rank bigint not null
outbox.send_at bigint
outbox.sending_at bigint
outbox.archive_after bigint
outbox.unconfirmed_at bigint
plans.name text collate C not null
plans.sent_messages bigint
plans.webhook_events bigint
plans.lines bigint
plans.updated_at bigint not null
problems.account_id text collate C not null
problems.mode text collate C not null
problems.kind text collate C not null
problems.subject text collate C not null
problems.line_id text collate C
problems.reason text collate C
problems.since bigint not null
problems.told_at bigint
rate_windows.bucket text collate C not null
rate_windows.ats ARRAY not null
rate_windows.ns ARRAY not null
rate_windows.granted bigint not null
rate_windows.touched_at bigint not null
settings.name text collate C not null
settings.value text collate C not null
usage.account_id text collate C not null
usage.mode text collate C not null
usage.metric text collate C not null
usage.period_start bigint not null
usage.used bigint not null
webhook_traffic.webhook_id text collate C not null
webhook_traffic.step bigint not null
webhook_traffic.at bigint not null
webhook_traffic.delivered bigint not null
webhook_traffic.failed bigint not null
webhook_traffic.answer_ms bigint not null
webhook_traffic.slowest_answer_ms bigint not null
webhooks.id text collate C not null
webhooks.account_id text collate C not null
webhooks.mode text collate C not null
webhooks.line_id text collate C
webhooks.url text collate C not null
webhooks.secret bytea not null
webhooks.previous_secret bytea
webhooks.previous_secret_until bigint
webhooks.events text collate C not null
webhooks.selectors text collate C not null
webhooks.filters text collate C
webhooks.headers bytea
webhooks.format text collate C not null
webhooks.description text collate C
webhooks.strict_order bigint not null
webhooks.status text collate C not null
webhooks.disabled_reason text collate C
webhooks.disabled_at bigint
webhooks.created_at bigint not null
webhooks.failing_since bigint
webhooks.last_failure_at bigint
webhooks.lane_owner text collate C
webhooks.lane_until bigint not null
webhooks.details bigint not null
accounts: PRIMARY KEY (id)
addresses: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
addresses: PRIMARY KEY (line_id, lid)
alert_settings: FOREIGN KEY (user_id) REFERENCES console_users(id) ON DELETE CASCADE
alert_settings: PRIMARY KEY (user_id)
alerts: FOREIGN KEY (user_id) REFERENCES console_users(id) ON DELETE CASCADE
alerts: PRIMARY KEY (id)
api_keys: FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE
api_keys: PRIMARY KEY (id)
api_keys: UNIQUE (hash)
approvals: FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE
approvals: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
approvals: PRIMARY KEY (id)
attempts: FOREIGN KEY (delivery_id) REFERENCES deliveries(id) ON DELETE CASCADE
attempts: PRIMARY KEY (delivery_id, number)
chat_expirations: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
chat_expirations: PRIMARY KEY (line_id, jid)
chat_groups: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
chat_groups: PRIMARY KEY (line_id, jid)
chats: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
chats: PRIMARY KEY (line_id, jid)
connect_links: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
connect_links: PRIMARY KEY (hash)
console_audit: PRIMARY KEY (seq)
console_challenges: PRIMARY KEY (challenge)
console_failures: PRIMARY KEY (subject)
console_passkeys: FOREIGN KEY (user_id) REFERENCES console_users(id) ON DELETE CASCADE
console_passkeys: PRIMARY KEY (id)
console_sessions: FOREIGN KEY (user_id) REFERENCES console_users(id) ON DELETE CASCADE
console_sessions: PRIMARY KEY (id)
console_sessions: UNIQUE (hash)
console_users: PRIMARY KEY (id)
console_users: UNIQUE (email)
contacts: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
contacts: PRIMARY KEY (line_id, jid)
data_keys: PRIMARY KEY (scope)
deliveries: FOREIGN KEY (event_seq) REFERENCES events(seq) ON DELETE CASCADE
deliveries: FOREIGN KEY (webhook_id) REFERENCES webhooks(id) ON DELETE CASCADE
deliveries: PRIMARY KEY (seq)
deliveries: UNIQUE (id)
event_wishes: FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE
event_wishes: PRIMARY KEY (account_id, mode)
events: PRIMARY KEY (seq)
events: UNIQUE (id)
history_parts: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
history_parts: PRIMARY KEY (seq)
idempotency: FOREIGN KEY (outbox_id) REFERENCES outbox(id) ON DELETE CASCADE
idempotency: PRIMARY KEY (scope, key)
inbox: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
inbox: PRIMARY KEY (seq)
kept_keys: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
kept_keys: PRIMARY KEY (line_id, kind, id)
line_keys: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
line_keys: PRIMARY KEY (line_id, kind, id)
line_leases: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
line_leases: PRIMARY KEY (line_id)
line_traffic: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
line_traffic: PRIMARY KEY (line_id, step, at)
lines: FOREIGN KEY (account_id) REFERENCES accounts(id)
lines: PRIMARY KEY (number)
lines: UNIQUE (id)
message_readers: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
message_readers: PRIMARY KEY (line_id, message_id, reader)
messages: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
messages: PRIMARY KEY (seq)
migrations: PRIMARY KEY (name)
nodes: PRIMARY KEY (id)
number_aliases: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
number_aliases: PRIMARY KEY (line_id, asked)
outbox: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
outbox: PRIMARY KEY (seq)
outbox: UNIQUE (id)
plans: PRIMARY KEY (name)
problems: FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE
problems: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
problems: PRIMARY KEY (account_id, mode, kind, subject)
rate_windows: PRIMARY KEY (bucket)
settings: PRIMARY KEY (name)
usage: FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE
usage: PRIMARY KEY (account_id, mode, metric, period_start)
webhook_traffic: FOREIGN KEY (webhook_id) REFERENCES webhooks(id) ON DELETE CASCADE
webhook_traffic: PRIMARY KEY (webhook_id, step, at)
webhooks: FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE
webhooks: FOREIGN KEY (line_id) REFERENCES lines(id) ON DELETE CASCADE
webhooks: PRIMARY KEY (id)
CREATE UNIQUE INDEX accounts_pkey ON accounts USING btree (id)
CREATE UNIQUE INDEX addresses_pkey ON addresses USING btree (line_id, lid)
CREATE INDEX addresses_pn ON addresses USING btree (line_id, pn)
CREATE UNIQUE INDEX alert_settings_pkey ON alert_settings USING btree (user_id)
CREATE INDEX alerts_due ON alerts USING btree (due_at, id)
CREATE UNIQUE INDEX alerts_pkey ON alerts USING btree (id)
CREATE INDEX alerts_user ON alerts USING btree (user_id)
CREATE INDEX api_keys_account ON api_keys USING btree (account_id, created_at)
CREATE UNIQUE INDEX api_keys_hash_key ON api_keys USING btree (hash)
CREATE UNIQUE INDEX api_keys_pkey ON api_keys USING btree (id)
CREATE INDEX approvals_age ON approvals USING btree (created_at)
CREATE INDEX approvals_line ON approvals USING btree (line_id)
CREATE INDEX approvals_newest ON approvals USING btree (account_id, mode, created_at)
CREATE UNIQUE INDEX approvals_pkey ON approvals USING btree (id)
CREATE UNIQUE INDEX approvals_repeat ON approvals USING btree (account_id, mode, repeat_key) WHERE (repeat_key IS NOT NULL)
CREATE INDEX approvals_unfinished ON approvals USING btree (decided_at) WHERE ((state = 'approved'::text) AND (outcome IS NULL))
CREATE UNIQUE INDEX attempts_pkey ON attempts USING btree (delivery_id, number)
CREATE UNIQUE INDEX chat_expirations_pkey ON chat_expirations USING btree (line_id, jid)
CREATE UNIQUE INDEX chat_groups_pkey ON chat_groups USING btree (line_id, jid)
CREATE INDEX chats_lid ON chats USING btree (line_id, lid) WHERE (lid IS NOT NULL)
CREATE INDEX chats_newest ON chats USING btree (line_id, COALESCE(last_message_at, (0)::bigint), jid)
CREATE UNIQUE INDEX chats_pkey ON chats USING btree (line_id, jid)
CREATE INDEX chats_pn ON chats USING btree (line_id, pn) WHERE (pn IS NOT NULL)
CREATE INDEX connect_links_expiry ON connect_links USING btree (expires_at)
CREATE INDEX connect_links_line ON connect_links USING btree (line_id)
CREATE UNIQUE INDEX connect_links_pkey ON connect_links USING btree (hash)
CREATE UNIQUE INDEX console_audit_pkey ON console_audit USING btree (seq)
CREATE INDEX console_challenges_expiry ON console_challenges USING btree (expires_at)
CREATE UNIQUE INDEX console_challenges_pkey ON console_challenges USING btree (challenge)
CREATE INDEX console_failures_age ON console_failures USING btree (last_at)
CREATE UNIQUE INDEX console_failures_pkey ON console_failures USING btree (subject)
CREATE UNIQUE INDEX console_passkeys_pkey ON console_passkeys USING btree (id)
CREATE INDEX console_passkeys_user ON console_passkeys USING btree (user_id, created_at)
CREATE INDEX console_sessions_expiry ON console_sessions USING btree (expires_at)
CREATE UNIQUE INDEX console_sessions_hash_key ON console_sessions USING btree (hash)
CREATE UNIQUE INDEX console_sessions_pkey ON console_sessions USING btree (id)
CREATE INDEX console_sessions_user ON console_sessions USING btree (user_id, created_at)
CREATE UNIQUE INDEX console_users_email_key ON console_users USING btree (email)
CREATE UNIQUE INDEX console_users_pkey ON console_users USING btree (id)
CREATE UNIQUE INDEX contacts_pkey ON contacts USING btree (line_id, jid)
CREATE INDEX contacts_pn ON contacts USING btree (line_id, pn) WHERE (pn IS NOT NULL)
CREATE UNIQUE INDEX data_keys_pkey ON data_keys USING btree (scope)
CREATE INDEX deliveries_dead ON deliveries USING btree (webhook_id, event_seq) WHERE (state = 'dead'::text)
CREATE INDEX deliveries_due ON deliveries USING btree (webhook_id, next_at, event_seq) WHERE (finished_at IS NULL)
CREATE INDEX deliveries_event ON deliveries USING btree (event_seq)
CREATE UNIQUE INDEX deliveries_id_key ON deliveries USING btree (id)
CREATE UNIQUE INDEX deliveries_log ON deliveries USING btree (webhook_id, event_seq)
CREATE UNIQUE INDEX deliveries_pkey ON deliveries USING btree (seq)
CREATE UNIQUE INDEX event_wishes_pkey ON event_wishes USING btree (account_id, mode)
CREATE INDEX events_account ON events USING btree (account_id, seq)
CREATE UNIQUE INDEX events_dedupe ON events USING btree (line_id, dedupe_key)
CREATE UNIQUE INDEX events_id_key ON events USING btree (id)
CREATE INDEX events_line ON events USING btree (line_id, seq)
CREATE UNIQUE INDEX events_pkey ON events USING btree (seq)
CREATE UNIQUE INDEX history_parts_identity ON history_parts USING btree (line_id, part_id)
CREATE UNIQUE INDEX history_parts_pkey ON history_parts USING btree (seq)
CREATE INDEX history_parts_waiting ON history_parts USING btree (line_id, seq) WHERE (failed IS NULL)
CREATE INDEX idempotency_expiry ON idempotency USING btree (expires_at)
CREATE INDEX idempotency_outbox ON idempotency USING btree (outbox_id)
CREATE UNIQUE INDEX idempotency_pkey ON idempotency USING btree (scope, key)
CREATE UNIQUE INDEX inbox_hash ON inbox USING btree (line_id, hash) WHERE (hash IS NOT NULL)
CREATE INDEX inbox_pending ON inbox USING btree (line_id, seq) WHERE (done = 0)
CREATE UNIQUE INDEX inbox_pkey ON inbox USING btree (seq)
CREATE UNIQUE INDEX kept_keys_pkey ON kept_keys USING btree (line_id, kind, id)
CREATE UNIQUE INDEX line_keys_pkey ON line_keys USING btree (line_id, kind, id)
CREATE INDEX line_leases_node ON line_leases USING btree (node_id)
CREATE UNIQUE INDEX line_leases_pkey ON line_leases USING btree (line_id)
CREATE INDEX line_traffic_age ON line_traffic USING btree (step, at)
CREATE UNIQUE INDEX line_traffic_pkey ON line_traffic USING btree (line_id, step, at)
CREATE INDEX lines_account ON lines USING btree (account_id, mode, number)
CREATE INDEX lines_credentials_kept ON lines USING btree (credentials_kept_until) WHERE (credentials_kept_until IS NOT NULL)
CREATE UNIQUE INDEX lines_customer_ref ON lines USING btree (account_id, mode, customer_ref) WHERE ((customer_ref IS NOT NULL) AND (deleted_at IS NULL))
CREATE UNIQUE INDEX lines_id_key ON lines USING btree (id)
CREATE UNIQUE INDEX lines_pkey ON lines USING btree (number)
CREATE INDEX message_readers_age ON message_readers USING btree (updated_at)
CREATE UNIQUE INDEX message_readers_pkey ON message_readers USING btree (line_id, message_id, reader)
CREATE INDEX messages_chat ON messages USING btree (line_id, chat_jid, "timestamp", seq)
CREATE UNIQUE INDEX messages_identity ON messages USING btree (line_id, message_id, chat_jid, sender_jid)
CREATE UNIQUE INDEX messages_pkey ON messages USING btree (seq)
CREATE INDEX messages_search ON messages USING gin (((to_tsvector('simple'::regconfig, search) || array_to_tsvector(ARRAY[line_id])))) WHERE (search <> ''::text)
CREATE UNIQUE INDEX migrations_pkey ON migrations USING btree (name)
CREATE UNIQUE INDEX nodes_pkey ON nodes USING btree (id)
CREATE UNIQUE INDEX number_aliases_pkey ON number_aliases USING btree (line_id, asked)
CREATE INDEX outbox_archive ON outbox USING btree (line_id, seq) WHERE (archive_after IS NOT NULL)
CREATE UNIQUE INDEX outbox_id_key ON outbox USING btree (id)
CREATE UNIQUE INDEX outbox_message ON outbox USING btree (line_id, message_id)
CREATE UNIQUE INDEX outbox_pkey ON outbox USING btree (seq)
CREATE INDEX outbox_scheduled ON outbox USING btree (line_id, send_at) WHERE ((finished_at IS NULL) AND (send_at IS NOT NULL))
CREATE INDEX outbox_unconfirmed ON outbox USING btree (line_id, seq) WHERE ((unconfirmed_at IS NOT NULL) AND (finished_at IS NULL))
CREATE INDEX outbox_waiting ON outbox USING btree (line_id, seq) WHERE (finished_at IS NULL)
CREATE UNIQUE INDEX plans_pkey ON plans USING btree (name)
CREATE INDEX problems_line ON problems USING btree (line_id)
CREATE UNIQUE INDEX problems_pkey ON problems USING btree (account_id, mode, kind, subject)
CREATE UNIQUE INDEX rate_windows_pkey ON rate_windows USING btree (bucket)
CREATE UNIQUE INDEX settings_pkey ON settings USING btree (name)
CREATE UNIQUE INDEX usage_pkey ON usage USING btree (account_id, mode, metric, period_start)
CREATE INDEX webhook_traffic_age ON webhook_traffic USING btree (step, at)
CREATE UNIQUE INDEX webhook_traffic_pkey ON webhook_traffic USING btree (webhook_id, step, at)
CREATE INDEX webhooks_account ON webhooks USING btree (account_id, mode, created_at)
CREATE INDEX webhooks_line ON webhooks USING btree (line_id) WHERE (line_id IS NOT NULL)
CREATE UNIQUE INDEX webhooks_pkey ON webhooks USING btree (id)
CREATE TRIGGER events_under_way BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION events_under_way()
