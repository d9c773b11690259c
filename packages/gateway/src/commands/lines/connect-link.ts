import { createHash } from 'node:crypto';
import { AppError } from '../../core/app-error.ts';
import { randomBase62 } from '../../core/ids.ts';
import type { Line } from '../../core/lines.ts';
import { lineStatus } from '../../lines/connection/line-status.ts';
import { findConnectLink, insertConnectLink, useConnectLinks } from '../../store/lines/connect-links.ts';
import { findLineUnowned } from '../../store/lines/lines.ts';
import { lineCommand } from '../command.ts';
import type { Context, Services } from '../context.ts';
import type { LineName } from './find-line.ts';

/** Where the hosted pages are. */
export const CONNECT_PATH = '/connect';
const VALID_MS = 15 * 60 * 1_000;
/** 190 bits: nobody guesses one. */
const TOKEN_LENGTH = 32;
const TOKEN = /^[A-Za-z0-9]{32}$/;
const OFFER_WAIT_MS = 15_000;
const MARGIN_MS = 2_000;

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/**
 * A page where the owner of the number pairs the line: valid for 15 minutes and for one pairing.
 * Whoever has the address can pair the line, so it is a secret; only its hash is stored.
 * `already_paired`.
 */
export const makeConnectLink = lineCommand(
  { scope: 'lines:write' },
  async (context: Context, line, _: { line: LineName }): Promise<{ url: string; expiresAt: number }> => {
    if (isPaired(line)) throw new AppError('already_paired');
    const token = randomBase62(TOKEN_LENGTH);
    const createdAt = context.clock.now();
    const expiresAt = createdAt + VALID_MS;
    await insertConnectLink(context.store.db, { hash: hashOf(token), lineId: line.id, createdAt, expiresAt });
    return { url: `${context.publicUrl()}${CONNECT_PATH}/${token}`, expiresAt };
  },
);

const isPaired = (line: Line): boolean => line.phone !== null;

/** What the page shows. */
export type ConnectState =
  | { state: 'waiting'; expiresAt: number; qr: { data: string; expiresAt: number } | null }
  /** The phone has linked; the connection is being made. */
  | { state: 'linking'; expiresAt: number }
  | { state: 'connected'; phone: string | null; name: string | null }
  | { state: 'expired' }
  /** Nobody handed this link out, or it is long gone. */
  | { state: 'unknown' };

/**
 * The page behind a connect link: whoever holds the token, and nobody else, may pair the one line.
 */
export interface ConnectDesk {
  /**
   * Where it stands. `wantsQr`: sees to it that there is a QR, and waits for the first one for a
   * while.
   */
  look(token: string, wantsQr: boolean): Promise<ConnectState>;
  /**
   * A code to type on the phone; ends the QR. `whatsapp_timeout`, `not_found` for a link that is
   * over.
   */
  code(token: string, phone: string): Promise<{ code: string; expiresAt: number }>;
}

export function createConnectDesk(services: Pick<Services, 'store' | 'router' | 'clock' | 'log'>): ConnectDesk {
  const { store, router, clock, log } = services;

  /** What became of a link, as far as rows and the line's process tell. */
  async function standing(token: string): Promise<{ line?: Line; state: ConnectState }> {
    const link = TOKEN.test(token) ? await findConnectLink(store.db, hashOf(token)) : undefined;
    if (!link) return { state: { state: 'unknown' } };
    const line = await findLineUnowned(store.db, link.lineId);
    if (!line || clock.now() >= link.expiresAt) return { state: { state: 'expired' } };
    const status = lineStatus(line, router.view(line.id));
    const connected = { state: 'connected', phone: line.phone, name: line.name } as const;
    if (link.usedAt !== null) {
      // Used up: a line that was unpaired again needs a new link.
      return { state: status === 'connected' ? connected : { state: 'expired' } };
    }
    if (status === 'connected') {
      await useConnectLinks(store.db, line.id, clock.now());
      return { state: connected };
    }
    const { expiresAt } = link;
    if (isPaired(line)) return { line, state: { state: 'linking', expiresAt } };
    return { line, state: { state: 'waiting', expiresAt, qr: null } };
  }

  return {
    async look(token, wantsQr) {
      const { line, state } = await standing(token);
      if (!line || state.state !== 'waiting' || !wantsQr) return state;
      try {
        const qr = await router.run(
          line.id,
          'pairing.qr',
          { waitMs: OFFER_WAIT_MS },
          { timeoutMs: OFFER_WAIT_MS + MARGIN_MS },
        );
        return { ...state, qr };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        if (error.code === 'already_paired') return { state: 'linking', expiresAt: state.expiresAt };
        // The page asks again: a QR that ran out, a worker that is being restarted.
        log.debug({ lineId: line.id, error }, 'there is no QR for a connect page yet');
        return state;
      }
    },
    async code(token, phone) {
      const { line, state } = await standing(token);
      if (!line || state.state !== 'waiting') throw new AppError('not_found', {}, { message: 'This link is over.' });
      return router.run(
        line.id,
        'pairing.code',
        { phone, waitMs: OFFER_WAIT_MS },
        { timeoutMs: OFFER_WAIT_MS + MARGIN_MS },
      );
    },
  };
}
