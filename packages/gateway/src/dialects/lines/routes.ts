import { SERVER_PN } from '@ponte/engine';
import { DEFAULT_PACING } from '../../core/pacing.ts';
import { contextOf } from '../../http/content-schema.ts';
import { json, type Route, route } from '../../http/route.ts';
import * as answers from './answers.ts';
import { approvalRoutes } from './approval-routes.ts';
import { contactRoutes } from './contact-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { groupRoutes } from './group-routes.ts';
import { historyRoutes } from './history-routes.ts';
import { mediaRoutes } from './media-routes.ts';
import { messageRoutes } from './message-routes.ts';
import { SENT } from './row-parts.ts';
import * as schemas from './schemas.ts';
import { traceRoutes } from './trace-routes.ts';
import { trafficRoutes } from './traffic-routes.ts';
import { webhookRoutes } from './webhook-routes.ts';
import { settingsOf, webhookReport } from './webhook-schemas.ts';

const rfc3339 = (ms: number): string => new Date(ms).toISOString();
const lineOf = ({ params }: { params: { line_id: string } }) => ({ line: { id: params.line_id } });
const webhookOf = ({ params }: { params: { id: string } }) => ({ id: params.id });

const account: Route[] = [
  route({
    method: 'GET',
    path: '/v1/me',
    operation: 'me',
    summary: 'Account, plan and limits',
    tag: 'Account',
    auth: 'key',
    limit: 'api',
    answers: { 200: { description: 'Who this key is.', schema: schemas.me } },
    command: 'account.me',
    in: () => ({}),
    out: (me) => json(200, answers.me(me)),
  }),
  route({
    method: 'GET',
    path: '/v1/usage',
    operation: 'usage',
    summary: 'Period consumption',
    tag: 'Account',
    auth: 'key',
    limit: 'api',
    answers: { 200: { description: 'Used and allowed; limit null = unlimited.', schema: schemas.usage } },
    command: 'account.usage',
    in: () => ({}),
    out: (usage) => json(200, answers.usage(usage)),
  }),
];

const lines: Route[] = [
  route({
    method: 'GET',
    path: '/v1/lines',
    operation: 'listLines',
    summary: 'List lines',
    tag: 'Lines',
    auth: 'key',
    limit: 'api',
    answers: { 200: { description: 'The lines, oldest first.', schema: schemas.lines } },
    command: 'lines.all',
    in: () => ({}),
    out: (views) => json(200, { ok: true, lines: views.map(answers.line) }),
  }),
  route({
    method: 'POST',
    path: '/v1/lines',
    operation: 'createLine',
    summary: 'Create a line, to be paired next',
    description: 'A customer_ref that a line has already answers that line, unchanged.',
    tag: 'Lines',
    auth: 'key',
    limit: 'provision',
    body: schemas.newLine,
    requestExample: { label: 'Support', customer_ref: 'user-123' },
    answers: { 200: { description: 'The line.', schema: schemas.oneLine } },
    command: 'lines.add',
    in: ({ body }) => ({ label: body.label, customerRef: body.customer_ref }),
    out: (view) => json(200, { ok: true, ...answers.line(view) }),
  }),
  route({
    method: 'GET',
    path: '/v1/lines/:line_id',
    operation: 'getLine',
    summary: 'Detail of a line',
    tag: 'Lines',
    auth: 'key',
    limit: 'api',
    params: schemas.lineParams,
    answers: { 200: { description: 'The line.', schema: schemas.oneLine } },
    command: 'lines.get',
    in: lineOf,
    out: (view) => json(200, { ok: true, ...answers.line(view) }),
  }),
  route({
    method: 'PATCH',
    path: '/v1/lines/:line_id',
    operation: 'changeLine',
    summary: 'Change label, customer_ref or pacing',
    tag: 'Lines',
    auth: 'key',
    limit: 'api',
    params: schemas.lineParams,
    body: schemas.lineChange,
    requestExample: { label: 'Sales' },
    answers: { 200: { description: 'The line.', schema: schemas.oneLine } },
    command: 'lines.patch',
    in: ({ params, body }) => ({
      line: { id: params.line_id },
      label: body.label,
      customerRef: body.customer_ref,
      pacing: body.pacing && {
        minGapMs:
          body.pacing.min_gap_ms ??
          Math.min(DEFAULT_PACING.minGapMs, body.pacing.max_gap_ms ?? DEFAULT_PACING.maxGapMs),
        maxGapMs: body.pacing.max_gap_ms ?? Math.max(DEFAULT_PACING.maxGapMs, body.pacing.min_gap_ms ?? 0),
        burst: body.pacing.burst ?? DEFAULT_PACING.burst,
        pauseMs: body.pacing.pause_ms ?? DEFAULT_PACING.pauseMs,
      },
    }),
    out: (view) => json(200, { ok: true, ...answers.line(view) }),
  }),
  route({
    method: 'DELETE',
    path: '/v1/lines/:line_id',
    operation: 'deleteLine',
    summary: 'Unlink, stop and delete a line with all its data',
    tag: 'Lines',
    auth: 'key',
    limit: 'api',
    params: schemas.lineParams,
    answers: { 200: { description: 'It is gone.', schema: schemas.deleted } },
    command: 'lines.remove',
    in: lineOf,
    out: (_, { params }) => json(200, { ok: true, line_id: params.line_id, deleted: true }),
  }),
  route({
    method: 'GET',
    path: '/v1/lines/:line_id/qr',
    operation: 'lineQr',
    summary: 'The QR code to scan',
    tag: 'Lines',
    auth: 'key',
    limit: 'api',
    params: schemas.lineParams,
    query: schemas.qrQuery,
    answers: {
      200: {
        description: 'The code; it changes every few seconds.',
        schema: schemas.qr,
        contentTypes: ['image/png', 'image/svg+xml', 'text/plain'],
      },
    },
    command: 'pairing.qr',
    in: lineOf,
    out: (code, { params, query }) => answers.qr(query.format, params.line_id, code),
  }),
  route({
    method: 'POST',
    path: '/v1/lines/:line_id/pair',
    operation: 'pairLine',
    summary: 'Pair by a code typed on the phone',
    tag: 'Lines',
    auth: 'key',
    limit: 'api',
    params: schemas.lineParams,
    body: schemas.pairBody,
    requestExample: { phone: '+34600000000' },
    answers: { 200: { description: 'The code; each call replaces the earlier one.', schema: schemas.pairCode } },
    command: 'pairing.code',
    in: ({ params, body }) => ({ line: { id: params.line_id }, phone: body.phone }),
    out: ({ code, expiresAt }, { params }) =>
      json(200, { ok: true, line_id: params.line_id, code, expires_at: rfc3339(expiresAt) }),
  }),
  route({
    method: 'POST',
    path: '/v1/lines/:line_id/connect-link',
    operation: 'connectLink',
    summary: 'A page where the owner of the number pairs the line',
    description:
      'Hand the address to the owner: it shows the QR code as it changes, or a code to type. Valid for 15 minutes, one pairing and the first browser that asks for a code. The page speaks the visitor’s language; the body says how it looks, who may frame it, and where the browser goes in the end (with `status=connected` and `line_id`). Webhooks hear of the result by `line.status`.',
    tag: 'Lines',
    auth: 'key',
    limit: 'api',
    params: schemas.lineParams,
    body: schemas.connectPage,
    requestExample: { name: 'Café Olé', colour: '#8a1c4a', redirect_url: 'https://example.com/connected' },
    answers: { 200: { description: 'The address of the page.', schema: schemas.connectLink } },
    command: 'pairing.connectLink',
    in: ({ params, body }) => ({
      line: { id: params.line_id },
      page: {
        name: body.name,
        logo: body.logo,
        colour: body.colour,
        locale: body.locale,
        redirectUrl: body.redirect_url,
        embedOrigins: body.embed_origins,
      },
    }),
    out: ({ url, expiresAt }, { params }) =>
      json(
        200,
        { ok: true, line_id: params.line_id, url, expires_at: rfc3339(expiresAt) },
        { 'cache-control': 'no-store' },
      ),
  }),
  route({
    method: 'POST',
    path: '/v1/lines/:line_id/logout',
    operation: 'logoutLine',
    summary: 'Unpair',
    tag: 'Lines',
    auth: 'key',
    limit: 'api',
    params: schemas.lineParams,
    answers: { 200: { description: 'The line is unpaired.', schema: schemas.loggedOut } },
    command: 'pairing.logout',
    in: lineOf,
    out: ({ unlinked }, { params }) => json(200, { ok: true, line_id: params.line_id, unlinked }),
  }),
  route({
    method: 'POST',
    path: '/v1/lines/:line_id/restore',
    operation: 'restoreLine',
    summary: 'Restore a line that the phone logged out',
    description:
      'Takes back the credentials that are kept for 7 days after WhatsApp said that the device was removed (`credentials_kept_until`), and connects with them. It helps when WhatsApp was wrong, or the answer was not its own. It cannot undo a removal on the phone: WhatsApp then refuses the credentials, and the line is `logged_out` again. A logout by the API, deleting the line, or a new pairing destroys what is kept.',
    tag: 'Lines',
    auth: 'key',
    limit: 'api',
    params: schemas.lineParams,
    answers: {
      200: { description: 'They are back in place; the status tells what WhatsApp says.', schema: schemas.restored },
    },
    command: 'pairing.restore',
    in: lineOf,
    out: (_, { params }) => json(200, { ok: true, line_id: params.line_id }),
  }),
];

const messages: Route[] = [
  route({
    method: 'POST',
    path: '/v1/messages/send',
    operation: 'sendMessage',
    summary: 'Send text',
    tag: 'Messages',
    auth: 'key',
    limit: 'api',
    idempotent: true,
    query: schemas.waitQuery,
    body: schemas.sendBody,
    requestExample: { line_id: 'line_xxx', to: '+34600000000', message: 'Pedido confirmado' },
    answers: SENT,
    command: 'messages.send',
    in: ({ query, body }) => ({
      line: { id: body.line_id },
      to: body.to,
      content: { kind: 'text' as const, body: body.message, context: contextOf(body) },
      ...schemas.queueingOf(query, body),
    }),
    out: answers.sent,
  }),
  route({
    method: 'POST',
    path: '/v1/messages/read',
    operation: 'readMessages',
    summary: 'Mark as read',
    description: 'Without message_ids: everything unread in the chat.',
    tag: 'Messages',
    auth: 'key',
    limit: 'api',
    body: schemas.readBody,
    requestExample: { line_id: 'line_xxx', phone: '+34600000000' },
    answers: { 200: { description: 'What was marked.', schema: schemas.read } },
    command: 'messages.read',
    in: ({ body }) => ({
      line: { id: body.line_id },
      chat: chatOf(body),
      ids: body.message_ids,
      played: false,
    }),
    out: ({ ids }, { body }) => json(200, { ok: true, line_id: body.line_id, jid: chatOf(body), message_ids: ids }),
  }),
];

/** The schema lets exactly one of the two through. */
const chatOf = ({ jid, phone }: { jid?: string; phone?: string }): string => jid ?? `${phone}@${SERVER_PN}`;

const webhooks: Route[] = [
  route({
    method: 'GET',
    path: '/v1/webhooks',
    operation: 'listWebhooks',
    summary: 'List webhooks',
    tag: 'Webhooks',
    auth: 'key',
    limit: 'api',
    answers: { 200: { description: 'The webhooks, oldest first; never their secrets.', schema: schemas.webhooks } },
    command: 'webhooks.all',
    in: () => ({}),
    out: (all) => json(200, { ok: true, webhooks: all.map(answers.webhook) }),
  }),
  route({
    method: 'POST',
    path: '/v1/webhooks',
    operation: 'createWebhook',
    summary: 'Create a webhook',
    description: 'The secret is shown in this answer only.',
    tag: 'Webhooks',
    auth: 'key',
    limit: 'api',
    body: schemas.newWebhook,
    requestExample: { url: 'https://yourbackend.com/hook', events: ['message.received', 'message.status'] },
    answers: { 200: { description: 'The webhook and its secret.', schema: schemas.madeWebhook } },
    command: 'webhooks.add',
    in: ({ body }) => ({
      url: body.url,
      events: body.events,
      line: body.line_id === undefined ? undefined : { id: body.line_id },
      description: body.description,
      ...settingsOf(body),
    }),
    out: ({ webhook, secret }) =>
      json(200, { ok: true, ...answers.webhook(webhook), ...answers.webhookSecret(secret) }),
  }),
  route({
    method: 'GET',
    path: '/v1/webhooks/:id',
    operation: 'getWebhook',
    summary: 'Detail of a webhook',
    tag: 'Webhooks',
    auth: 'key',
    limit: 'api',
    params: schemas.webhookParams,
    answers: { 200: { description: 'The webhook.', schema: webhookReport } },
    command: 'webhooks.get',
    in: webhookOf,
    out: (report) => json(200, answers.webhookReport(report)),
  }),
  route({
    method: 'DELETE',
    path: '/v1/webhooks/:id',
    operation: 'deleteWebhook',
    summary: 'Delete a webhook; what it was still to get is dropped',
    tag: 'Webhooks',
    auth: 'key',
    limit: 'api',
    params: schemas.webhookParams,
    answers: { 200: { description: 'It is gone.', schema: schemas.removed } },
    command: 'webhooks.remove',
    in: webhookOf,
    out: (_, { params }) => json(200, { ok: true, id: params.id, deleted: true }),
  }),
  route({
    method: 'POST',
    path: '/v1/webhooks/:id/test',
    operation: 'testWebhook',
    summary: 'Deliver a webhook.test event now',
    tag: 'Webhooks',
    auth: 'key',
    limit: 'api',
    params: schemas.webhookParams,
    answers: { 200: { description: 'What the endpoint answered.', schema: schemas.tested } },
    command: 'webhooks.test',
    in: webhookOf,
    out: (result) =>
      json(200, {
        ok: result.ok,
        status_code: result.statusCode,
        duration_ms: result.durationMs,
        response_excerpt: result.responseExcerpt,
        ...(result.errorClass === null ? {} : { error: result.errorClass }),
      }),
  }),
];

export const routes: Route[] = [
  ...account,
  ...lines,
  ...messages,
  ...mediaRoutes,
  ...messageRoutes,
  ...contactRoutes,
  ...groupRoutes,
  ...webhooks,
  ...historyRoutes,
  ...webhookRoutes,
  ...eventRoutes,
  ...approvalRoutes,
  ...trafficRoutes,
  ...traceRoutes,
];
