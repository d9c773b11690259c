/** What the API answers, as far as pages show it. */
export type Role = 'owner' | 'developer' | 'viewer';
export type LineStatus = 'unpaired' | 'pairing' | 'connecting' | 'connected' | 'disconnected' | 'logged_out';

/** The version of WhatsApp Web that live lines announce. */
export interface WhatsappVersion {
  version: string;
  source: 'operator' | 'environment' | 'whatsapp' | 'built_in';
  fetched_at: string | null;
  expires_at: string | null;
  problem: string | null;
}

export interface State {
  set_up: boolean;
  insecure: boolean;
  version: string;
  sandbox: boolean;
  whatsapp_version: WhatsappVersion | null;
  user: { id: string; email: string; name: string; role: Role } | null;
}

export interface Line {
  line_id: string;
  label: string | null;
  status: LineStatus;
  phone: string | null;
  name: string | null;
  mode: 'live' | 'test';
  customer_ref: string | null;
  created_at: string;
  connected_at: string | null;
  status_reason: string | null;
  status_until: string | null;
  status_remedy: string | null;
  credentials_kept_until: string | null;
}

export interface LineProcess {
  state: string;
  health: string;
  started_at: string | null;
  fail_count: number;
  worker: string | null;
  webhook_url: string | null;
}

export interface LineStats {
  worker: string;
  lines_in_worker: number;
  heap_used_bytes: number;
  rss_bytes: number;
  event_loop_lag_ms: number;
}

export interface TimelineEvent {
  id: string;
  seq: number;
  type: string;
  chat: string | null;
  payload: Record<string, unknown>;
  created_at: string;
}

export interface Key {
  id: string;
  name: string;
  prefix: string;
  mode: 'live' | 'test';
  scopes: string[];
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
  approval: 'none' | 'required';
  /** The lines it is for; null = every one. */
  line_ids: string[] | null;
  /** Where it may come from; null = anywhere. */
  networks: string[] | null;
}

/** A send that waits for a person, and what became of it. */
export interface Approval {
  approval_id: string;
  line_id: string;
  operation: string;
  request: Record<string, unknown>;
  status: 'pending' | 'approved' | 'sent' | 'queued' | 'failed' | 'denied' | 'expired';
  asked_by: string;
  created_at: string;
  expires_at: string;
  decided_at: string | null;
  decided_by: string | null;
  error: { code: string; message: string } | null;
}

export interface MadeKey {
  id: string;
  key: string;
  prefix: string;
}

export interface Webhook {
  id: string;
  /** Absent where only one webhook is asked for. */
  format?: 'bridges' | 'lines';
  url: string;
  events: string[];
  line_id: string | null;
  description: string | null;
  status: 'enabled' | 'disabled';
  disabled_reason: string | null;
  created_at: string;
  filters: { chats: string[] | null; direction: 'in' | 'out' | null; types: string[] | null } | null;
  strict_order: boolean;
  rotating_until: string | null;
}

/** Webhooks of both formats, and the names that a person can choose from. */
export interface Endpoints {
  webhooks: (Webhook & { format: 'bridges' | 'lines'; failing_since: string | null })[];
  names: Record<'bridges' | 'lines', string[]>;
  types: string[];
}

export interface TestedWebhook {
  ok: boolean;
  status_code: number | null;
  duration_ms: number;
  response_excerpt: string | null;
  error?: string;
}

export interface Usage {
  period: { start: string; end: string };
  plan: string;
  metrics: Record<'sent_messages' | 'webhook_events' | 'lines', { used: number; limit: number | null }>;
}

export interface User {
  id: string;
  email: string;
  name: string;
  role: Role;
  created_at: string;
  signed_in_at: string | null;
  disabled: boolean;
}

export interface Session {
  id: string;
  address: string;
  user_agent: string;
  created_at: string;
  seen_at: string;
  current: boolean;
}

export interface AuditEntry {
  seq: number;
  at: string;
  actor: string;
  action: string;
  target: string;
  mode: 'live' | 'test' | null;
  outcome: string;
  address: string;
}

export interface Phone {
  phone: string;
  jid: string;
  lid: string;
  name: string;
  settings?: { auto_receipts: 'none' | 'delivered' | 'read'; online: boolean; reply_echo: boolean };
}

export interface InboxItem {
  message_id: string;
  cursor: number;
  chat: string;
  from: string;
  from_me: boolean;
  timestamp: number;
  type: string;
  body?: string;
  status: string;
  error_code?: number;
  revoked: boolean;
  edited: boolean;
  reactions: { from: string; emoji: string }[];
  copies: number;
  /** Polls. */
  options?: string[];
  max_answers?: number;
  votes?: { from: string; options: string[] }[];
  /** Invitations. */
  start_time?: number;
  canceled?: boolean;
  responses?: { from: string; response: string }[];
  location?: string;
  /** Files. */
  mime_type?: string;
  size?: number;
  filename?: string;
  /** Places. */
  lat?: number;
  lng?: number;
  name?: string;
}

export interface PhoneCall {
  call_id: string;
  incoming: boolean;
  video: boolean;
  state: 'ringing' | 'accepted' | 'rejected' | 'ended';
  reason?: string;
}

export interface Chat {
  jid: string;
  phone: string | null;
  name: string | null;
  is_group: boolean;
  archived: boolean;
  unread_count: number;
  last_message: {
    id: string;
    body: string;
    type: string;
    from_me: boolean;
    timestamp: number;
    revoked: boolean;
  } | null;
}

export interface ListedMessage {
  message_id: string;
  jid: string;
  from: string;
  from_me: boolean;
  type: string;
  body: string;
  media: { mime_type: string; size: number | null; filename: string | null; url: string | null } | null;
  quoted_message_id: string | null;
  status: 'pending' | 'sent' | 'delivered' | 'read' | 'played' | 'failed';
  timestamp: number;
  name: string;
  content: MessageContent | null;
  forwarded: boolean;
  view_once: boolean;
  expires_in_seconds: number | null;
  edited: boolean;
  revoked: boolean;
}

/** What the kind of a message adds; one member. Those of files are shown by the file itself. */
export interface MessageContent {
  location?: { lat: number; lng: number; name: string | null; address: string | null; live: boolean };
  contacts?: { name: string; phones: string[]; vcard: string }[];
  poll?: { question: string; options: string[]; max_answers: number };
  event?: {
    name: string;
    start_time: number;
    end_time: number | null;
    description: string | null;
    location: string | null;
    address: string | null;
    join_link: string | null;
    canceled: boolean;
  };
  sticker?: { animated: boolean };
  link_preview?: { url: string; title: string | null; description: string | null };
}

export const DELIVERY_STATES = ['pending', 'delivered', 'dead', 'expired', 'skipped'] as const;

export interface Attempt {
  number: number;
  at: string;
  duration_ms: number;
  status_code: number | null;
  error: string | null;
  response_excerpt: string | null;
}

export interface Delivery {
  id: string;
  event: { id: string; type: string; line_id: string; created_at: string } | null;
  status: (typeof DELIVERY_STATES)[number];
  attempts: number;
  next_attempt_at: string | null;
  created_at: string;
  finished_at: string | null;
  last_attempt: Attempt | null;
}

export interface Queue {
  depth: number;
  scheduled: number;
  in_flight: number;
  next_send_at: string | null;
  pacing: { min_gap_ms: number; max_gap_ms: number; burst: number } | null;
  items: QueueItem[];
}

export interface QueueItem {
  message_id: string;
  to: string;
  type: string;
  priority: 'high' | 'normal' | 'bulk';
  state: 'queued' | 'scheduled' | 'sending';
  accepted_at: string;
  send_at: string | null;
}

/** What happened in one hour or day. */
export interface TrafficPoint {
  at: string;
  messages: { received: number; sent: number; failed: number };
  send_ms: { average: number | null; slowest: number | null };
  deliveries: { delivered: number; failed_attempts: number };
  answer_ms: { average: number | null; slowest: number | null };
}

/** How a line does, as the list of lines shows it. */
export interface LineActivity {
  line_id: string;
  state: string;
  health: 'healthy' | 'degraded' | 'unhealthy';
  waiting: number;
  received: number;
  sent: number;
  failed: number;
  /** Received and sent by hour of the last day, oldest first; empty when there were none. */
  hours: number[];
}

export interface Passkey {
  id: string;
  name: string;
  host: string;
  created_at: string;
  used_at: string | null;
}
