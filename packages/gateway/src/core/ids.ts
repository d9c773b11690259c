import { randomBytes } from 'node:crypto';
import { systemClock } from './clock.ts';

/** In the order of their bytes, so that text sorts as the numbers do. */
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * `length` characters of base62 from the system's random source; 5.95 bits each, without modulo
 * bias.
 */
export function randomBase62(length: number): string {
  let out = '';
  while (out.length < length) {
    // A few more than needed: one byte in 32 is of no use, and another draw costs more than bytes.
    for (const byte of randomBytes(length + 4)) {
      if (byte < 248 && out.length < length) out += BASE62[byte % 62];
    }
  }
  return out;
}

/** Digits of the millisecond: enough until the year 8888. */
const TIME_DIGITS = 8;

/** A time as base62, always equally long: later ones sort behind earlier ones. */
function timeBase62(ms: number): string {
  let out = '';
  for (let rest = Math.max(0, Math.floor(ms)); out.length < TIME_DIGITS; rest = Math.floor(rest / 62)) {
    out = (BASE62[rest % 62] ?? '0') + out;
  }
  return out;
}

let lastMs = -1;
let lastText = '';

/** The present millisecond; many ids are made in one. */
function nowBase62(): string {
  const ms = systemClock.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastText = timeBase62(ms);
  }
  return lastText;
}

/** Nothing can be learnt from it, and it cannot be guessed (119 random bits). */
const random = (prefix: string) => (): string => `${prefix}_${randomBase62(20)}`;

/**
 * Sorts by the time it was made, to the millisecond: an index of many takes a new one at its end
 * instead of on a page of its own. The rest (71 random bits) keeps nodes apart that never speak to
 * each other. It tells when it was made and names a row of an account; it gives no right to it.
 */
const ordered = (prefix: string) => (): string => `${prefix}_${nowBase62()}${randomBase62(20 - TIME_DIGITS)}`;

export const newAccountId = random('acc');
export const newKeyId = random('key');
/** Of a fleet: drawn at each start of a process. */
export const newNodeId = random('node');
export const newLineId = random('line');
export const newWebhookId = random('whk');
export const newDeliveryId = ordered('dlv');
export const newEventId = ordered('evt');
export const newRequestId = random('req');
export const newUserId = random('usr');
export const newSessionId = random('ses');
export const newApprovalId = random('apr');
export const newAlertId = ordered('alt');
export const newOutboxId = ordered('out');

/**
 * A WhatsApp message id of the form official web clients draw (`3EB0` and 18 hex digits; seen in
 * Baileys and whatsmeow).
 */
export function newMessageId(): string {
  return `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
}
