import type { FastifyRequest } from 'fastify';
import type { ConsoleAccess } from '../access/console-access.ts';
import { invalid } from '../core/app-error.ts';
import type { Mode } from '../core/lines.ts';
import type { HttpServices } from './server.ts';
import { readSessionCookie } from './session-cookie.ts';

/** Which lines a console page looks at: test (the default) or live. */
const MODE_HEADER = 'x-ponte-mode';

/** How the front door knows who is signed in, and notes what they do. */
export function consoleSignIn(
  access: ConsoleAccess,
  publicUrl: string,
): Pick<HttpServices, 'authenticateSession' | 'auditSession'> {
  return {
    async authenticateSession(request) {
      const token = readSessionCookie(request, publicUrl);
      const session = token === undefined ? undefined : await access.sessions.find(token);
      return session && { session, caller: access.callerOf(session, modeOf(request)) };
    },
    auditSession: ({ session, caller, operation, target, status, address, requestId }) =>
      access.audit.append({
        userId: session.userId,
        actor: session.email,
        action: operation,
        target,
        mode: caller.mode,
        outcome: status < 400 ? 'ok' : String(status),
        address,
        requestId,
      }),
  };
}

/** A picture or film on a page cannot send headers: what only reads may say it in its address. */
function modeOf(request: FastifyRequest): Mode {
  const asked = request.method === 'GET' ? (request.query as Record<string, unknown>).mode : undefined;
  const mode = request.headers[MODE_HEADER] ?? asked ?? 'test';
  if (mode !== 'test' && mode !== 'live') throw invalid(MODE_HEADER, 'Use test or live.');
  return mode;
}
