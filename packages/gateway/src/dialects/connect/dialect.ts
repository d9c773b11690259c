import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  CONNECT_PATH,
  type ConnectDesk,
  type ConnectState,
  type ConnectVisit,
} from '../../commands/lines/connect-link.ts';
import { AppError } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import { phoneSchema } from '../../http/address-schema.ts';
import { flatErrorAnswer, flatErrorSchema } from '../../http/flat-errors.ts';
import { qrSvg } from '../../http/qr-image.ts';
import { type Answer, type Dialect, handlerRoute, json, type Route } from '../../http/route.ts';
import { PAGE_CSS, PAGE_HTML } from './page-html.ts';
import { PAGE_JS } from './page-script.ts';
import { PAGE_TEXTS } from './page-texts.ts';

const csp = (ancestors: string): string =>
  `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors ${ancestors}`;

/**
 * No foreign or inline resources and no framing; the address is a secret, so no referrer is sent.
 */
const PAGE_HEADERS = {
  'content-security-policy': csp("'none'"),
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Framing by these origins only, as the creator of the link wants it. */
function pageHeaders(embedOrigins: readonly string[] | undefined): Record<string, string> {
  if (!embedOrigins?.length) return PAGE_HEADERS;
  const { 'x-frame-options': _, 'cross-origin-opener-policy': _opener, ...headers } = PAGE_HEADERS;
  return { ...headers, 'content-security-policy': csp(embedOrigins.join(' ')) };
}

/** A script of the page holds it as JSON, which is JavaScript. */
const TEXTS_JS = `window.ponteTexts = ${JSON.stringify(PAGE_TEXTS)};\n`;

/** Longer than the page makes one, and short enough to hash. */
const VISITOR_LENGTH = 64;

function visitOf(request: FastifyRequest, token: string): ConnectVisit {
  const given = request.headers['x-connect-visitor'];
  return { token, visitor: typeof given === 'string' && given.length <= VISITOR_LENGTH ? given : undefined };
}

const common = { tag: 'Connect', auth: 'none', limit: 'api' } as const;
const tokenParams = z.object({ token: z.string() });

const asset = (file: string, contentType: string, data: string): Route =>
  handlerRoute({
    ...common,
    method: 'GET',
    path: `/assets/${file}`,
    operation: `connect-${file}`,
    summary: 'A file of the page',
    answers: { 200: { description: 'The file.', contentTypes: [contentType] } },
    handle: async (): Promise<Answer> => ({
      status: 200,
      bytes: { contentType, data },
      headers: { ...PAGE_HEADERS, 'cache-control': 'public, max-age=300' },
    }),
  });

/** The hosted page behind a connect link. The token in the address is the key. */
export function createConnectDialect({ desk, clock }: { desk: ConnectDesk; clock: Clock }): Dialect {
  const routes: Route[] = [
    asset('page.css', 'text/css; charset=utf-8', PAGE_CSS),
    asset('texts.js', 'text/javascript; charset=utf-8', TEXTS_JS),
    asset('page.js', 'text/javascript; charset=utf-8', PAGE_JS),
    handlerRoute({
      ...common,
      method: 'GET',
      path: '/:token',
      operation: 'connectPage',
      summary: 'The page',
      params: tokenParams,
      answers: { 200: { description: 'The page.', contentTypes: ['text/html'] } },
      // The page is the same for every address: what the link is worth, it asks for. Opening it (as
      // link previews do) uses nothing up.
      handle: async ({ params }) => ({
        status: 200,
        bytes: { contentType: 'text/html; charset=utf-8', data: PAGE_HTML },
        headers: pageHeaders((await desk.page(params.token)).embedOrigins),
      }),
    }),
    handlerRoute({
      ...common,
      method: 'GET',
      path: '/:token/state',
      operation: 'connectState',
      summary: 'Where the pairing stands',
      params: tokenParams,
      query: z.object({ want: z.enum(['qr', 'none']).default('none') }),
      answers: { 200: { description: 'The state.', schema: z.object({ state: z.string() }) } },
      handle: async ({ params, query, request }) => {
        const state = await desk.look(visitOf(request, params.token), query.want === 'qr');
        return json(200, stateAnswer(state, clock.now()), PAGE_HEADERS);
      },
    }),
    handlerRoute({
      ...common,
      method: 'POST',
      path: '/:token/code',
      operation: 'connectCode',
      summary: 'A code to type on the phone',
      params: tokenParams,
      body: z.object({ phone: phoneSchema }),
      answers: { 200: { description: 'The code.', schema: z.object({ code: z.string() }) } },
      handle: async ({ params, body, request }) => {
        const { code } = await desk.code(visitOf(request, params.token), body.phone).catch((error: unknown) => {
          // The page tells a person: our words for callers of an API would not help.
          if (!(error instanceof AppError) || error.code !== 'whatsapp_timeout') throw error;
          throw new AppError('whatsapp_timeout', {}, { message: 'WhatsApp gave no code in time. Try again.' });
        });
        return json(200, { code }, PAGE_HEADERS);
      },
    }),
  ];
  return {
    name: 'connect',
    prefix: CONNECT_PATH,
    title: 'Connect page',
    description: 'The hosted page where the owner of a number pairs a line.',
    cors: false,
    published: false,
    ipLimit: 'ip',
    routes,
    errorAnswer: flatErrorAnswer,
    errorSchema: flatErrorSchema,
  };
}

function stateAnswer(of: ConnectState, nowMs: number): Record<string, unknown> {
  const { state, page } = of;
  // A link that is over, or that another browser holds, discloses nothing of its creator but its
  // looks.
  const shown = { name: page.name, logo: page.logo, colour: page.colour, locale: page.locale };
  if (of.state === 'connected') {
    const redirect_url = page.redirectUrl && withResult(page.redirectUrl, of.lineId);
    const after = { ...shown, redirect_url, embed_origins: page.embedOrigins };
    return { state, page: after, line_id: of.lineId, phone: of.phone && `+${of.phone}`, name: of.name };
  }
  if (of.state === 'expired' || of.state === 'unknown' || of.state === 'taken') return { state, page: shown };
  const left = { seconds_left: Math.max(0, Math.ceil((of.expiresAt - nowMs) / 1_000)) };
  if (of.state === 'linking') return { state, page: shown, ...left };
  return { state, page: shown, ...left, problem: of.problem, qr: of.qr && qrSvg(of.qr.data) };
}

/** What the page it leads to is told. */
function withResult(url: string, lineId: string | undefined): string {
  const to = new URL(url);
  to.searchParams.set('status', 'connected');
  if (lineId !== undefined) to.searchParams.set('line_id', lineId);
  return to.href;
}
