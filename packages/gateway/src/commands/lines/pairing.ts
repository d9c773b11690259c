import { lineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineRef } from './find-line.ts';

/** How long a caller waits for WhatsApp's first QR or code. */
export const PAIRING_WAIT_MS = 20_000;
/** What the way to the worker and back may take on top. */
const MARGIN_MS = 3_000;
const LOGOUT_WAIT_MS = 5_000;

/**
 * The QR to scan right now; begins pairing when the line is unpaired. `already_paired`,
 * `whatsapp_timeout`.
 */
export const pairingQr = lineCommand({ scope: 'lines:write' }, (context: Context, line, _: { line: LineRef }) =>
  context.router.run(line.id, 'pairing.qr', { waitMs: PAIRING_WAIT_MS }, { timeoutMs: PAIRING_WAIT_MS + MARGIN_MS }),
);

/**
 * The eight characters to type on the phone; replaces an earlier code. `already_paired`,
 * `whatsapp_timeout`.
 */
export const pairingCode = lineCommand(
  { scope: 'lines:write' },
  (context: Context, line, input: { line: LineRef; phone: string }) =>
    context.router.run(
      line.id,
      'pairing.code',
      { phone: input.phone, waitMs: PAIRING_WAIT_MS },
      { timeoutMs: PAIRING_WAIT_MS + MARGIN_MS },
    ),
);

/**
 * Unlinks the device at WhatsApp when it can, and forgets the credentials. An unpaired line stays
 * one.
 */
export const logout = lineCommand({ scope: 'lines:write' }, (context: Context, line, _: { line: LineRef }) =>
  context.router.run(line.id, 'logout', { timeoutMs: LOGOUT_WAIT_MS }, { timeoutMs: LOGOUT_WAIT_MS + MARGIN_MS }),
);
