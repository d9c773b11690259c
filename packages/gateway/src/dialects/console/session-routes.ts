import type { FastifyRequest } from 'fastify';
import type { ConsoleAccess, From, SignedIn } from '../../access/console-access.ts';
import { SESSION_LIFE_MS } from '../../access/console-sessions.ts';
import { AppError } from '../../core/app-error.ts';
import type { KnownVersion } from '../../core/client-version.ts';
import { clientVersionAnswer } from '../../http/client-version-answer.ts';
import { type Answer, handlerRoute, json, type Route } from '../../http/route.ts';
import {
  browserCookie,
  isExposed,
  readBrowserMark,
  readSessionCookie,
  sessionCookie,
} from '../../http/session-cookie.ts';
import { rfc3339, signedInUser } from './answers.ts';
import * as schemas from './schemas.ts';

export interface SessionServices {
  access: ConsoleAccess;
  publicUrl: string;
  version: string;
  /** The version of WhatsApp Web that live lines announce. */
  clientVersion?(): KnownVersion;
  /** Passwords may travel over plain http to other machines than this one. */
  allowInsecure: boolean;
  isSandboxOn: boolean;
}

const NO_STORE = { 'cache-control': 'no-store' };

export const fromOf = (request: FastifyRequest): From => ({
  address: request.ip,
  userAgent: request.headers['user-agent'] ?? '',
  requestId: request.id,
  browser: readBrowserMark(request),
});

/**
 * The answer to a user who just signed in: a session, and the mark that makes the browser known.
 */
export const signedInAnswer = (request: FastifyRequest, publicUrl: string, of: SignedIn): Answer =>
  json(
    200,
    { user: signedInUser(of.user) },
    {
      ...NO_STORE,
      'set-cookie': [
        sessionCookie(request, publicUrl, of.token, SESSION_LIFE_MS),
        browserCookie(request, publicUrl, of.browser),
      ],
    },
  );

/** Signing in and out, and what a page has to know before it shows anything. */
export function sessionRoutes(services: SessionServices): Route[] {
  const { access, publicUrl } = services;
  const cookie = (request: FastifyRequest, token: string | null) => ({
    ...NO_STORE,
    'set-cookie': sessionCookie(request, publicUrl, token, SESSION_LIFE_MS),
  });
  const entered = (request: FastifyRequest, signedIn: SignedIn): Answer => signedInAnswer(request, publicUrl, signedIn);
  const refuseExposed = (request: FastifyRequest) => {
    if (services.allowInsecure || !isExposed(request, publicUrl)) return;
    const message =
      'Passwords do not travel over plain http. Open the console through https (set PUBLIC_URL or TRUST_PROXY behind a proxy) or on 127.0.0.1, or set INSECURE_COOKIES=on.';
    throw new AppError('forbidden', {}, { message });
  };
  const common = { tag: 'Session', limit: 'console', audited: false } as const;
  return [
    handlerRoute({
      ...common,
      method: 'GET',
      path: '/v1/state',
      operation: 'consoleState',
      summary: 'What the console shows first',
      auth: 'none',
      answers: { 200: { description: 'State.', schema: schemas.state } },
      handle: async ({ request }) => {
        const token = readSessionCookie(request, publicUrl);
        const session = token === undefined ? undefined : await access.sessions.find(token);
        const known = services.clientVersion?.();
        const state = {
          set_up: session !== undefined || (await access.users.exist()),
          insecure: isExposed(request, publicUrl),
          version: services.version,
          sandbox: services.isSandboxOn,
          whatsapp_version: session && known ? clientVersionAnswer(known) : null,
          user: session ? signedInUser({ ...session, id: session.userId }) : null,
        };
        return json(200, state, NO_STORE);
      },
    }),
    handlerRoute({
      ...common,
      method: 'POST',
      path: '/v1/set-up',
      operation: 'setUp',
      summary: "Creates the operator's account",
      auth: 'none',
      body: schemas.setUpBody,
      answers: { 200: { description: 'Signed in.' } },
      handle: async ({ request, body }) => {
        refuseExposed(request);
        return entered(request, await access.setUp(body, fromOf(request)));
      },
    }),
    handlerRoute({
      ...common,
      method: 'POST',
      path: '/v1/session',
      operation: 'signIn',
      summary: 'Sign in',
      auth: 'none',
      body: schemas.signInBody,
      answers: { 200: { description: 'Signed in.' } },
      handle: async ({ request, body }) => {
        refuseExposed(request);
        return entered(request, await access.signIn(body, fromOf(request)));
      },
    }),
    handlerRoute({
      ...common,
      audited: true,
      method: 'DELETE',
      path: '/v1/session',
      operation: 'signOut',
      summary: 'Sign out',
      auth: 'session',
      role: 'viewer',
      answers: { 200: { description: 'Signed out.', schema: schemas.done } },
      handle: async ({ request, session }) => {
        if (session) await access.sessions.end(session.userId, session.sessionId);
        return json(200, { ok: true }, cookie(request, null));
      },
    }),
    handlerRoute({
      ...common,
      method: 'GET',
      path: '/v1/sessions',
      operation: 'listSessions',
      summary: 'Where I am signed in',
      auth: 'session',
      role: 'viewer',
      answers: { 200: { description: 'Sessions.', schema: schemas.sessions } },
      handle: async ({ session }) => {
        const all = session ? await access.sessions.list(session.userId) : [];
        const view = all.map(({ id, address, userAgent, createdAt, seenAt }) => ({
          id,
          address,
          user_agent: userAgent,
          created_at: rfc3339(createdAt),
          seen_at: rfc3339(seenAt),
          current: id === session?.sessionId,
        }));
        return json(200, { sessions: view });
      },
    }),
    handlerRoute({
      ...common,
      audited: true,
      method: 'DELETE',
      path: '/v1/sessions',
      operation: 'signOutEverywhere',
      summary: 'Sign out everywhere, here too',
      auth: 'session',
      role: 'viewer',
      answers: { 200: { description: 'Signed out.', schema: schemas.done } },
      handle: async ({ request, session }) => {
        if (session) await access.sessions.endAll(session.userId);
        return json(200, { ok: true }, cookie(request, null));
      },
    }),
    handlerRoute({
      ...common,
      audited: true,
      method: 'DELETE',
      path: '/v1/sessions/:id',
      operation: 'endSession',
      summary: 'End one of my sessions',
      auth: 'session',
      role: 'viewer',
      params: schemas.idParams,
      answers: { 200: { description: 'It is over.', schema: schemas.done } },
      handle: async ({ session, params }) => {
        if (!session || !(await access.sessions.end(session.userId, params.id))) throw new AppError('not_found');
        return json(200, { ok: true });
      },
    }),
    handlerRoute({
      ...common,
      audited: true,
      method: 'POST',
      path: '/v1/password',
      operation: 'changePassword',
      summary: 'Change my password; my other sessions end',
      auth: 'session',
      role: 'viewer',
      body: schemas.passwordBody,
      answers: { 200: { description: 'Changed.', schema: schemas.done } },
      handle: async ({ request, session, body }) => {
        refuseExposed(request);
        if (session) await access.changePassword(session, body, fromOf(request));
        return json(200, { ok: true });
      },
    }),
  ];
}
