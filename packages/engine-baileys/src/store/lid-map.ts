import { type AddressPair, formatJid, type Jid, parseJid, personJid, SERVER_LID, SERVER_PN } from '@ponte/engine';
import type { KeyVault } from './key-vault.ts';

const KIND = 'lid-mapping';

/**
 * Which number belongs to which LID, as far as WhatsApp disclosed it to this line. Kept in the
 * line's store under the ids Baileys uses (`<number>` → LID digits, `<lid>_reverse` → number), so
 * that its own code reads the same table. Local only: WhatsApp can be asked for a number's LID,
 * never for a LID's number.
 */
export class LidMap {
  readonly #vault: KeyVault;
  readonly #onLearned: (news: AddressPair[]) => void;

  /** `onLearned` is told of pairs that were not known, once they are stored. */
  constructor(vault: KeyVault, onLearned: (news: AddressPair[]) => void = () => undefined) {
    this.#vault = vault;
    this.#onLearned = onLearned;
  }

  async lidOf(pn: Jid): Promise<Jid | undefined> {
    const lid = await this.#read(userOf(pn));
    return lid === undefined ? undefined : formatJid(lid, SERVER_LID);
  }

  async pnOf(lid: Jid): Promise<Jid | undefined> {
    const pn = await this.#read(reverse(userOf(lid)));
    return pn === undefined ? undefined : formatJid(pn, SERVER_PN);
  }

  /**
   * Stores the pairs that are new and returns them. A number that moved to another LID is forgotten
   * under the old one.
   */
  async learn(pairs: readonly AddressPair[]): Promise<AddressPair[]> {
    const named = pairs.map((pair) => ({ pair, lid: userOf(pair.lid), pn: userOf(pair.pn) }));
    const known = new Map<string, unknown>(
      Object.entries(await this.#vault.get(KIND, [...new Set(named.flatMap(({ lid, pn }) => [pn, reverse(lid)]))])),
    );
    const news: AddressPair[] = [];
    const writes: Record<string, string | null> = {};
    const write = (id: string, value: string | null) => {
      writes[id] = value;
      known.set(id, value);
    };
    for (const { pair, lid, pn } of named) {
      const [oldLid, oldPn] = [known.get(pn), known.get(reverse(lid))];
      if (oldLid === lid && oldPn === pn) continue;
      if (typeof oldLid === 'string' && oldLid !== lid) write(reverse(oldLid), null);
      if (typeof oldPn === 'string' && oldPn !== pn) write(oldPn, null);
      write(pn, lid);
      write(reverse(lid), pn);
      news.push(pair);
    }
    if (news.length === 0) return news;
    await this.#vault.commit({ [KIND]: writes });
    this.#onLearned(news);
    return news;
  }

  async #read(id: string): Promise<string | undefined> {
    const value = (await this.#vault.get(KIND, [id]))[id];
    return typeof value === 'string' && value !== '' ? value : undefined;
  }
}

const reverse = (lidUser: string): string => `${lidUser}_reverse`;
const userOf = (jid: Jid): string => parseJid(personJid(jid))?.user ?? '';
