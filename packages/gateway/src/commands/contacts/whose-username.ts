import type { Handle, Jid } from '@ponte/engine';
import { AppError, invalid } from '../../core/app-error.ts';
import type { Line } from '../../core/lines.ts';
import { lineStanding } from '../../lines/connection/line-status.ts';
import { findByUsername, noteUsernames } from '../../store/messages/contacts.ts';
import type { Context } from '../context.ts';
import { ask } from './contacts.ts';

/**
 * The address of the holder of a username. WhatsApp is asked, as names change hands; a line that is
 * not connected uses the last known answer. `field` names the member of the request.
 * `not_on_whatsapp`, `validation_error` for a name that needs its key, `line_not_connected`.
 */
export async function whoseUsername(context: Context, line: Line, handle: Handle, field: string): Promise<Jid> {
  if (lineStanding(line, context.router.view(line.id)).status !== 'connected') {
    const known = await findByUsername(context.store.db, line.id, handle.username);
    if (known !== undefined) return known;
  }
  const found = await ask(context, line, 'account.findUsername', handle);
  if ('person' in found) {
    const { jid, lid, pn } = found.person;
    await noteUsernames(context.store.db, line.id, [{ ...found.person, username: handle.username }]);
    return lid ?? pn ?? jid;
  }
  if (found.needsKey) {
    const wrong = handle.key === undefined ? 'is found with its key only' : 'has another key';
    throw invalid(field, `The username @${handle.username} ${wrong}: ask the person for it, and write @name#1234.`);
  }
  const message = `No WhatsApp account with the username @${handle.username} was found, or it is hidden from this number.`;
  throw new AppError('not_on_whatsapp', {}, { message });
}
