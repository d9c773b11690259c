import type { StanzaWatch } from '@ponte/engine';

type Look = NonNullable<StanzaWatch['see']>;

/**
 * The observers of one line's stanzas; without any, `watch.see` is undefined and the engine skips
 * them.
 */
export class StanzaLooks {
  readonly watch: StanzaWatch = { see: undefined };
  readonly #looks = new Set<Look>();

  /** The returned function ends it. */
  add(look: Look): () => void {
    this.#looks.add(look);
    this.watch.see = (direction, stanza) => {
      for (const each of this.#looks) each(direction, stanza);
    };
    return () => {
      this.#looks.delete(look);
      if (this.#looks.size === 0) this.watch.see = undefined;
    };
  }
}
