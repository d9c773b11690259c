import { randomBytes } from 'node:crypto';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * `length` characters of base62 from the system's random source; 5.95 bits each, without modulo
 * bias.
 */
export function randomBase62(length: number): string {
  let out = '';
  while (out.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && out.length < length) out += BASE62[byte % 62];
    }
  }
  return out;
}

const make = (prefix: string) => (): string => `${prefix}_${randomBase62(20)}`;

export const newAccountId = make('acc');
export const newKeyId = make('key');
export const newLineId = make('line');
export const newWebhookId = make('whk');
export const newDeliveryId = make('dlv');
export const newEventId = make('evt');
export const newRequestId = make('req');
export const newUserId = make('usr');
export const newSessionId = make('ses');
export const newApprovalId = make('apr');
export const newOutboxId = make('out');

/**
 * A WhatsApp message id of the form official web clients draw (`3EB0` and 18 hex digits; seen in
 * Baileys and whatsmeow).
 */
export function newMessageId(): string {
  return `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
}
