/** Clients whose count of logins is kept. */
const LOGINS_MAX = 10_000;

/**
 * How many logins each client says it has made. Known in memory: a restart of the network forgets
 * them.
 */
export class LoginCounts {
  /** By noise key; the one that logged in longest ago is forgotten first. */
  readonly #last = new Map<string, number>();

  /** False when a client that counts its logins counts no further than before. */
  countsOn(noiseKey: Uint8Array, login: number): boolean {
    const id = Buffer.from(noiseKey).toString('base64');
    const last = this.#last.get(id);
    this.#last.delete(id);
    this.#last.set(id, Math.max(login, last ?? 0));
    const oldest = this.#last.size > LOGINS_MAX ? this.#last.keys().next().value : undefined;
    if (oldest !== undefined) this.#last.delete(oldest);
    return last === undefined || login > last;
  }

  forget(): void {
    this.#last.clear();
  }
}
