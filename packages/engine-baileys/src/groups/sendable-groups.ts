import type { Jid } from '@ponte/engine';
import type { GroupMetadata } from '../baileys.ts';
import { BoundedCache } from '../bounded-cache.ts';

const GROUPS_MAX = 100;
/** WhatsApp notifies every change; this limit is for changes while the line is not connected. */
const KEPT_MS = 5 * 60_000;

/**
 * Who a message to a group is encrypted for. Kept until the group changes, or for five minutes:
 * otherwise every send asks WhatsApp for all members first, which it limits. Lives as long as its
 * connection.
 */
export class SendableGroups {
  readonly #ask: (jid: Jid) => Promise<GroupMetadata>;
  readonly #known: BoundedCache;
  /** Grows with every change: an answer that a change overtook is not kept. */
  #changes = 0;

  constructor(ask: (jid: Jid) => Promise<GroupMetadata>, now: () => number) {
    this.#ask = ask;
    this.#known = new BoundedCache(GROUPS_MAX, KEPT_MS, now);
  }

  async get(jid: Jid): Promise<GroupMetadata> {
    const known = this.#known.get<GroupMetadata>(jid);
    if (known) return known;
    const before = this.#changes;
    const answer = await this.#ask(jid);
    if (before === this.#changes) this.#known.set(jid, answer);
    return answer;
  }

  /** How the members of a group are named in it. */
  async addressingOf(jid: Jid): Promise<'lid' | 'pn'> {
    return (await this.get(jid)).addressingMode === 'pn' ? 'pn' : 'lid';
  }

  /**
   * Something about the group is not what it was. To be called for changes of this account's own,
   * too: WhatsApp does not tell it those.
   */
  changed(jid: Jid | undefined): void {
    this.#changes += 1;
    if (jid !== undefined) this.#known.del(jid);
  }
}
