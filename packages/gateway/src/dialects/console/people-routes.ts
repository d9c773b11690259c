import type { ConsoleAccess } from '../../access/console-access.ts';
import { handlerRoute, json, type Route } from '../../http/route.ts';
import * as answers from './answers.ts';
import * as schemas from './schemas.ts';

const common = { tag: 'People', limit: 'console', auth: 'session', role: 'owner' } as const;

/** Users and the audit log: for owners. */
export function peopleRoutes(access: ConsoleAccess): Route[] {
  return [
    handlerRoute({
      ...common,
      method: 'GET',
      path: '/v1/users',
      operation: 'listUsers',
      summary: 'Who may sign in',
      answers: { 200: { description: 'Users.', schema: schemas.users } },
      handle: async () => json(200, { users: (await access.users.list()).map(answers.user) }),
    }),
    handlerRoute({
      ...common,
      method: 'POST',
      path: '/v1/users',
      operation: 'addUser',
      summary: 'Add a person; the password is in this answer only',
      body: schemas.newUserBody,
      answers: { 201: { description: 'The user.', schema: schemas.madeUser } },
      handle: async ({ body }) => {
        const { user, password } = await access.addUser(body);
        return json(201, { user: answers.user(user), password });
      },
    }),
    handlerRoute({
      ...common,
      method: 'PATCH',
      path: '/v1/users/:id',
      operation: 'changeUser',
      summary: 'Change role, lock out or back in, draw a new password',
      params: schemas.idParams,
      body: schemas.userChangeBody,
      answers: { 200: { description: 'The user.', schema: schemas.madeUser } },
      handle: async ({ params, body }) => {
        const { role, disabled, reset_password: resetPassword } = body;
        const { user, password } = await access.changeUser(params.id, { role, disabled, resetPassword });
        return json(200, { user: answers.user(user), password });
      },
    }),
    handlerRoute({
      ...common,
      method: 'DELETE',
      path: '/v1/users/:id',
      operation: 'removeUser',
      summary: 'Remove a person',
      params: schemas.idParams,
      answers: { 200: { description: 'Gone.', schema: schemas.done } },
      handle: async ({ params }) => {
        await access.removeUser(params.id);
        return json(200, { ok: true });
      },
    }),
    handlerRoute({
      ...common,
      method: 'GET',
      path: '/v1/audit',
      operation: 'readAudit',
      summary: 'Who did what, newest first',
      query: schemas.pageQuery,
      answers: { 200: { description: 'Entries.', schema: schemas.audit } },
      handle: async ({ query }) => {
        const { entries, next } = await access.audit.list(query);
        return json(200, { entries: entries.map(answers.auditEntry), next });
      },
    }),
  ];
}
