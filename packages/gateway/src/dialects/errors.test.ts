import { describe, expect, it } from 'vitest';
import { AppError, ERRORS, type ErrorCode } from '../core/app-error.ts';
import { flatErrorAnswer } from '../http/flat-errors.ts';
import * as bridges from './bridges/errors.ts';
import * as lines from './lines/errors.ts';

const CODES = Object.keys(ERRORS) as ErrorCode[];

/** The published tables: our code → status and word. */
const BRIDGES: [ErrorCode, number, string][] = [
  ['validation_error', 400, 'validation_error'],
  ['unauthorized', 401, 'unauthorized'],
  ['subscription_required', 402, 'subscription_required'],
  ['forbidden', 403, 'forbidden'],
  ['line_not_found', 404, 'bridge_not_found'],
  ['message_not_found', 404, 'message_not_found'],
  ['contact_not_found', 404, 'contact_not_found'],
  ['media_not_found', 404, 'media_not_found'],
  ['method_not_allowed', 405, 'method_not_allowed'],
  ['unsupported_media_type', 415, 'unsupported_media_type'],
  ['payload_too_large', 413, 'payload_too_large'],
  ['already_paired', 409, 'already_paired'],
  ['nothing_kept', 409, 'nothing_kept'],
  ['search_off', 409, 'search_off'],
  ['line_not_connected', 409, 'not_connected'],
  ['idempotency_conflict', 409, 'idempotency_conflict'],
  ['media_expired', 410, 'media_expired'],
  ['not_on_whatsapp', 422, 'not_on_whatsapp'],
  ['media_fetch_failed', 422, 'media_fetch_failed'],
  ['media_rejected', 422, 'media_rejected'],
  ['edit_window_closed', 422, 'edit_window_closed'],
  ['rate_limited', 429, 'rate_limited'],
  ['quota_exceeded', 429, 'quota_exceeded'],
  ['line_limit_reached', 429, 'line_limit_reached'],
  ['server_error', 500, 'server_error'],
  ['whatsapp_error', 502, 'whatsapp_error'],
  ['unavailable', 503, 'unavailable'],
  ['whatsapp_timeout', 504, 'whatsapp_timeout'],
];
const LINES_ENVELOPE: [ErrorCode, number, string][] = [
  ['unauthorized', 401, 'unauthorized'],
  ['subscription_required', 402, 'subscription_required'],
  ['forbidden', 403, 'forbidden'],
  ['rate_limited', 429, 'rate_limited'],
  ['server_error', 500, 'server_error'],
  ['unavailable', 503, 'unavailable'],
];
const LINES_FLAT: [ErrorCode, number, string][] = [
  ['validation_error', 400, 'validation_error'],
  ['line_not_found', 404, 'line_not_found'],
  ['line_not_connected', 409, 'line_not_connected'],
  ['idempotency_conflict', 409, 'idempotency_conflict'],
  ['idempotency_in_progress', 409, 'idempotency_in_progress'],
  ['quota_exceeded', 429, 'quota_exceeded'],
  ['line_limit_reached', 429, 'line_limit_reached'],
  ['message_not_found', 404, 'message_not_found'],
  ['chat_not_found', 404, 'chat_not_found'],
  ['webhook_not_found', 404, 'webhook_not_found'],
  ['not_on_whatsapp', 422, 'not_on_whatsapp'],
  ['media_fetch_failed', 422, 'media_fetch_failed'],
  ['media_rejected', 422, 'media_rejected'],
  ['whatsapp_error', 502, 'whatsapp_error'],
  ['whatsapp_timeout', 504, 'whatsapp_timeout'],
];

describe('the errors of the Bridges API', () => {
  it.each(BRIDGES)('%s is %i %s, flat', (code, status, word) => {
    const answer = bridges.errorAnswer(new AppError(code));
    expect(answer).toMatchObject({ status, body: { error: word, message: expect.stringMatching(/\w/) } });
  });

  it('say the state of a bridge that is not connected, and WhatsApp’s own code', () => {
    expect(bridges.errorAnswer(new AppError('line_not_connected', { status: 'pairing' })).body.status).toBe('pairing');
    expect(bridges.errorAnswer(new AppError('whatsapp_error', { whatsapp_code: 463 })).body.details).toEqual({
      whatsapp_code: 463,
    });
  });

  it('keep a sentence that says the remedy more exactly', () => {
    const error = new AppError('line_not_found', {}, { message: 'Deleted a minute ago.' });
    expect(bridges.errorAnswer(error).body.message).toBe('Deleted a minute ago.');
  });
});

describe('the errors of the Lines API', () => {
  it.each(LINES_ENVELOPE)('%s is %i %s in the envelope', (code, status, word) => {
    expect(lines.errorAnswer(new AppError(code))).toEqual({
      status,
      body: { ok: false, error: { code: word, message: ERRORS[code].message, retryable: ERRORS[code].retryable } },
    });
  });

  it.each(LINES_FLAT)('%s is %i %s, flat', (code, status, word) => {
    expect(lines.errorAnswer(new AppError(code))).toEqual({
      status,
      body: { error: word, message: ERRORS[code].message },
    });
  });

  it('the published example of a quota', () => {
    const details = { metric: 'sent_messages', used: 10000, limit: 10000, plan: 'pro', retryAfterSeconds: 5 };
    expect(JSON.stringify(lines.errorAnswer(new AppError('quota_exceeded', details)).body)).toBe(
      '{"error":"quota_exceeded","message":"Monthly quota exceeded","metric":"sent_messages","used":10000,"limit":10000,"plan":"pro"}',
    );
  });
});

describe.each([
  ['bridges', bridges.errorAnswer, bridges.errorSchema],
  ['lines', lines.errorAnswer, lines.errorSchema],
  ['sandbox', flatErrorAnswer, bridges.errorSchema],
] as const)('%s', (_, answer, schema) => {
  it.each(CODES)('words %s by its published schema, without what belongs into headers or logs', (code) => {
    const secret = new Error('cause with secret');
    const error = new AppError(code, { retryAfterSeconds: 7, allow: ['GET'] }, { cause: secret });
    const { status, body } = answer(error);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(schema.safeParse(body).error).toBeUndefined();
    expect(JSON.stringify(body)).not.toMatch(/retryAfter|"allow"|secret/);
  });
});
