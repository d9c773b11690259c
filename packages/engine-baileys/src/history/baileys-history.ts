import {
  type AddressPair,
  completeParty,
  type EngineEndpoint,
  EngineError,
  type HistoryPart,
  type HistoryPiece,
  type Party,
  type Self,
} from '@ponte/engine';
import type { proto } from '../baileys.ts';
import type { Connection } from '../connection.ts';
import { toNumber } from '../inbound/message-content.ts';
import { mediaNetwork } from '../media/media-network.ts';
import { mediaRetryRequest, readMediaRetry } from '../media/media-retry.ts';
import { keepContactSalt } from '../outbound/cold-contacts.ts';
import type { KeyVault } from '../store/key-vault.ts';
import type { LidMap } from '../store/lid-map.ts';
import { readHistory } from './read-history.ts';

/** For the phone to upload a file again; it answers at once when it is online. */
const ASK_MS = 30_000;

export interface HistorySources {
  vault: KeyVault;
  lids: LidMap;
  endpoint: EngineEndpoint;
  self(): Self | undefined;
  /** The open connection, when there is one. */
  connection(): Connection | undefined;
}

/**
 * Reads history by our own hands: Baileys fetches it in the handler of the message that offers it,
 * once, holding up all other mail, and what it read is in memory only.
 */
export class BaileysHistory {
  readonly #sources: HistorySources;

  constructor(sources: HistorySources) {
    this.#sources = sources;
  }

  async *read(part: HistoryPart, signal: AbortSignal): AsyncGenerator<HistoryPiece> {
    const { endpoint, lids, self: selfNow } = this.#sources;
    const self = selfNow();
    if (!self) throw new EngineError('wrong_state', 'the line is not paired');
    yield* readHistory(part, {
      self,
      network: mediaNetwork(endpoint),
      signal,
      complete: (incomplete) =>
        completeParty(
          incomplete,
          (lid) => lids.pnOf(lid),
          (pn) => lids.lidOf(pn),
        ),
      learn: (pairs) => this.#learn(pairs),
      keepSalt: (salt) => keepContactSalt(this.#sources.vault, salt),
      keepToken: (person, conversation) => this.#keepToken(person, conversation),
      askPhone: (offerId, mediaKey) => this.#askPhone(offerId, mediaKey, self),
    });
  }

  /** As of any file (media-retry.ts): the offer is a message of the own phone to itself. */
  async #askPhone(id: string, mediaKey: Uint8Array, { pn }: Self): Promise<string> {
    const connection = this.#sources.connection();
    const late = (why: string) => new EngineError('timeout', `the file of history is gone, and ${why}`);
    if (!connection) throw late('the line is not connected to ask the phone for it');
    const request = mediaRetryRequest({ id, chat: pn, sender: pn, fromMe: true }, mediaKey, pn);
    const answer = await connection.mediaRetry(request, ASK_MS);
    if (!answer) throw late('the phone did not answer');
    try {
      return readMediaRetry(answer, id, mediaKey);
    } catch (cause) {
      throw new EngineError('rejected', 'the phone has the file of history no more', { cause });
    }
  }

  async #learn(pairs: AddressPair[]): Promise<void> {
    const connection = this.#sources.connection();
    // Sessions move with the addresses, which needs a connection; without one they move when it is
    // next told.
    await (connection ? connection.whileConnected(connection.learn(pairs)) : this.#sources.lids.learn(pairs));
  }

  /**
   * The token that opens what this person shows to contacts only; a newer one stays (Baileys
   * process-message.js storeTcTokensFromHistorySync).
   */
  async #keepToken({ lid, jid }: Party, conversation: proto.IConversation): Promise<void> {
    const { vault } = this.#sources;
    const { tcToken: token } = conversation;
    const at = toNumber(conversation.tcTokenTimestamp) ?? 0;
    if (!token?.length || at === 0) return;
    const id = lid ?? jid;
    const known = (await vault.get('tctoken', [id]))[id];
    const knownAt = typeof known === 'object' && known !== null ? Number(Reflect.get(known, 'timestamp')) : 0;
    if (knownAt >= at) return;
    const sentAt = toNumber(conversation.tcTokenSenderTimestamp);
    const entry = { token: Buffer.from(token), timestamp: String(at), ...(sentAt ? { senderTimestamp: sentAt } : {}) };
    await vault.commit({ tctoken: { [id]: entry } });
  }
}
