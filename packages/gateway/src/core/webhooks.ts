import type { Jid, MessageKind } from '@ponte/engine';
import type { Mode } from './lines.ts';

/**
 * Narrows a webhook's events further. Every given condition must hold; one that says nothing about
 * an event lets it pass.
 */
export interface WebhookFilters {
  /** Only events of these chats, by JID (phone-number or LID form). Events without a chat pass. */
  chats?: Jid[];
  /**
   * `in`: written by others, `out`: written by this account. Events without an author (status,
   * calls) pass.
   */
  direction?: 'in' | 'out';
  /** Only messages of these kinds. Events that carry no message pass. */
  kinds?: MessageKind[];
}

/** A webhook as its owner sees it: never its secret, never the values of its headers. */
export interface Webhook {
  id: string;
  accountId: string;
  mode: Mode;
  /** Null: every line of the account in this mode. */
  lineId: string | null;
  url: string;
  /** Names in the format's words; `*` stands for all. */
  events: string[];
  filters: WebhookFilters | null;
  format: 'bridges' | 'lines';
  description: string | null;
  /** One delivery at a time, in order; a failing one holds back the rest. */
  strictOrder: boolean;
  /** Bridges bodies carry more than the published members. */
  hasDetails: boolean;
  status: 'enabled' | 'disabled';
  /** `failing` (for five days on end), `gone` (answered 410), or what its owner gave. */
  disabledReason: string | null;
  disabledAt: number | null;
  createdAt: number;
  /** Start of the present run of failures; null while healthy. */
  failingSince: number | null;
  /** While a rotation is under way: until when deliveries carry the old signature too. */
  rotatingUntil: number | null;
}

export type DeliveryState = 'pending' | 'delivered' | 'dead' | 'expired' | 'skipped';
