import type { RawStanza, SealedEnvelope } from '@ponte/engine';
import type { AuthenticationCreds, SignalDataTypeMap, SignalKeyStore } from '../baileys.ts';
import type { KeyVault, Writes } from './key-vault.ts';

/**
 * The vault as one connection may use it: it never rejects.
 *
 * Baileys answers a failing store with a negative acknowledgement, after which WhatsApp forgets the
 * message. So when the store fails, the connection is told to stop at once, and the pending call
 * never settles: the stanza stays unacknowledged and comes again. After `stop` the same holds for
 * everything, so that nothing of a dead connection goes on.
 */
export class StoreGuard implements SignalKeyStore {
  readonly #vault: KeyVault;
  readonly #onFailure: (cause: unknown) => void;
  readonly #onInbox: () => void;
  #isStopped = false;

  constructor(vault: KeyVault, onFailure: (cause: unknown) => void, onInbox: () => void) {
    this.#vault = vault;
    this.#onFailure = onFailure;
    this.#onInbox = onInbox;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Runs work of ours under the same rule. */
  async durable<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isStopped) return never();
    try {
      const result = await work();
      return this.#isStopped ? never() : result;
    } catch (cause) {
      if (!this.#isStopped) {
        this.#isStopped = true;
        this.#onFailure(cause);
      }
      return never();
    }
  }

  // Functions rather than methods: Baileys takes them off the object.
  readonly get = async <T extends keyof SignalDataTypeMap>(
    kind: T,
    ids: string[],
  ): Promise<{ [id: string]: SignalDataTypeMap[T] }> => {
    // The codec of a kind gives back the type that Baileys stored under it.
    return this.durable(() => this.#vault.get(kind, ids)) as Promise<{ [id: string]: SignalDataTypeMap[T] }>;
  };

  readonly set = (writes: Writes): Promise<void> => this.commit(writes);

  async commit(writes: Writes, sealed?: SealedEnvelope): Promise<void> {
    await this.durable(() => this.#vault.commit(writes, sealed));
    if (sealed) this.#onInbox();
  }

  saveCreds(creds: AuthenticationCreds): Promise<void> {
    return this.durable(() => this.#vault.saveCreds(creds));
  }

  findSealed(hash: string): Promise<{ plaintext: Uint8Array } | undefined> {
    return this.durable(() => this.#vault.findSealed(hash));
  }

  async appendStanza(entry: RawStanza): Promise<void> {
    await this.durable(() => this.#vault.appendStanza(entry));
    this.#onInbox();
  }
}

/** Waits for ever; nothing holds it, so it costs nothing once its connection is gone. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}
