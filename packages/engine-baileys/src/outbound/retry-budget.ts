/** So many at once, and so many a minute after that, in one chat (whatsapp-rust #871). */
const BURST = 20;
const PER_MINUTE = 10;
const CHATS_MAX = 2_000;
/**
 * Older messages are not sent again: after a long outage they would all come back (evolution-api
 * #2707).
 */
const MAX_AGE_SECONDS = 14 * 24 * 60 * 60;
const STATUS_MAX_AGE_SECONDS = 24 * 60 * 60;

interface Bucket {
  left: number;
  at: number;
}

/**
 * How often messages of ours are sent again because a recipient could not read them. Without a
 * bound, a chat that moved to another address asks for all of its past at once, and the account
 * that answers is locked.
 */
export class RetryBudget {
  readonly #nowMs: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** False when the message is too old (`sentAt` in Unix seconds), or the chat asked too often. */
  take(chat: string, sentAt: number | undefined, isStatus: boolean): boolean {
    const now = this.#nowMs();
    const maxAge = isStatus ? STATUS_MAX_AGE_SECONDS : MAX_AGE_SECONDS;
    if (sentAt !== undefined && now / 1_000 - sentAt > maxAge) return false;
    const known = this.#buckets.get(chat) ?? { left: BURST, at: now };
    const left = Math.min(BURST, known.left + ((now - known.at) / 60_000) * PER_MINUTE);
    this.#buckets.delete(chat);
    this.#buckets.set(chat, { left: Math.max(0, left - 1), at: now });
    const oldest = this.#buckets.size > CHATS_MAX ? this.#buckets.keys().next().value : undefined;
    if (oldest !== undefined) this.#buckets.delete(oldest);
    return left >= 1;
  }
}
