import { AppError } from '../../core/app-error.ts';
import type { Line } from '../../core/lines.ts';
import { UnreadableError } from '../../crypto/sealed-box.ts';
import { loadTold, saveStatus } from '../../lines/connection/save-status.ts';
import { forgetKeys } from '../../store/lines/forget-keys.ts';
import { destroyKept, restoreKeys } from '../../store/lines/kept-keys.ts';
import { lineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineName } from './find-line.ts';

/** How long a caller waits for WhatsApp's first QR or code. */
export const PAIRING_WAIT_MS = 20_000;
/** What the way to the worker and back may take on top. */
const MARGIN_MS = 3_000;
const LOGOUT_WAIT_MS = 5_000;

/**
 * The QR to scan right now; begins pairing when the line is unpaired. `already_paired`,
 * `whatsapp_timeout`.
 */
export const pairingQr = lineCommand({ scope: 'lines:write' }, (context: Context, line, _: { line: LineName }) =>
  context.router.run(line.id, 'pairing.qr', { waitMs: PAIRING_WAIT_MS }, { timeoutMs: PAIRING_WAIT_MS + MARGIN_MS }),
);

/**
 * The eight characters to type on the phone; replaces an earlier code. `already_paired`,
 * `whatsapp_timeout`.
 */
export const pairingCode = lineCommand(
  { scope: 'lines:write' },
  (context: Context, line, input: { line: LineName; phone: string }) =>
    context.router.run(
      line.id,
      'pairing.code',
      { phone: input.phone, waitMs: PAIRING_WAIT_MS },
      { timeoutMs: PAIRING_WAIT_MS + MARGIN_MS },
    ),
);

/**
 * Unlinks the device at WhatsApp when it can, and forgets the credentials; also those that cannot
 * be read (the phone then still lists the device), and those that are kept since the phone logged
 * the line out. An unpaired line stays one.
 */
export const logout = lineCommand({ scope: 'lines:write' }, async (context: Context, line, _: { line: LineName }) => {
  if (line.statusReason === 'credentials_unreadable' && context.router.view(line.id).state === 'failed') {
    await forgetUnreadable(context, line);
    return { unlinked: false };
  }
  const timeoutMs = LOGOUT_WAIT_MS + MARGIN_MS;
  const result = await context.router.run(line.id, 'logout', { timeoutMs: LOGOUT_WAIT_MS }, { timeoutMs });
  await context.store.transaction(({ db }) => destroyKept(db, line.id));
  return result;
});

/**
 * Takes the credentials back that were kept when WhatsApp said that the phone had removed the line,
 * and connects with them. When it was true, WhatsApp refuses them: the line is `logged_out` again,
 * and what is left of the seven days stays. `already_paired`, `nothing_kept`.
 */
export const restoreCredentials = lineCommand(
  { scope: 'lines:write' },
  async (context: Context, line, _: { line: LineName }): Promise<object> => {
    const { store, router, clock } = context;
    if (line.phone !== null) throw new AppError('already_paired');
    if ((line.credentialsKeptUntil ?? 0) <= clock.now()) throw new AppError('nothing_kept');
    await router.stop(line.id);
    const isRestored = await store.transaction((tx) => restoreKeys(tx, line.id, clock.now()), 'full');
    await router.start(line.id);
    if (!isRestored) throw new AppError('nothing_kept');
    return {};
  },
);

/** No engine can open this line, so its credentials are deleted here. */
async function forgetUnreadable(context: Context, line: Line): Promise<void> {
  const { store, router, ring, clock } = context;
  await router.stop(line.id);
  const isKeyLost = await ring.box(line.id).then(
    () => false,
    (error: unknown) => {
      if (error instanceof UnreadableError) return true;
      throw error;
    },
  );
  await store.transaction((tx) => forgetKeys(tx, line.id, isKeyLost));
  ring.forget(line.id);
  const standing = { status: 'unpaired', reason: null, until: null, whatsappCode: null } as const;
  const now = { ...standing, self: undefined, atMs: clock.now() };
  const { isNew } = await saveStatus(store, line, await loadTold(store.db, line.id), now);
  if (isNew) context.nudgeDeliveries();
  await router.start(line.id);
}
