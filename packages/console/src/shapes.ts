import type { operations } from './generated/api.ts';

/*
 * What the API answers, by the names that pages use. The types are the server's own schemas:
 * generated/api.ts is made from the document of what the console calls (scripts/sdk-types.mjs).
 */
type Content<R> = R extends { content: { 'application/json': infer T } } ? T : never;

/** The answer of a call that went well. */
export type Answer<K extends keyof operations> = {
  [S in keyof operations[K]['responses']]: S extends 200 | 201 | 202 ? Content<operations[K]['responses'][S]> : never;
}[keyof operations[K]['responses']];

export type State = Answer<'consoleState'>;
export type Role = NonNullable<State['user']>['role'];
export type WhatsappVersion = NonNullable<State['whatsapp_version']>;
export type User = Answer<'listUsers'>['users'][number];
export type Session = Answer<'listSessions'>['sessions'][number];
export type Passkey = Answer<'listPasskeys'>['passkeys'][number];
export type AuditEntry = Answer<'readAudit'>['entries'][number];

export type Key = Answer<'listKeys'>['keys'][number];
export type MadeKey = Answer<'createKey'>;
export type Usage = Answer<'usage'>;
export type Approval = Answer<'listApprovals'>['approvals'][number];

export type Line = Answer<'listLines'>['lines'][number];
export type LineStatus = Line['status'];
export type LineProcess = Answer<'lineProcess'>;
export type LineStats = Answer<'lineStats'>;
export type TimelineEvent = Answer<'lineTimeline'>['events'][number];
/** How a line does, as the list of lines shows it. */
export type LineActivity = Answer<'lineActivity'>['lines'][number];
export type Queue = Answer<'lineQueue'>;
export type QueueItem = Queue['items'][number];
/** What happened in one hour or day. */
export type TrafficPoint = Answer<'usageSeries'>['points'][number];

export type Chat = Answer<'listChats'>['chats'][number];
export type ListedMessage = Answer<'listMessages'>['messages'][number];
/** What the kind of a message adds; one member. Those of files are shown by the file itself. */
export type MessageContent = NonNullable<ListedMessage['content']>;

/** Webhooks of both formats, and the names that a person can choose from. */
export type Endpoints = Answer<'listEndpoints'>;
/** `format` is absent where only one webhook is asked for. */
export type Webhook = Omit<Endpoints['webhooks'][number], 'format' | 'failing_since'> &
  Partial<Pick<Endpoints['webhooks'][number], 'format'>>;
export type TestedWebhook = Answer<'testWebhook'>;
export type Delivery = Answer<'listDeliveries'>['deliveries'][number];
export type Attempt = NonNullable<Delivery['last_attempt']>;
export const DELIVERY_STATES = [
  'pending',
  'delivered',
  'dead',
  'expired',
  'skipped',
] as const satisfies readonly Delivery['status'][];

export type Phone = Answer<'sandboxListPhones'>[number];
/** What a message has beside its text depends on its type, which the document leaves open. */
export type InboxItem = Answer<'sandboxInbox'>[number] & {
  error_code?: number;
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
};
export type PhoneCall = Answer<'sandboxCalls'>[number];
