import { crc32 } from 'node:zlib';
import { randomBase62 } from './ids.ts';
import type { Mode } from './lines.ts';

/** Random part: 32 base62 characters, 190 bits. */
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const FORM = /^wzb_(live|test)_[0-9A-Za-z]{38}$/;

/**
 * CRC-32 of the rest in base62: refuses typing errors without a query, and lets scanners recognise
 * a leaked key. Not a secret.
 */
function checksum(head: string): string {
  let value = crc32(head);
  let out = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i += 1) {
    out = (BASE62[value % 62] ?? '0') + out;
    value = Math.floor(value / 62);
  }
  return out;
}

/** A new API key: `wzb_<mode>_` + 32 random characters + checksum. */
export function newApiKey(mode: Mode): string {
  const head = `wzb_${mode}_${randomBase62(SECRET_LENGTH)}`;
  return head + checksum(head);
}

/** True for text that may be a key of ours: right form, right checksum. */
export function isApiKey(text: string): boolean {
  return FORM.test(text) && checksum(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH);
}

/** What may be shown of a key: its beginning and its last four characters. */
export function keyPrefix(key: string): string {
  return `${key.slice(0, 13)}…${key.slice(-4)}`;
}
