import { createHash } from 'node:crypto';
import { AppError } from '../../core/app-error.ts';
import { randomBase62 } from '../../core/ids.ts';
import type { LineReason } from '../../core/line-reasons.ts';
import type { Line } from '../../core/lines.ts';
import { lineStatus } from '../../lines/connection/line-status.ts';
import {
  bindConnectLink,
  type ConnectLink,
  type ConnectPage,
  findConnectLink,
  insertConnectLink,
  useConnectLinks,
} from '../../store/lines/connect-links.ts';
import { findLineUnowned } from '../../store/lines/lines.ts';
import { lineCommand } from '../command.ts';
import type { Context, Services } from '../context.ts';
import type { LineName } from './find-line.ts';

/** Where the hosted pages are. */
export const CONNECT_PATH = '/connect';
const VALID_MS = 15 * 60 * 1_000;
/** 190 bits: not guessable. */
const TOKEN_LENGTH = 32;
const TOKEN = /^[A-Za-z0-9]{32}$/;
const OFFER_WAIT_MS = 15_000;
const MARGIN_MS = 2_000;

/** What a browser makes up for itself, and shows with everything it does. */
const VISITOR = /^[A-Za-z0-9_-]{22,64}$/;
/** What is worth telling the owner of the number; everything else ends by itself. */
const TOLD: readonly LineReason[] = ['pairing_failed', 'passkey_required', 'pairing_expired'];

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/**
 * A page where the owner of the number pairs the line: valid for 15 minutes and for one pairing.
 * Anyone who has the address can pair the line until a first browser has asked for a code: from
 * then on the link works in that browser only. Only its hash is stored. `already_paired`.
 */
export const makeConnectLink = lineCommand(
  { scope: 'lines:write' },
  async (
    context: Context,
    line,
    { page = {} }: { line: LineName; page?: ConnectPage },
  ): Promise<{ url: string; expiresAt: number }> => {
    if (isPaired(line)) throw new AppError('already_paired');
    const token = randomBase62(TOKEN_LENGTH);
    const createdAt = context.clock.now();
    const expiresAt = createdAt + VALID_MS;
    await insertConnectLink(context.store.db, { hash: hashOf(token), lineId: line.id, createdAt, expiresAt, page });
    return { url: `${context.publicUrl()}${CONNECT_PATH}/${token}`, expiresAt };
  },
);

const isPaired = (line: Line): boolean => line.phone !== null;

/** What the page shows. */
export type ConnectState = { page: ConnectPage; lineId?: string } & (
  | {
      state: 'waiting';
      expiresAt: number;
      qr: { data: string; expiresAt: number } | null;
      /** Why the last try came to nothing. */
      problem: LineReason | null;
    }
  /** The phone has linked; the connection is being made. */
  | { state: 'linking'; expiresAt: number }
  | { state: 'connected'; phone: string | null; name: string | null }
  /** Another browser asked for a code before. */
  | { state: 'taken' }
  | { state: 'expired' }
  /** This link was never issued, or it is long gone. */
  | { state: 'unknown' }
);

/** Who looks: the token of the link, and what the browser holds (undefined: it holds nothing). */
export interface ConnectVisit {
  token: string;
  visitor: string | undefined;
}

/**
 * The page behind a connect link. Opening it, as robots do that preview links, uses nothing up; the
 * first browser that asks for a QR or a code is the only one from then on.
 */
export interface ConnectDesk {
  /** How the page of a link looks; empty for one that was never issued. */
  page(token: string): Promise<ConnectPage>;
  /**
   * Where it stands. `wantsQr`: sees to it that there is a QR, and waits for the first one for a
   * while.
   */
  look(visit: ConnectVisit, wantsQr: boolean): Promise<ConnectState>;
  /**
   * A code to type on the phone; ends the QR. `whatsapp_timeout`, `not_found` for a link that is
   * over, `forbidden` for one that is another browser's.
   */
  code(visit: ConnectVisit, phone: string): Promise<{ code: string; expiresAt: number }>;
}

interface Standing {
  link?: ConnectLink;
  line?: Line;
  state: ConnectState;
}

export function createConnectDesk(services: Pick<Services, 'store' | 'router' | 'clock' | 'log'>): ConnectDesk {
  const { store, router, clock, log } = services;
  const find = async (token: string) => (TOKEN.test(token) ? findConnectLink(store.db, hashOf(token)) : undefined);

  /** The state of a link, as far as rows and the line's process tell. */
  async function standing({ token, visitor }: ConnectVisit): Promise<Standing> {
    const link = await find(token);
    if (!link) return { state: { state: 'unknown', page: {} } };
    const { page, expiresAt } = link;
    const line = await findLineUnowned(store.db, link.lineId);
    if (!line || clock.now() >= expiresAt) return { state: { state: 'expired', page } };
    if (link.visitor !== null && !isVisitor(link.visitor, visitor)) return { state: { state: 'taken', page } };
    const status = lineStatus(line, router.view(line.id));
    const { phone, name, id: lineId } = line;
    const connected = { state: 'connected', phone, name, page, lineId } as const;
    if (link.usedAt !== null) {
      // Used up: a line that was unpaired again needs a new link.
      return { state: status === 'connected' ? connected : { state: 'expired', page } };
    }
    if (status === 'connected') {
      await useConnectLinks(store.db, line.id, clock.now());
      return { state: connected };
    }
    if (isPaired(line)) return { link, line, state: { state: 'linking', expiresAt, page } };
    const problem = TOLD.find((reason) => reason === line.statusReason) ?? null;
    return { link, line, state: { state: 'waiting', expiresAt, qr: null, problem, page } };
  }

  /** From here on the link is this browser's; false when it is another one's. */
  const bind = async (link: ConnectLink, visitor: string | undefined): Promise<boolean> =>
    visitor !== undefined && VISITOR.test(visitor) && bindConnectLink(store.db, link.hash, hashOf(visitor));

  return {
    page: async (token) => (await find(token))?.page ?? {},
    async look(visit, wantsQr) {
      const { link, line, state } = await standing(visit);
      if (!link || !line || state.state !== 'waiting' || !wantsQr) return state;
      if (!(await bind(link, visit.visitor))) return { state: 'taken', page: state.page };
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
        if (error.code === 'already_paired') {
          return { state: 'linking', expiresAt: state.expiresAt, page: state.page };
        }
        // The page asks again: a QR that ran out, a worker that is being restarted.
        log.debug({ lineId: line.id, error }, 'there is no QR for a connect page yet');
        return state;
      }
    },
    async code(visit, phone) {
      const { link, line, state } = await standing(visit);
      if (state.state === 'taken' || (link && !(await bind(link, visit.visitor)))) {
        throw new AppError('forbidden', {}, { message: 'This link is open in another browser.' });
      }
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

/** Compared by their hashes, which tell nothing by the time it takes. */
const isVisitor = (bound: Buffer, visitor: string | undefined): boolean =>
  visitor !== undefined && bound.equals(hashOf(visitor));
