import { parsePhone } from './address.ts';

/** Numbers of one card; more are left out. */
const MAX_PHONES = 50;
/** A property of a card: an optional group, the name, its parameters, and the value. */
const PROPERTY = /^(?:[\w-]+\.)?TEL((?:;[^:]*)?):(.*)$/i;

/**
 * The phone numbers on a vCard, in its order: `+` and digits where the country is known (WhatsApp's
 * `waid`, or a number with `+` or `00`), else as the card has it. Lines may be folded (RFC 6350).
 */
export function vcardPhones(vcard: string): string[] {
  const lines = vcard.replace(/\r?\n[ \t]/g, '').split(/\r?\n/);
  const phones = lines.flatMap((line) => {
    const match = PROPERTY.exec(line.trim());
    if (!match) return [];
    const waid = /;waid=(\d{6,15})/i.exec(match[1] ?? '')?.[1];
    if (waid !== undefined) return [`+${waid}`];
    const value = (match[2] ?? '').trim().replace(/^tel:/i, '');
    const digits = /^(?:\+|00)/.test(value) ? parsePhone(value) : undefined;
    return digits === undefined ? (value === '' ? [] : [value]) : [`+${digits}`];
  });
  return [...new Set(phones)].slice(0, MAX_PHONES);
}
