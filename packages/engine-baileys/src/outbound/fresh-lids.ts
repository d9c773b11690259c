import { type AddressPair, EngineError, isLid, type Jid, phoneOf, type UsyncNumber } from '@ponte/engine';
import type { KeyVault } from '../store/key-vault.ts';

const KIND = 'stale-lid';

/** What is known of a LID that WhatsApp calls out of date. */
interface Stale {
  /** Where the person is now; empty while WhatsApp names no other address. */
  now: string;
}

export interface FreshLidsParts {
  vault: KeyVault;
  /** Asks WhatsApp about a number. */
  askNumber(phone: string): Promise<UsyncNumber>;
  learn(pairs: AddressPair[]): Promise<void>;
  warn(message: string): void;
}

/**
 * `<ack refresh_lid="true">`: another account is behind the number by now. WhatsApp takes one
 * message and asks the sender to look the number up again; going on with the old address can bring
 * a ban (Baileys #2661, #2662).
 */
export class FreshLids {
  readonly #parts: FreshLidsParts;

  constructor(parts: FreshLidsParts) {
    this.#parts = parts;
  }

  /**
   * Where a message is to go. Rejects with `rejected` when WhatsApp called the address out of date
   * and names no other: nothing leaves.
   */
  async current(to: Jid, pn: Jid | undefined): Promise<Jid> {
    const stale = isLid(to) ? await this.#staleness(to) : undefined;
    if (!stale) return to;
    return stale.now || ((await this.#lookUp(to, pn)) ?? this.#refuse());
  }

  /** WhatsApp took a message and called its address out of date. */
  async refresh(to: Jid, pn: Jid | undefined): Promise<void> {
    if (!isLid(to)) return;
    const { vault, warn } = this.#parts;
    await vault.commit({ [KIND]: { [to]: { now: '' } satisfies Stale } });
    const now = await this.#lookUp(to, pn).catch(() => undefined);
    warn(
      now === undefined
        ? 'WhatsApp calls the address of a recipient out of date and names no other: nothing more is sent there'
        : 'another account is behind the number of a recipient; its new address is used from now on',
    );
  }

  /** Asks anew; the address, when it is another one. */
  async #lookUp(to: Jid, pn: Jid | undefined): Promise<Jid | undefined> {
    const phone = pn === undefined ? undefined : phoneOf(pn);
    if (pn === undefined || phone === undefined) return undefined;
    const { vault, askNumber, learn } = this.#parts;
    const { lid } = await askNumber(phone);
    if (lid === undefined || lid === to) return undefined;
    await learn([{ lid, pn }]);
    await vault.commit({ [KIND]: { [to]: { now: lid } satisfies Stale } });
    return lid;
  }

  async #staleness(lid: Jid): Promise<Stale | undefined> {
    const stored = (await this.#parts.vault.get(KIND, [lid]))[lid];
    if (typeof stored !== 'object' || stored === null) return undefined;
    const now: unknown = Reflect.get(stored, 'now');
    return { now: typeof now === 'string' ? now : '' };
  }

  #refuse(): never {
    throw new EngineError(
      'rejected',
      'WhatsApp calls this recipient’s address out of date and names no other: look the number up again later',
    );
  }
}
