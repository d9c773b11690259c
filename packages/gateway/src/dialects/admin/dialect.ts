import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Operator } from '../../commands/account/operator.ts';
import { AppError } from '../../core/app-error.ts';
import { flatErrorAnswer, flatErrorSchema } from '../../http/flat-errors.ts';
import { bearerOf } from '../../http/presented-key.ts';
import {
  type Answer,
  type Checked,
  type Dialect,
  handlerRoute,
  json,
  type Route,
  type RouteFacts,
} from '../../http/route.ts';
import * as answers from './answers.ts';
import * as schemas from './schemas.ts';

const HOUR_MS = 3_600_000;
const NO_STORE = { 'cache-control': 'no-store' };

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;

/** True for the operator's token; takes the same time for every wrong one. */
function holdsToken(request: FastifyRequest, token: string): boolean {
  const presented = bearerOf(request.headers.authorization) ?? '';
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(presented), digest(token));
}

/**
 * The operator's API: accounts, plans and keys of the whole installation. It answers to ADMIN_TOKEN
 * only, and is not there at all without one.
 */
export function createAdminDialect({ operator, token }: { operator: Operator; token: string | undefined }): Dialect {
  /** A row for callers that hold the token. */
  function row<
    P extends z.ZodType | undefined = undefined,
    Q extends z.ZodType | undefined = undefined,
    B extends z.ZodType | undefined = undefined,
  >(
    facts: Pick<RouteFacts, 'method' | 'path' | 'operation' | 'summary' | 'answers'> & {
      params?: P;
      query?: Q;
      body?: B;
      answer: (checked: Checked<Parsed<P>, Parsed<Q>, Parsed<B>>) => Promise<Answer>;
    },
  ): Route {
    const { answer, ...rest } = facts;
    return handlerRoute({
      ...rest,
      tag: 'Operator',
      auth: 'none',
      limit: 'api',
      // Before the body: a caller without the token learns nothing about the body's shape.
      admits(request) {
        if (token === undefined) throw new AppError('not_found');
        if (holdsToken(request, token)) return;
        throw new AppError('unauthorized', {}, { message: 'Send ADMIN_TOKEN as "Authorization: Bearer <token>".' });
      },
      handle: (visit) => answer(visit as Checked<Parsed<P>, Parsed<Q>, Parsed<B>>),
    });
  }
  const ok = (description: string, schema: z.ZodType) => ({ 200: { description, schema } });
  const routes: Route[] = [
    row({
      method: 'GET',
      path: '/v1/accounts',
      operation: 'adminListAccounts',
      summary: 'Accounts, oldest first',
      answers: ok('Accounts.', schemas.accounts),
      answer: async () => json(200, { ok: true, accounts: (await operator.accounts()).map(answers.account) }),
    }),
    row({
      method: 'POST',
      path: '/v1/accounts',
      operation: 'adminCreateAccount',
      summary: 'Create an account',
      body: schemas.newAccount,
      answers: ok('The account.', schemas.oneAccount),
      answer: async ({ body }) =>
        json(200, {
          ok: true,
          ...answers.account(await operator.createAccount({ name: body.name, ...changeOf(body) })),
        }),
    }),
    row({
      method: 'GET',
      path: '/v1/accounts/:id',
      operation: 'adminGetAccount',
      summary: 'Detail of an account',
      params: schemas.idParams,
      answers: ok('The account.', schemas.oneAccount),
      answer: async ({ params }) => json(200, { ok: true, ...answers.account(await operator.account(params.id)) }),
    }),
    row({
      method: 'PATCH',
      path: '/v1/accounts/:id',
      operation: 'adminChangeAccount',
      summary: 'Change name, plan, subscription, billing cycle or how texts are kept',
      params: schemas.idParams,
      body: schemas.accountChange,
      answers: ok('The account.', schemas.oneAccount),
      answer: async ({ params, body }) => {
        const account = await operator.changeAccount(params.id, { name: body.name, ...changeOf(body) });
        return json(200, { ok: true, ...answers.account(account) });
      },
    }),
    row({
      method: 'GET',
      path: '/v1/accounts/:id/usage',
      operation: 'adminAccountUsage',
      summary: 'What an account used in its billing cycle',
      params: schemas.idParams,
      query: schemas.modeQuery,
      answers: ok('Used and allowed.', schemas.usage),
      answer: async ({ params, query }) =>
        json(200, { ok: true, ...answers.usage(await operator.usage(params.id, query.mode)) }),
    }),
    row({
      method: 'GET',
      path: '/v1/plans',
      operation: 'adminListPlans',
      summary: 'Plans with limits',
      answers: ok('Plans.', schemas.plans),
      answer: async () => json(200, { ok: true, plans: await operator.plans() }),
    }),
    row({
      method: 'PUT',
      path: '/v1/plans/:name',
      operation: 'adminPutPlan',
      summary: 'Make or change a plan',
      params: schemas.planParams,
      body: schemas.planBody,
      answers: ok('The plan.', schemas.onePlan),
      answer: async ({ params, body }) =>
        json(200, { ok: true, ...(await operator.putPlan({ name: params.name, limits: body })) }),
    }),
    row({
      method: 'DELETE',
      path: '/v1/plans/:name',
      operation: 'adminDeletePlan',
      summary: 'Delete a plan that no account has',
      params: schemas.planParams,
      answers: ok('It is gone.', schemas.done),
      answer: async ({ params }) => {
        await operator.deletePlan(params.name);
        return json(200, { ok: true });
      },
    }),
    row({
      method: 'GET',
      path: '/v1/keys',
      operation: 'adminListKeys',
      summary: 'API keys of an account, or of all',
      query: schemas.keysQuery,
      answers: ok('Keys, never their text.', schemas.keys),
      answer: async ({ query }) =>
        json(200, { ok: true, keys: (await operator.keys(query.account_id)).map(answers.key) }),
    }),
    row({
      method: 'POST',
      path: '/v1/keys',
      operation: 'adminCreateKey',
      summary: 'Create an API key; its text is in this answer only',
      body: schemas.newKey,
      answers: ok('The key.', schemas.madeKey),
      answer: async ({ body }) => {
        const made = await operator.createKey({
          accountId: body.account_id,
          mode: body.mode,
          name: body.name,
          scopes: body.scopes,
          expiresAt: body.expires_at ?? null,
          needsApproval: body.approval === 'required',
          lines: body.line_ids,
          networks: body.networks,
        });
        return json(200, { ok: true, ...made }, NO_STORE);
      },
    }),
    row({
      method: 'DELETE',
      path: '/v1/keys/:id',
      operation: 'adminRevokeKey',
      summary: 'Revoke an API key: it fails within a second everywhere',
      params: schemas.idParams,
      answers: ok('It is revoked.', schemas.done),
      answer: async ({ params }) => {
        await operator.revokeKey(params.id);
        return json(200, { ok: true });
      },
    }),
    row({
      method: 'POST',
      path: '/v1/keys/:id/rotate',
      operation: 'adminRotateKey',
      summary: 'A successor with the same rights; the old key stays valid for the grace',
      params: schemas.idParams,
      body: schemas.rotation,
      answers: ok('The successor.', schemas.madeKey),
      answer: async ({ params, body }) =>
        json(200, { ok: true, ...(await operator.rotateKey(params.id, body.grace_hours * HOUR_MS)) }, NO_STORE),
    }),
  ];
  return {
    name: 'admin',
    prefix: '/api/admin',
    title: 'Admin API',
    description: 'Accounts, plans and keys, for operators of the installation. Requires ADMIN_TOKEN.',
    cors: false,
    published: false,
    unknownMembers: 'refuse',
    ipLimit: 'ip',
    routes,
    errorAnswer: flatErrorAnswer,
    errorSchema: flatErrorSchema,
  };
}

const changeOf = (body: Omit<z.output<typeof schemas.accountChange>, 'name'>) => ({
  plan: body.plan,
  subscription: body.subscription,
  cycleAnchor: body.cycle_anchor,
  contents: body.contents,
});
