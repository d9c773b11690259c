import type { Generated } from 'kysely';
import type { ContentsState } from '../../core/contents.ts';

/**
 * The tables. One definition for SQLite and PostgreSQL: times are Unix milliseconds (bigint),
 * booleans 0/1, JSON is text, bytes are blob/bytea. `sealed` columns hold AES-256-GCM records (see
 * crypto/sealed-box.ts), bound to table, column and row.
 */
export interface Database {
  settings: SettingsTable;
  data_keys: DataKeysTable;
  accounts: AccountsTable;
  api_keys: ApiKeysTable;
  lines: LinesTable;
  line_leases: LineLeasesTable;
  nodes: NodesTable;
  rate_windows: RateWindowsTable;
  line_keys: LineKeysTable;
  kept_keys: LineKeysTable;
  inbox: InboxTable;
  outbox: OutboxTable;
  idempotency: IdempotencyTable;
  events: EventsTable;
  event_wishes: EventWishesTable;
  messages: MessagesTable;
  chats: ChatsTable;
  chat_expirations: ChatExpirationsTable;
  contacts: ContactsTable;
  chat_groups: ChatGroupsTable;
  addresses: AddressesTable;
  number_aliases: NumberAliasesTable;
  message_readers: MessageReadersTable;
  history_parts: HistoryPartsTable;
  webhooks: WebhooksTable;
  deliveries: DeliveriesTable;
  attempts: AttemptsTable;
  plans: PlansTable;
  usage: UsageTable;
  connect_links: ConnectLinksTable;
  console_users: ConsoleUsersTable;
  console_sessions: ConsoleSessionsTable;
  console_audit: ConsoleAuditTable;
  console_failures: ConsoleFailuresTable;
  console_passkeys: ConsolePasskeysTable;
  console_challenges: ConsoleChallengesTable;
  line_traffic: LineTrafficTable;
  webhook_traffic: WebhookTrafficTable;
  approvals: ApprovalsTable;
  problems: ProblemsTable;
  alert_settings: AlertSettingsTable;
  alerts: AlertsTable;
}

/** What keys with `approval` asked for. */
export interface ApprovalsTable {
  id: string;
  account_id: string;
  mode: 'live' | 'test';
  line_id: string;
  key_id: string;
  key_name: string;
  operation: string;
  /** JSON of the arguments as they were given. */
  shown: string;
  command: string;
  /** JSON of the command's input. */
  input: string;
  repeat_key: string | null;
  fingerprint: string;
  state: 'pending' | 'approved' | 'denied';
  created_at: number;
  expires_at: number;
  decided_at: number | null;
  /** The e-mail address at the time. */
  decided_by: string | null;
  /** JSON; null while it has not ended. */
  outcome: string | null;
  /** When people were alerted of it; null: not yet. */
  alerted_at: number | null;
}

/** Where a person is told of problems; no row: nowhere. */
export interface AlertSettingsTable {
  user_id: string;
  email: number;
  /** Where alerts are posted; null = nowhere. */
  url: string | null;
  /** Sealed; what those posts are signed with. */
  secret: Buffer | null;
  /** 1: alerts say what messages that wait for a yes contain. */
  texts: number;
  changed_at: number;
}

/** Alerts on their way: one row for each person and channel. */
export interface AlertsTable {
  id: string;
  user_id: string;
  channel: 'email' | 'webhook';
  /** JSON; never a text of a message. */
  facts: string;
  attempts: number;
  due_at: number;
  created_at: number;
}

export interface ProblemsTable {
  account_id: string;
  mode: 'live' | 'test';
  kind: 'line_down' | 'queue_stuck' | 'webhook_failing' | 'disk_low' | 'clock_off';
  /** The id of the line or webhook; `machine`. */
  subject: string;
  line_id: string | null;
  reason: string | null;
  since: number;
  /** Null: it may still mend itself. */
  told_at: number | null;
}

/** Facts of the installation: `key_check` proves the master key, `schema` is Kysely's own table. */
export interface SettingsTable {
  name: string;
  value: string;
}

/** Data keys, wrapped by the master key. One per line and one for everything else. */
export interface DataKeysTable {
  /** `line_…` or `system`. */
  scope: string;
  master_key_id: string;
  wrapped: Buffer;
  created_at: number;
}

export interface AccountsTable {
  id: string;
  name: string;
  plan: string;
  /** `active` or why not. */
  subscription: string;
  created_at: number;
  /**
   * Unix milliseconds of the start of some billing cycle: cycles begin on its day and time of every
   * month. Null: with the calendar month, UTC.
   */
  cycle_anchor: Generated<number | null>;
  /** How what people say lies in the database (store/db/contents.ts). */
  contents: Generated<ContentsState>;
  /** Since when (Unix milliseconds). */
  contents_since: Generated<number>;
}

export interface ApiKeysTable {
  id: string;
  account_id: string;
  name: string;
  mode: 'live' | 'test';
  /** HMAC-SHA-256 of the key. */
  hash: Buffer;
  /** What may be shown: `wzb_test_Ab12…`. */
  prefix: string;
  /** JSON array. */
  scopes: string;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
  /** `required`: what it sends waits for a person's yes. */
  approval: Generated<'none' | 'required'>;
  /** JSON array of line ids that it is for; null = every line. */
  lines: Generated<string | null>;
  /** JSON array of networks that it may come from; null = anywhere. */
  networks: Generated<string | null>;
}

export interface LinesTable {
  /** The Bridges API's integer id. */
  number: Generated<number>;
  id: string;
  account_id: string;
  mode: 'live' | 'test';
  customer_ref: string | null;
  label: string | null;
  status: string;
  status_reason: string | null;
  /** Unix milliseconds of the told end of what `status_reason` says. */
  status_until: Generated<number | null>;
  /** WhatsApp's own code behind `status_reason`. */
  status_code: Generated<number | null>;
  phone: string | null;
  jid: string | null;
  lid: string | null;
  name: string | null;
  created_at: number;
  connected_at: number | null;
  /** Set while a deletion is under way: the line is gone for callers, its rows follow. */
  deleted_at: number | null;
  /** 1: the phone changed settings, and what is noted of them here may lag behind. */
  settings_stale: Generated<number>;
  /** JSON of the line's own pacing (core/pacing.ts); null = the default of its mode. */
  pacing: Generated<string | null>;
  /** JSON of what WhatsApp limits the account in (store/restrictions.ts); null = nothing. */
  restrictions: Generated<string | null>;
  /** Until when `kept_keys` of the line can be restored (Unix milliseconds). */
  credentials_kept_until: Generated<number | null>;
}

/** Of `line_keys`, and of `kept_keys`: credentials that the phone logged out. */
export interface LineKeysTable {
  line_id: string;
  kind: string;
  id: string;
  /** sealed */
  value: Buffer;
}

export interface InboxTable {
  seq: Generated<number>;
  line_id: string;
  kind: 'sealed' | 'stanza';
  /**
   * Hex hash of the ciphertext, kept as a tombstone after processing; a drawn name for unencrypted
   * stanzas.
   */
  hash: string | null;
  tag: string;
  enc_index: number;
  /** sealed; null once processed */
  stanza: Buffer | null;
  /** sealed; null once processed, or for unencrypted stanzas */
  plaintext: Buffer | null;
  failure: string | null;
  done: number;
  created_at: number;
}

export interface OutboxTable {
  seq: Generated<number>;
  id: string;
  account_id: string;
  line_id: string;
  message_id: string;
  to_jid: string;
  /** JSON of OutboundContent. */
  content: string;
  state: 'accepted' | 'prepared' | 'sending' | 'sent' | 'failed';
  /** Encoded protobuf; null until prepared. */
  proto: Buffer | null;
  /** JSON of the rest of `Prepared`; null until prepared. */
  prepared: string | null;
  accepted_at: number;
  /** Unix seconds of WhatsApp's acknowledgement. */
  ack_timestamp: number | null;
  /** AppError code, and JSON of its details, when failed. */
  error_code: string | null;
  error_details: string | null;
  finished_at: number | null;
  /** Lower leaves first: 0 high, 1 normal, 2 bulk. */
  rank: Generated<number>;
  /** Not before this time (Unix milliseconds); null = as soon as its turn comes. */
  send_at: Generated<number | null>;
  /** When it was first made ready to leave (Unix milliseconds). */
  sending_at: Generated<number | null>;
  /**
   * Since when the chat is to go (back) to the archive after this message (Unix milliseconds); null
   * = not, or done.
   */
  archive_after: Generated<number | null>;
  /**
   * Since when WhatsApp's acknowledgement is no longer expected although the message may have left
   * (Unix milliseconds); null = it is still on its way, or never was.
   */
  unconfirmed_at: Generated<number | null>;
}

export interface IdempotencyTable {
  /** account id and mode. */
  scope: string;
  key: string;
  /** SHA-256 over method, path and canonical body. */
  fingerprint: string;
  outbox_id: string | null;
  /** The answer, once given. */
  status: number | null;
  body: string | null;
  created_at: number;
  expires_at: number;
}

export interface EventsTable {
  seq: Generated<number>;
  id: string;
  account_id: string;
  line_id: string;
  type: string;
  dedupe_key: string;
  chat: string | null;
  /** JSON */
  payload: string;
  created_at: number;
}

/**
 * Streams that want live facts (typing) of an account's lines; without one, and without a webhook,
 * they are not kept.
 */
export interface EventWishesTable {
  account_id: string;
  mode: 'live' | 'test';
  /** Unix milliseconds. */
  until: number;
}

export interface MessagesTable {
  seq: Generated<number>;
  line_id: string;
  message_id: string;
  /** The chat's canonical JID (LID when known). */
  chat_jid: string;
  sender_jid: string;
  from_me: number;
  kind: string;
  body: string;
  /** JSON of MessageFacts. */
  facts: string;
  proto: Buffer | null;
  status: string;
  timestamp: number;
  created_at: number;
  /** The words of `body` (core/search-text.ts), which both databases index. */
  search: Generated<string>;
}

export interface ChatsTable {
  line_id: string;
  jid: string;
  pn: string | null;
  lid: string | null;
  name: string | null;
  is_group: number;
  archived: number;
  unread_count: number;
  last_message_id: string | null;
  last_message_at: number | null;
  updated_at: number;
}

/** How long messages of private chats stay, by every address of the chat. */
export interface ChatExpirationsTable {
  line_id: string;
  jid: string;
  /** 0 = for good. */
  seconds: number;
  /** When it was set (Unix seconds, WhatsApp's clock). */
  set_at: number;
}

export interface ContactsTable {
  line_id: string;
  jid: string;
  pn: string | null;
  lid: string | null;
  name: string | null;
  push_name: string | null;
  is_business: Generated<number>;
  /** The handle the person chose, without the @; null when WhatsApp never reported one. */
  username: Generated<string | null>;
  updated_at: number;
}

/** Which number belongs to which LID, as far as WhatsApp disclosed it to a line. */
export interface AddressesTable {
  line_id: string;
  lid: string;
  pn: string;
}

/** Numbers that WhatsApp has under other digits than people write; both are JIDs. */
export interface NumberAliasesTable {
  line_id: string;
  asked: string;
  pn: string;
}

/**
 * How far a message of ours came with one member of a group. Times: Unix seconds of WhatsApp's
 * clock; `updated_at`: Unix milliseconds.
 */
export interface MessageReadersTable {
  line_id: string;
  message_id: string;
  /** The LID when it is known. */
  reader: string;
  delivered_at: number | null;
  read_at: number | null;
  played_at: number | null;
  updated_at: number;
}

/** What groups are called. `subject_at`: Unix seconds of WhatsApp's clock, 0 = not known. */
export interface ChatGroupsTable {
  line_id: string;
  jid: string;
  subject: string;
  subject_at: number;
  updated_at: number;
}

/** Parts of the past that a phone offered and that are not read yet. */
export interface HistoryPartsTable {
  seq: Generated<number>;
  line_id: string;
  /** The message that offered it. */
  part_id: string;
  kind: string;
  /** sealed */
  part: Buffer;
  /** Tries that failed. */
  failures: Generated<number>;
  /** Why it is not tried again; null while it waits. */
  failed: string | null;
  created_at: number;
}

export interface WebhooksTable {
  id: string;
  account_id: string;
  mode: 'live' | 'test';
  /** Null: every line of the account. */
  line_id: string | null;
  url: string;
  /** sealed */
  secret: Buffer;
  /** sealed; the secret before a rotation, signed with until `previous_secret_until`. */
  previous_secret: Buffer | null;
  previous_secret_until: number | null;
  /** JSON array of event names in the format's words; `["*"]` = all. */
  events: string;
  /**
   * JSON array: what those names stand for in the journal's words (webhooks/format.ts); fan-out
   * reads only this.
   */
  selectors: string;
  /** JSON of WebhookFilters; null = no filter. */
  filters: string | null;
  /** sealed JSON object of the owner's own headers; null = none. */
  headers: Buffer | null;
  format: 'bridges' | 'lines';
  description: string | null;
  /** 1: Bridges bodies carry more than the published members. */
  details: Generated<number>;
  /** 1: one delivery at a time, in order, the next one only after the last one ended. */
  strict_order: number;
  status: 'enabled' | 'disabled';
  disabled_reason: string | null;
  disabled_at: number | null;
  created_at: number;
  /** First and last failed attempt of the present run of failures; null while healthy. */
  failing_since: number | null;
  last_failure_at: number | null;
  /**
   * The dispatcher that delivers to this webhook, and until when; one at a time, so that order and
   * concurrency hold on several nodes.
   */
  lane_owner: string | null;
  lane_until: number;
}

export interface DeliveriesTable {
  seq: Generated<number>;
  id: string;
  account_id: string;
  webhook_id: string;
  event_seq: number;
  /** Deliveries of one webhook with the same key keep their order. */
  order_key: string | null;
  /** `skipped`: the format has nothing to say about this event. */
  state: 'pending' | 'delivered' | 'dead' | 'expired' | 'skipped';
  /** Attempts made, ever. */
  attempts: number;
  /**
   * Failed attempts that count for the retry schedule: its next wait is the `step`-th. A replay
   * starts again at 0.
   */
  step: number;
  /**
   * Times this delivery was tried early because its webhook had recovered; such an attempt costs no
   * step.
   */
  pulls: number;
  /** Due time of the next attempt; 0 = at once, in the order of `seq`. */
  next_at: number;
  expires_at: number | null;
  created_at: number;
  finished_at: number | null;
  /** The attempt that delivered (webhooks/delivering-attempt.ts), until it is sent again. */
  delivered: Generated<string | null>;
}

/** Attempts that failed; before migration 035 those that delivered as well. */
export interface AttemptsTable {
  delivery_id: string;
  number: number;
  at: number;
  duration_ms: number;
  status_code: number | null;
  error_class: string | null;
  response_excerpt: string | null;
}

/** A person who may sign in to the console. */
export interface ConsoleUsersTable {
  id: string;
  /** Lower case. */
  email: string;
  name: string;
  role: 'owner' | 'developer' | 'viewer';
  /** Argon2id, in its own text form. */
  password: string;
  created_at: number;
  disabled_at: number | null;
  signed_in_at: number | null;
}

export interface ConsoleSessionsTable {
  id: string;
  /** HMAC-SHA-256 of the cookie's value. */
  hash: Buffer;
  user_id: string;
  address: string;
  user_agent: string;
  created_at: number;
  /** Last request, to the minute; a session that is idle for too long is over. */
  seen_at: number;
  expires_at: number;
}

/** Who did what through the console. Only ever appended to. */
export interface ConsoleAuditTable {
  seq: Generated<number>;
  at: number;
  user_id: string | null;
  /** The e-mail address at the time, also of an attempt to sign in that failed. */
  actor: string;
  action: string;
  target: string;
  mode: 'live' | 'test' | null;
  /** `ok`, or how it was refused (`403`, `wrong_password`, …). */
  outcome: string;
  address: string;
  request_id: string;
  /** Seals this entry and all before it; null: it was made before there was a chain. */
  link: Generated<string | null>;
}

/** Sign-ins that failed, by account (`email:…`) and by address (`ip:…`). */
export interface ConsoleFailuresTable {
  subject: string;
  failures: number;
  last_at: number;
  blocked_until: number;
}

/** A passkey that replaces a user's password. */
export interface ConsolePasskeysTable {
  /** The credential's id, base64url. */
  id: string;
  user_id: string;
  name: string;
  /** The host name it was made for; it works there only. */
  host: string;
  /** COSE key. */
  public_key: Buffer;
  /** Of signatures; 0 for authenticators that do not count. */
  counter: number;
  /** JSON array. */
  transports: string;
  created_at: number;
  used_at: number | null;
}

/** A challenge that waits for its answer. */
export interface ConsoleChallengesTable {
  challenge: string;
  /** Who adds a passkey; null = a sign-in. */
  user_id: string | null;
  expires_at: number;
}

/** Limits by name. Null = unlimited; an account whose plan is not here has no limits. */
export interface PlansTable {
  name: string;
  sent_messages: number | null;
  webhook_events: number | null;
  lines: number | null;
  updated_at: number;
}

/**
 * What an account used in one billing cycle, kept up in the transactions that use it. Lines are
 * counted from their rows.
 */
export interface UsageTable {
  account_id: string;
  mode: 'live' | 'test';
  metric: 'sent_messages' | 'webhook_events';
  /** Unix milliseconds. */
  period_start: number;
  used: number;
}

/** Hosted pairing pages that were handed out. */
export interface ConnectLinksTable {
  /** SHA-256 of the token in the link. */
  hash: Buffer;
  line_id: string;
  created_at: number;
  expires_at: number;
  /** The line was paired through it: the link is worth nothing any more. */
  used_at: number | null;
  /** SHA-256 of the secret kept by the first browser that used the link; null: not used yet. */
  visitor: Buffer | null;
  /** JSON of `ConnectPage`; null: nothing was said. */
  page: string | null;
}

/**
 * What a line carried in one step of time (store/lines/traffic.ts), kept up in the transactions
 * that carry it.
 */
export interface LineTrafficTable {
  line_id: string;
  /** Length of the step in milliseconds: an hour or a day, UTC. */
  step: number;
  /** Its begin, Unix milliseconds. */
  at: number;
  received: number;
  /** Messages of ours that WhatsApp acknowledged. */
  sent: number;
  failed: number;
  /** Sum over `sent`: from when it could leave to WhatsApp's acknowledgement. */
  send_ms: number;
  slowest_send_ms: number;
}

/** What a webhook was told in one step of time. `failed` counts attempts. */
export interface WebhookTrafficTable {
  webhook_id: string;
  step: number;
  at: number;
  delivered: number;
  failed: number;
  /** Sum over all attempts. */
  answer_ms: number;
  slowest_answer_ms: number;
}

/**
 * Who runs a line (store/fleet/leases.ts). Rows are made by a fleet only; times are the database
 * server's.
 */
export interface LineLeasesTable {
  line_id: string;
  /** Null: no node owns the line. */
  node_id: string | null;
  /** Grows by one each time the line is taken; every write for the line is checked against it. */
  epoch: number;
  /** Unix milliseconds; 0 when it was given back. */
  expires_at: number;
  /** When the present owner took it; null: by a version that did not say. */
  taken_at: number | null;
}

/** The nodes of a fleet (store/fleet/nodes.ts); times are the database server's. */
export interface NodesTable {
  /** Drawn at each start of a process. */
  id: string;
  /** What its operator calls it. */
  name: string;
  version: string;
  /** Its share of the lines, relative to the others'. */
  weight: number;
  is_draining: number;
  lines: number;
  started_at: number;
  expires_at: number;
  /** By which master key it was started (access/master-keys.ts). */
  master_key_id: string | null;
}

/**
 * Places that were taken in budgets of a fleet (store/access/rate-windows.ts); lists of PostgreSQL.
 */
export interface RateWindowsTable {
  bucket: string;
  /** When, oldest first, by the database server's clock. */
  ats: string;
  /** How many at each of these times. */
  ns: string;
  /** By the newest request. */
  granted: number;
  touched_at: number;
}
