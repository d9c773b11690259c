import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { KeyRing } from '../crypto/key-ring.ts';

/** How long a ticket opens a stream; a stream that is open by then goes on. */
export const TICKET_TTL_MS = 60_000;
const TICKET = /^wzb_ticket_(key_[A-Za-z0-9]{1,64})\.(\d{1,15})\.([A-Za-z0-9_-]{43})$/;

/**
 * Lets clients that cannot send headers (a browser's EventSource and WebSocket) open a stream with
 * a key they never see: a value for the URL, valid for a minute, for the streams of that key only,
 * and only as long as the key is valid. Nothing is stored; every process of the installation
 * accepts it.
 */
export function makeTicket(ring: KeyRing, clock: Clock, keyId: string): { ticket: string; expiresAt: number } {
  const expiresAt = clock.now() + TICKET_TTL_MS;
  return { ticket: `wzb_ticket_${keyId}.${expiresAt}.${seal(ring, keyId, String(expiresAt))}`, expiresAt };
}

/**
 * The id of the key behind a ticket; undefined when it is forged or over. Whether the key is valid
 * is for the caller to ask.
 */
export function readTicket(ring: KeyRing, clock: Clock, ticket: string): string | undefined {
  const [, keyId, expiresAt, given] = TICKET.exec(ticket) ?? [];
  if (keyId === undefined || expiresAt === undefined || given === undefined) return undefined;
  const isGenuine = timingSafeEqual(Buffer.from(given), Buffer.from(seal(ring, keyId, expiresAt)));
  return isGenuine && Number(expiresAt) > clock.now() ? keyId : undefined;
}

const seal = (ring: KeyRing, keyId: string, expiresAt: string): string =>
  ring.fingerprint('stream-ticket', `${keyId}.${expiresAt}`).toString('base64url');
