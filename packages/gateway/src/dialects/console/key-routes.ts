import type { ApiKeys, ListedKey } from '../../access/api-keys.ts';
import type { Caller } from '../../commands/execute.ts';
import { AppError } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import { handlerRoute, json, type Route } from '../../http/route.ts';
import * as answers from './answers.ts';
import * as schemas from './schemas.ts';

const common = { tag: 'Keys', limit: 'console', auth: 'session', role: 'developer' } as const;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/**
 * API keys of the account, in the mode the console looks at. A key's text is in the answer that
 * makes it, and nowhere else.
 */
export function keyRoutes({ keys, clock }: { keys: ApiKeys; clock: Clock }): Route[] {
  const listed = async (caller: Caller | undefined): Promise<ListedKey[]> => {
    if (!caller) throw new AppError('unauthorized');
    return (await keys.list(caller.accountId)).filter(({ mode }) => mode === caller.mode);
  };
  const find = async (caller: Caller | undefined, id: string): Promise<ListedKey> => {
    const key = (await listed(caller)).find(({ keyId }) => keyId === id);
    if (!key) throw new AppError('key_not_found');
    return key;
  };
  return [
    handlerRoute({
      ...common,
      method: 'GET',
      role: 'viewer',
      path: '/v1/keys',
      operation: 'listKeys',
      summary: 'API keys, oldest first',
      answers: { 200: { description: 'Keys.', schema: schemas.keys } },
      handle: async ({ caller }) => json(200, { keys: (await listed(caller)).map(answers.key) }),
    }),
    handlerRoute({
      ...common,
      method: 'POST',
      path: '/v1/keys',
      operation: 'createKey',
      summary: 'Create an API key; it is in this answer only',
      body: schemas.newKeyBody,
      answers: { 201: { description: 'The key.', schema: schemas.madeKey } },
      handle: async ({ caller, body }) => {
        if (!caller) throw new AppError('unauthorized');
        const { accountId, mode } = caller;
        const expiresAt = body.expires_in_days === undefined ? null : clock.now() + body.expires_in_days * DAY_MS;
        const needsApproval = body.approval === 'required';
        const made = await keys.create({
          accountId,
          mode,
          name: body.name,
          scopes: body.scopes,
          expiresAt,
          needsApproval,
          lines: body.line_ids,
          networks: body.networks,
        });
        return json(201, made, { 'cache-control': 'no-store' });
      },
    }),
    handlerRoute({
      ...common,
      method: 'POST',
      path: '/v1/keys/:id/rotate',
      operation: 'rotateKey',
      summary: 'A successor; the old key stays valid for the grace',
      params: schemas.idParams,
      body: schemas.rotateBody,
      answers: { 201: { description: 'The successor.', schema: schemas.madeKey } },
      handle: async ({ caller, params, body }) => {
        const { keyId } = await find(caller, params.id);
        const made = await keys.rotate(keyId, body.grace_hours * HOUR_MS);
        if (!made) throw new AppError('key_not_found', {}, { message: 'This key is not valid any more. Create one.' });
        return json(201, made, { 'cache-control': 'no-store' });
      },
    }),
    handlerRoute({
      ...common,
      method: 'DELETE',
      path: '/v1/keys/:id',
      operation: 'revokeKey',
      summary: 'Revoke a key: it fails within a second everywhere',
      params: schemas.idParams,
      answers: { 200: { description: 'Revoked.', schema: schemas.done } },
      handle: async ({ caller, params }) => {
        const { keyId } = await find(caller, params.id);
        await keys.revoke(keyId);
        return json(200, { ok: true });
      },
    }),
  ];
}
