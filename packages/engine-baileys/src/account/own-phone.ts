import type { Jid } from '@ponte/engine';
import type { WASocket } from '../baileys.ts';
import { toEngineError } from '../query-error.ts';

/** Questions about the account itself, to its phone and to WhatsApp. */
export class OwnPhone {
  readonly #sock: Pick<WASocket, 'fetchMessageHistory' | 'fetchPrivacySettings'>;
  readonly #whileConnected: <T>(work: Promise<T>) => Promise<T>;

  constructor(
    sock: Pick<WASocket, 'fetchMessageHistory' | 'fetchPrivacySettings'>,
    whileConnected: <T>(work: Promise<T>) => Promise<T>,
  ) {
    this.#sock = sock;
    this.#whileConnected = whileConnected;
  }

  /**
   * Asks the phone for older messages (Baileys messages-recv.js fetchMessageHistory); it answers
   * with an offer of history.
   */
  async askOlder(chat: Jid, oldest: { id: string; fromMe: boolean; timestamp: number }, count: number): Promise<void> {
    const key = { remoteJid: chat, id: oldest.id, fromMe: oldest.fromMe };
    try {
      await this.#whileConnected(this.#sock.fetchMessageHistory(count, key, oldest.timestamp * 1_000));
    } catch (error) {
      throw toEngineError(error, '<history>');
    }
  }

  /** Whether this account tells others what it has read. */
  async tellsReads(): Promise<boolean> {
    const settings = await this.#whileConnected(this.#sock.fetchPrivacySettings());
    return settings.readreceipts !== 'none';
  }
}
