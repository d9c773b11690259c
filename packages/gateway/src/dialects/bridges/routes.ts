import { json, plainRoute, type Route, route } from '../../http/route.ts';
import * as answers from './answers.ts';
import * as schemas from './schemas.ts';
import { PUBLISHED_EVENTS } from './webhook-format.ts';

const PROXY = '/:bridge/proxy';

/** The bridge of a path segment: a customer_ref or an integer id. */
const bridge = ({ params }: { params: { bridge: string } }) => ({ line: { bridge: params.bridge } });

const SENT = {
  200: {
    description: 'WhatsApp has it.',
    schema: schemas.sent,
    example: { message_id: 'ACE41E...', timestamp: 1777180605 },
  },
  202: {
    description: 'Accepted; it waits for its turn or for the connection, and is sent without being asked again.',
    schema: schemas.queued,
    example: { message_id: 'ACE41E...', timestamp: 1777180605, status: 'queued' },
  },
};
const OK = { 200: { description: 'Done.', schema: schemas.ok, example: { ok: true } } };

const provisioning: Route[] = [
  route({
    method: 'POST',
    path: '',
    operation: 'provisionBridge',
    summary: 'Provision a bridge',
    description: 'The same customer_ref again answers the existing bridge, unchanged.',
    tag: 'Provisioning',
    auth: 'key',
    limit: 'provision',
    body: schemas.provisionBody,
    requestExample: { customer_ref: 'user-123', webhook_url: 'https://yourbackend.com/hook' },
    answers: {
      200: {
        description: 'The bridge.',
        schema: schemas.provisioned,
        example: { id: 42, customer_ref: 'user-123', state: 'running' },
      },
    },
    command: 'lines.ensure',
    in: ({ body }) => ({
      customerRef: body.customer_ref,
      webhook: body.webhook_url
        ? { url: body.webhook_url, events: body.webhook_events ?? PUBLISHED_EVENTS }
        : undefined,
    }),
    out: (view) => json(200, answers.provisioned(view)),
  }),
  route({
    method: 'GET',
    path: '',
    operation: 'listBridges',
    summary: 'List all bridges, oldest first',
    tag: 'Provisioning',
    auth: 'key',
    limit: 'api',
    answers: { 200: { description: 'The bridges.', schema: schemas.listed.array() } },
    command: 'lines.all',
    in: () => ({}),
    out: (views) => json(200, views.map(answers.listed)),
  }),
  route({
    method: 'GET',
    path: '/:bridge',
    operation: 'getBridge',
    summary: 'One bridge with the state of its process',
    tag: 'Provisioning',
    auth: 'key',
    limit: 'api',
    params: schemas.bridgeParams,
    answers: { 200: { description: 'The bridge.', schema: schemas.detailed } },
    command: 'lines.get',
    in: bridge,
    out: (view) => json(200, answers.detailed(view)),
  }),
  route({
    method: 'PATCH',
    path: '/:bridge',
    operation: 'changeBridge',
    summary: 'Change where a bridge delivers its events',
    tag: 'Provisioning',
    auth: 'key',
    limit: 'api',
    params: schemas.bridgeParams,
    body: schemas.changeBody,
    requestExample: { webhook_url: 'https://yourbackend.com/hook' },
    answers: { 200: { description: 'The bridge.', schema: schemas.detailed } },
    command: 'lines.setWebhook',
    in: ({ params, body }) => ({
      line: { bridge: params.bridge },
      url: body.webhook_url,
      events: body.webhook_events,
      defaultEvents: PUBLISHED_EVENTS,
    }),
    out: (view) => json(200, answers.detailed(view)),
  }),
  route({
    method: 'DELETE',
    path: '/:bridge',
    operation: 'deleteBridge',
    summary: 'Unlink, stop and delete a bridge with all its data',
    tag: 'Provisioning',
    auth: 'key',
    limit: 'api',
    params: schemas.bridgeParams,
    answers: { 204: { description: 'It is gone.' } },
    command: 'lines.remove',
    in: bridge,
    out: () => ({ status: 204 }),
  }),
];

const session: Route[] = [
  route({
    method: 'GET',
    path: `${PROXY}/status`,
    operation: 'bridgeStatus',
    summary: 'Connection state',
    tag: 'Session',
    auth: 'key',
    limit: 'proxy',
    params: schemas.bridgeParams,
    answers: {
      200: {
        description: 'The state; phone, jid and name while connected.',
        schema: schemas.connection,
        example: { status: 'connected', phone: '15550001234', jid: '15550001234@s.whatsapp.net', name: 'Alice' },
      },
    },
    command: 'lines.get',
    in: bridge,
    out: (view) => json(200, answers.connection(view)),
  }),
  route({
    method: 'GET',
    path: `${PROXY}/qr`,
    operation: 'bridgeQrPng',
    summary: 'The QR code to scan, as an image',
    tag: 'Session',
    auth: 'key',
    limit: 'proxy',
    params: schemas.bridgeParams,
    query: schemas.qrQuery,
    answers: {
      200: {
        description: 'The code; it changes every few seconds.',
        schema: schemas.qrJson,
        contentTypes: ['image/png', 'image/svg+xml', 'text/plain'],
      },
    },
    command: 'pairing.qr',
    in: bridge,
    out: (code, { query }) => answers.qr(query.format, code),
  }),
  route({
    method: 'POST',
    path: `${PROXY}/pair`,
    operation: 'pairBridge',
    summary: 'Pair by a code typed on the phone',
    tag: 'Session',
    auth: 'key',
    limit: 'proxy',
    params: schemas.bridgeParams,
    body: schemas.pairBody,
    requestExample: { phone: '15550001234' },
    answers: { 200: { description: 'The code.', schema: schemas.pairCode, example: { code: 'ABCD-EFGH' } } },
    command: 'pairing.code',
    in: ({ params, body }) => ({ line: { bridge: params.bridge }, phone: body.phone }),
    out: ({ code }) => json(200, { code }),
  }),
  route({
    method: 'DELETE',
    path: `${PROXY}/logout`,
    operation: 'logoutBridge',
    summary: 'Unpair; a new QR code is available at once',
    tag: 'Session',
    auth: 'key',
    limit: 'proxy',
    params: schemas.bridgeParams,
    answers: OK,
    command: 'pairing.logout',
    in: bridge,
    out: () => json(200, { ok: true }),
  }),
];

const messaging: Route[] = [
  route({
    method: 'POST',
    path: `${PROXY}/send/text`,
    operation: 'bridgeSendText',
    summary: 'Send a text message',
    tag: 'Messaging',
    auth: 'key',
    limit: 'proxy',
    idempotent: true,
    params: schemas.bridgeParams,
    query: schemas.waitQuery,
    body: schemas.textBody,
    requestExample: { chat: '15550001234', body: 'Hello!' },
    answers: SENT,
    command: 'messages.send',
    in: ({ params, query, body }) => ({
      line: { bridge: params.bridge },
      to: body.chat,
      content: {
        kind: 'text' as const,
        body: body.body,
        context: { quotedId: body.quoted_message_id, mentions: body.mentions },
      },
      waitMs: query.wait * 1_000,
    }),
    out: answers.sent,
  }),
  route({
    method: 'POST',
    path: `${PROXY}/messages/:id/read`,
    operation: 'bridgeReadMessage',
    summary: 'Send a read receipt',
    tag: 'Messaging',
    auth: 'key',
    limit: 'proxy',
    params: schemas.messageParams,
    body: schemas.readBody,
    requestExample: { chat: '15550001234@s.whatsapp.net' },
    answers: OK,
    command: 'messages.read',
    in: ({ params, body }) => ({
      line: { bridge: params.bridge },
      chat: body.chat,
      ids: [params.id],
      sender: body.sender,
      played: body.played,
    }),
    out: () => json(200, { ok: true }),
  }),
];

const contacts: Route[] = [
  route({
    method: 'POST',
    path: `${PROXY}/contacts/check`,
    operation: 'bridgeCheckNumbers',
    summary: 'Which phone numbers have WhatsApp',
    tag: 'Contacts',
    auth: 'key',
    limit: 'proxy',
    params: schemas.bridgeParams,
    body: schemas.checkBody,
    requestExample: { phones: ['15550001234', '00000000000'] },
    answers: {
      200: {
        description: 'One entry per number, in the order asked.',
        schema: schemas.checked,
        example: [
          { phone: '15550001234', registered: true, is_business: false },
          { phone: '00000000000', registered: false },
        ],
      },
    },
    command: 'numbers.check',
    in: ({ params, body }) => ({ line: { bridge: params.bridge }, numbers: body.phones }),
    out: (numbers) => json(200, answers.checked(numbers)),
  }),
];

const debug: Route[] = [
  plainRoute({
    method: 'GET',
    path: `${PROXY}/healthz`,
    operation: 'bridgeHealth',
    summary: 'Is the process up? Says nothing about the bridge',
    tag: 'Debug',
    auth: 'none',
    limit: 'proxy',
    params: schemas.bridgeParams,
    answers: OK,
    answer: () => json(200, { ok: true }),
  }),
  route({
    method: 'GET',
    path: `${PROXY}/debug/stats`,
    operation: 'bridgeStats',
    summary: 'Figures of the process that hosts the bridge',
    tag: 'Debug',
    auth: 'key',
    limit: 'proxy',
    params: schemas.bridgeParams,
    answers: { 200: { description: 'Measured now; null = the runtime cannot tell.', schema: schemas.stats } },
    command: 'lines.stats',
    in: bridge,
    out: (stats) => json(200, answers.stats(stats)),
  }),
];

export const routes: Route[] = [...provisioning, ...session, ...messaging, ...contacts, ...debug];
