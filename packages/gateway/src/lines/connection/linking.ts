import { AppError } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import type { LineCommands } from '../../core/line-commands.ts';
import type { Log } from '../../observe/logger.ts';
import type { InboxLoop } from '../inbound/inbox-loop.ts';
import type { Connector } from './connector.ts';
import type { PairingDesk } from './pairing-desk.ts';

export interface LinkingOptions {
  connector: Connector;
  desk: PairingDesk;
  inbox: Pick<InboxLoop, 'drained'>;
  clock: Clock;
  log: Log;
  isPaired(): boolean;
  isStopping(): boolean;
  /** Copies the credentials aside. */
  keep(): Promise<void>;
  /** A connection for pairing is about to be opened. */
  onBegin(): void;
}

const DRAIN_WITHIN_MS = 2_000;

/** Pairs a line with a phone and removes it again. */
export class Linking {
  readonly #options: LinkingOptions;

  constructor(options: LinkingOptions) {
    this.#options = options;
  }

  /** The QR to scan: the one shown now, or the next within `waitMs`. Rejects with an AppError. */
  async byQr(waitMs: number): Promise<LineCommands['pairing.qr']['out']> {
    const known = this.#options.desk.current('qr');
    if (known && !this.#options.isPaired()) return { data: known.data, expiresAt: known.expiresAt };
    const { data, expiresAt } = await this.#begin('qr', waitMs, { kind: 'qr' });
    return { data, expiresAt };
  }

  /** A new code to type on the phone, within `waitMs`. Rejects with an AppError. */
  async byCode(phone: string, waitMs: number): Promise<LineCommands['pairing.code']['out']> {
    const { code, expiresAt } = await this.#begin('code', waitMs, { kind: 'code', phone });
    return { code, expiresAt };
  }

  /**
   * Unlinks and clears the credentials. Mail that came in before is this account's and is read
   * first: only the paired engine can. Rejects when the credentials could not be cleared.
   */
  unlink(timeoutMs: number): Promise<{ unlinked: boolean }> {
    return this.#options.connector.logout(timeoutMs, () => this.#drainInbox());
  }

  /**
   * WhatsApp says that the device was removed: its credentials are cleared, and kept aside for some
   * days, for WhatsApp may have been wrong. Never rejects.
   */
  async forgetCredentials(): Promise<void> {
    const { connector, keep } = this.#options;
    try {
      await connector.logout(0, async () => {
        await this.#drainInbox();
        await keep();
      });
    } catch (error) {
      this.#options.log.warn(
        { error },
        'the credentials of a logged-out line could not be cleared; the next start tries again',
      );
    }
  }

  /**
   * Sees to it that pairing of this kind is under way, and waits for its next offer. A new code
   * always begins anew.
   */
  async #begin<K extends 'qr' | 'code'>(kind: K, waitMs: number, how: Parameters<Connector['pair']>[0]) {
    const { connector, desk, isPaired, isStopping, onBegin } = this.#options;
    if (isPaired()) throw new AppError('already_paired');
    if (isStopping()) throw new AppError('line_failed');
    const offer = desk.next(kind, waitMs);
    // It may reject while the connection is being opened, before the caller awaits it.
    offer.catch(() => {});
    const may = () => !isPaired() && !isStopping();
    await connector.pair(how, may, () => {
      desk.clear();
      onBegin();
    });
    return offer;
  }

  async #drainInbox(): Promise<void> {
    const limit = new AbortController();
    const cancel = this.#options.clock.after(DRAIN_WITHIN_MS, () => limit.abort());
    await this.#options.inbox.drained(limit.signal);
    cancel();
  }
}
