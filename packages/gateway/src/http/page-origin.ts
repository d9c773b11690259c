import type { FastifyRequest } from 'fastify';
import type { PageOrigin } from '../access/console-passkeys.ts';
import { isSecure } from './session-cookie.ts';

/**
 * Which page calls. The Origin header of a browser, which `requireSameOrigin` has compared with
 * this server's own; without one, where the request itself was sent. A caller that lies gains
 * nothing: authenticators sign for the page they really were on.
 */
export function pageOrigin(request: FastifyRequest, publicUrl: string): PageOrigin {
  const given = request.headers.origin ?? `${isSecure(request, publicUrl) ? 'https' : 'http'}://${request.host}`;
  const { origin, hostname } = new URL(given);
  return { origin, host: hostname };
}
