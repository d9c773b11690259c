import type { FastifyReply, FastifyRequest } from 'fastify';
import { mayAct, type Role } from '../access/console-roles.ts';
import type { ConsoleSession } from '../access/console-sessions.ts';
import { isInside } from '../access/networks.ts';
import type { RateLimiter } from '../access/rate-limit.ts';
import { type Caller, type CommandName, requireScope, scopeOf } from '../commands/execute.ts';
import { AppError } from '../core/app-error.ts';
import { takeBudget } from './budget.ts';
import { presentedKey } from './presented-key.ts';
import type { Route } from './route.ts';

/** Who is behind a request; built by app.ts. */
export interface AdmissionServices {
  /** Who a presented key is; undefined for unknown, revoked and expired ones. */
  authenticate(presented: string): Promise<Caller | undefined>;
  /** Who a ticket for a stream stands for; undefined for forged ones and those that are over. */
  authenticateTicket?(ticket: string): Promise<Caller | undefined>;
  /** The person who is signed in, if any. */
  authenticateSession?(request: FastifyRequest): Promise<SignedInCaller | undefined>;
  /** Told of every call of a session that may change something, before it is answered. */
  auditSession?(call: SessionCall): Promise<void>;
  rateLimiter: RateLimiter;
}

/** A session, and who it is for commands. */
export interface SignedInCaller {
  session: ConsoleSession;
  caller: Caller;
}

export interface SessionCall {
  session: ConsoleSession;
  caller: Caller;
  /** The row's operation. */
  operation: string;
  target: string;
  status: number;
  address: string;
  requestId: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller?: Caller;
    session?: ConsoleSession;
  }
}

type Door = Pick<Route, 'limit' | 'auth' | 'role' | 'takesTickets' | 'admits' | 'scope'> & {
  command?: CommandName | null;
};

export const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS';

/** Key or session, then its budget. Runs before the body is read. */
export async function admit(
  services: AdmissionServices,
  row: Door,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  row.admits?.(request);
  if (row.auth === 'none') return;
  if (row.auth === 'session') return admitSession(services, row, request, reply);
  const presented = presentedKey(request.raw);
  const { ticket } = request.query as { ticket?: unknown };
  const caller =
    presented !== undefined
      ? await services.authenticate(presented)
      : row.takesTickets && typeof ticket === 'string'
        ? await services.authenticateTicket?.(ticket)
        : undefined;
  if (!caller) throw new AppError('unauthorized');
  request.caller = caller;
  await takeBudget(services.rateLimiter, reply, row.limit, caller.keyId);
  if (caller.networks && !isInside(request.ip, caller.networks)) {
    const message = `This API key may not be used from ${request.ip}, where this request came from as far as the server can see.`;
    throw new AppError('forbidden', {}, { message });
  }
  const scope = row.scope ?? (row.command ? scopeOf(row.command) : undefined);
  if (scope && scope !== 'by_content') requireScope(caller, scope);
}

async function admitSession(
  services: AdmissionServices,
  row: Door,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const signedIn = await services.authenticateSession?.(request);
  if (!signedIn) throw new AppError('unauthorized', {}, { message: 'Sign in to the console first.' });
  request.session = signedIn.session;
  request.caller = signedIn.caller;
  await takeBudget(services.rateLimiter, reply, row.limit, signedIn.session.sessionId);
  const needed: Role = row.role ?? 'developer';
  if (mayAct(signedIn.session.role, needed)) return;
  throw new AppError('forbidden', {}, { message: `This needs the role ${needed}; yours is ${signedIn.session.role}.` });
}

/** Records an action through the console, refused ones too. */
export async function auditCall(
  services: AdmissionServices,
  row: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { session, caller } = request;
  if (!session || !caller || isSafe(request.method)) return;
  await services.auditSession?.({
    session,
    caller,
    operation: row.operation,
    target: request.url.split('?', 1)[0] ?? '',
    status: reply.statusCode,
    address: request.ip,
    requestId: request.id,
  });
}
