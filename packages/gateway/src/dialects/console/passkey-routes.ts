import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { z } from 'zod';
import type { Passkey } from '../../access/console-passkeys.ts';
import { AppError } from '../../core/app-error.ts';
import { pageOrigin } from '../../http/page-origin.ts';
import { handlerRoute, json, type Route, text } from '../../http/route.ts';
import { rfc3339, rfc3339OrNull } from './answers.ts';
import * as schemas from './schemas.ts';
import { fromOf, type SessionServices, signedInAnswer } from './session-routes.ts';

const passkey = z.object({
  id: z.string(),
  name: z.string(),
  host: z.string(),
  created_at: z.string(),
  used_at: z.string().nullable(),
});
const options = z.object({ options: z.record(z.string(), z.unknown()) });
/** The browser's answer; the library that checks its signature checks its shape, too. */
const credential = z.looseObject({
  id: text(1, 1_024, 'response.id'),
  rawId: text(1, 1_024, 'response.rawId'),
  type: z.literal('public-key'),
  response: z.looseObject({ clientDataJSON: text(1, 8_192, 'clientDataJSON') }),
  clientExtensionResults: z.record(z.string(), z.unknown()),
});
const newPasskey = z.object({ name: text(1, 100, 'name'), response: credential });

const NO_STORE = { 'cache-control': 'no-store' };
const shown = ({ id, name, host, createdAt, usedAt }: Passkey) => ({
  id,
  name,
  host,
  created_at: rfc3339(createdAt),
  used_at: rfc3339OrNull(usedAt),
});

/** Passkeys of the signed-in user, and signing in with one. */
export function passkeyRoutes(services: SessionServices): Route[] {
  const { access, publicUrl } = services;
  const mine = { tag: 'Session', limit: 'console', auth: 'session', role: 'viewer' } as const;
  const open = { tag: 'Session', limit: 'console', auth: 'none', audited: false } as const;
  return [
    handlerRoute({
      ...mine,
      method: 'GET',
      path: '/v1/passkeys',
      operation: 'listPasskeys',
      summary: 'My passkeys',
      answers: { 200: { description: 'Passkeys.', schema: z.object({ passkeys: passkey.array() }) } },
      handle: async ({ session }) =>
        json(200, { passkeys: session ? (await access.passkeys.list(session.userId)).map(shown) : [] }),
    }),
    handlerRoute({
      ...mine,
      audited: false,
      method: 'POST',
      path: '/v1/passkeys/options',
      operation: 'beginPasskey',
      summary: 'What the browser makes a passkey with; asks for my password',
      body: z.object({ password: text(1, 256, 'password') }),
      answers: { 200: { description: 'WebAuthn creation options.', schema: options } },
      handle: async ({ request, session, body }) => {
        if (!session) throw new AppError('unauthorized');
        const page = pageOrigin(request, publicUrl);
        return json(
          200,
          { options: await access.beginPasskey(session, body.password, page, fromOf(request)) },
          NO_STORE,
        );
      },
    }),
    handlerRoute({
      ...mine,
      method: 'POST',
      path: '/v1/passkeys',
      operation: 'addPasskey',
      summary: 'Keep the passkey the browser made',
      body: newPasskey,
      answers: { 201: { description: 'The passkey.', schema: passkey } },
      handle: async ({ request, session, body }) => {
        if (!session) throw new AppError('unauthorized');
        const answer = { name: body.name, response: body.response as unknown as RegistrationResponseJSON };
        return json(201, shown(await access.passkeys.add(session.userId, pageOrigin(request, publicUrl), answer)));
      },
    }),
    handlerRoute({
      ...mine,
      method: 'DELETE',
      path: '/v1/passkeys/:id',
      operation: 'removePasskey',
      summary: 'Delete one of my passkeys',
      params: schemas.idParams,
      answers: { 200: { description: 'It can no longer be used to sign in.', schema: schemas.done } },
      handle: async ({ session, params }) => {
        if (!session || !(await access.passkeys.remove(session.userId, params.id))) throw new AppError('not_found');
        return json(200, { ok: true });
      },
    }),
    handlerRoute({
      ...open,
      method: 'POST',
      path: '/v1/session/passkey/options',
      operation: 'beginPasskeySignIn',
      summary: 'What the browser signs in with',
      answers: { 200: { description: 'WebAuthn request options.', schema: options } },
      handle: async ({ request }) =>
        json(200, { options: await access.passkeys.beginSignIn(pageOrigin(request, publicUrl)) }, NO_STORE),
    }),
    handlerRoute({
      ...open,
      method: 'POST',
      path: '/v1/session/passkey',
      operation: 'signInWithPasskey',
      summary: 'Sign in with a passkey',
      body: z.object({ response: credential }),
      answers: { 200: { description: 'Signed in.' } },
      handle: async ({ request, body }) => {
        const response = body.response as unknown as AuthenticationResponseJSON;
        const page = pageOrigin(request, publicUrl);
        return signedInAnswer(request, publicUrl, await access.signInWithPasskey(page, response, fromOf(request)));
      },
    }),
  ];
}
