import type { FastifyRequest } from 'fastify';
import { AppError } from '../core/app-error.ts';

/** The header that marks a request as the console's own: no form and no other site can send it. */
export const CONSOLE_HEADER = 'x-ponte-console';
const SECURE_NAME = '__Host-ponte';
const PLAIN_NAME = 'ponte';

/**
 * True when the browser speaks https, as far as this server can tell: itself, a trusted proxy, or
 * the configured public address says so.
 */
export function isSecure(request: FastifyRequest, publicUrl: string): boolean {
  return request.protocol === 'https' || publicUrl.startsWith('https://');
}

/** The session's token of the Cookie header. */
export function readSessionCookie(request: FastifyRequest, publicUrl: string): string | undefined {
  return cookieOf(request, isSecure(request, publicUrl) ? SECURE_NAME : PLAIN_NAME);
}

function cookieOf(request: FastifyRequest, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}

/**
 * Set-Cookie of a session, or (null) of its end. The session's real end is the server's to decide;
 * the cookie goes with the browser's week.
 */
export function sessionCookie(
  request: FastifyRequest,
  publicUrl: string,
  token: string | null,
  maxAgeMs: number,
): string {
  const secure = isSecure(request, publicUrl);
  const age = token === null ? 0 : Math.floor(maxAgeMs / 1_000);
  const parts = [
    `${secure ? SECURE_NAME : PLAIN_NAME}=${token ?? ''}`,
    'Path=/',
    `Max-Age=${age}`,
    'HttpOnly',
    'SameSite=Lax',
  ];
  return [...parts, ...(secure ? ['Secure'] : [])].join('; ');
}

const BROWSER_NAME = 'ponte-browser';
const BROWSER_LIFE_S = 365 * 86_400;

/** The mark that an earlier sign-in left in this browser. */
export const readBrowserMark = (request: FastifyRequest): string | undefined => cookieOf(request, BROWSER_NAME);

/** Set-Cookie of that mark. */
export function browserCookie(request: FastifyRequest, publicUrl: string, mark: string): string {
  const secure = isSecure(request, publicUrl) ? '; Secure' : '';
  return `${BROWSER_NAME}=${mark}; Path=/api/console; Max-Age=${BROWSER_LIFE_S}; HttpOnly; SameSite=Strict${secure}`;
}

/**
 * Refuses a request that another site may have caused: without the console's header, or from
 * another origin.
 */
export function requireSameOrigin(request: FastifyRequest, publicUrl: string): void {
  const { origin, 'sec-fetch-site': site } = request.headers;
  const isForeignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
  const isOurs = origin === undefined || origin === ownOrigin(publicUrl) || hostOf(origin) === request.host;
  if (request.headers[CONSOLE_HEADER] !== undefined && !isForeignSite && isOurs) return;
  throw new AppError(
    'forbidden',
    {},
    { message: `This call is for the console only: send it from its own origin with the header ${CONSOLE_HEADER}.` },
  );
}

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined);
const ownOrigin = (publicUrl: string): string | undefined =>
  URL.canParse(publicUrl) ? new URL(publicUrl).origin : undefined;

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i;

/** True when a password would travel in the clear over a network. */
export const isExposed = (request: FastifyRequest, publicUrl: string): boolean =>
  !isSecure(request, publicUrl) && !LOOPBACK.test(request.host);
