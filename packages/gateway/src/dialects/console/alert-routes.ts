import { z } from 'zod';
import type { AlertSettings, Alerts } from '../../commands/problems/alerts.ts';
import { AppError } from '../../core/app-error.ts';
import { handlerRoute, json, type Route } from '../../http/route.ts';
import * as schemas from './schemas.ts';

const common = { tag: 'Alerts', limit: 'console', auth: 'session', role: 'viewer' } as const;

const MAX_URL = 2_048;
const change = z.object({
  email: z.boolean().optional(),
  url: z.string().max(MAX_URL).nullable().optional(),
  texts: z.boolean().optional(),
});

const answerOf = (of: AlertSettings) => ({
  email: of.hasEmail,
  url: of.url,
  texts: of.hasTexts,
  can_mail: of.canMail,
});

/** Where the signed-in user is told of problems; each user has settings of their own. */
export function alertRoutes(alerts: Alerts): Route[] {
  const me = (session: { userId: string } | undefined): string => {
    if (!session) throw new AppError('unauthorized');
    return session.userId;
  };
  return [
    handlerRoute({
      ...common,
      method: 'GET',
      path: '/v1/alerts',
      operation: 'readAlerts',
      summary: 'Where I am told of problems',
      answers: { 200: { description: 'My settings.', schema: schemas.alerts } },
      handle: async ({ session }) => json(200, answerOf(await alerts.read(me(session)))),
    }),
    handlerRoute({
      ...common,
      method: 'PATCH',
      path: '/v1/alerts',
      operation: 'changeAlerts',
      summary: 'Change where I am told; the secret of a new address is in this answer only',
      body: change,
      answers: { 200: { description: 'My settings.', schema: schemas.changedAlerts } },
      handle: async ({ session, body }) => {
        const { email, url, texts } = body;
        const changed = await alerts.change(me(session), {
          ...(email === undefined ? {} : { hasEmail: email }),
          ...(url === undefined ? {} : { url }),
          ...(texts === undefined ? {} : { hasTexts: texts }),
        });
        return json(200, { ...answerOf(changed), secret: changed.secret ?? null });
      },
    }),
    handlerRoute({
      ...common,
      method: 'POST',
      path: '/v1/alerts/test',
      operation: 'testAlerts',
      summary: 'Send me a test alert',
      answers: { 200: { description: 'It is on its way.', schema: schemas.done } },
      handle: async ({ session }) => {
        await alerts.test(me(session));
        return json(200, { ok: true });
      },
    }),
  ];
}
