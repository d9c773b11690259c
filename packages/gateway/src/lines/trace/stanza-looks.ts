import type { StanzaWatch } from '@ponte/engine';

type Look = NonNullable<StanzaWatch['see']>;

/** Everybody who looks on at the stanzas of one line; while nobody does, the engine sees that. */
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
