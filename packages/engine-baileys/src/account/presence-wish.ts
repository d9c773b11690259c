import type { Jid } from '@ponte/engine';
import type { KeyVault } from '../store/key-vault.ts';

const KIND = 'presence-wish';
const ID = 'own';
/** People whose presence is asked for again after a login; the ones asked for last. */
const WATCHED_MAX = 500;

interface Wish {
  isAvailable: boolean;
  watched: Jid[];
}

/**
 * What WhatsApp forgets with every connection: that the account is shown online, and whose presence
 * it wants to know.
 */
export class PresenceWish {
  readonly #vault: KeyVault;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(vault: KeyVault) {
    this.#vault = vault;
  }

  async read(): Promise<Wish> {
    const stored = (await this.#vault.get(KIND, [ID]))[ID];
    if (typeof stored !== 'object' || stored === null) return { isAvailable: false, watched: [] };
    const watched: unknown = Reflect.get(stored, 'watched');
    return {
      isAvailable: Reflect.get(stored, 'isAvailable') === true,
      watched: Array.isArray(watched) ? watched.filter((jid): jid is Jid => typeof jid === 'string') : [],
    };
  }

  setAvailable(isAvailable: boolean): Promise<void> {
    return this.#change((wish) => ({ ...wish, isAvailable }));
  }

  watch(person: Jid): Promise<void> {
    return this.#change((wish) => {
      const others = wish.watched.filter((jid) => jid !== person);
      return { ...wish, watched: [...others, person].slice(-WATCHED_MAX) };
    });
  }

  /** One change after the other: each builds on what the one before stored. */
  #change(change: (wish: Wish) => Wish): Promise<void> {
    const done = this.#turn.then(async () => this.#vault.commit({ [KIND]: { [ID]: change(await this.read()) } }));
    this.#turn = done.catch(() => {});
    return done;
  }
}
