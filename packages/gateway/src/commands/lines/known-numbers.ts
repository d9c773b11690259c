import { handleOf, isPn } from '@ponte/engine';
import type { Line } from '../../core/lines.ts';
import { knownNumber } from '../../store/messages/people.ts';
import { whoseUsername } from '../contacts/whose-username.ts';
import type { Context } from '../context.ts';

/** Members of a command's input that name a chat or a person. */
const NAMING = ['chat', 'to', 'jid', 'person', 'sender'] as const;

/**
 * The input with every username replaced by whose it is, and with every number as WhatsApp has it:
 * people write some in two ways (Brazil's ninth
 * digit, Mexico's 1, Argentina's 9), and a chat is found by either.
 */
export async function withKnownNumbers<I extends object>(context: Context, line: Line, input: I): Promise<I> {
  let known = input;
  for (const name of NAMING) {
    const given: unknown = Reflect.get(input, name);
    if (typeof given !== 'string') continue;
    const handle = handleOf(given);
    if (handle) known = { ...known, [name]: await whoseUsername(context, line, handle, name) };
    if (!isPn(given)) continue;
    const number = await knownNumber(context.store.db, line.id, given);
    if (number !== given) known = { ...known, [name]: number };
  }
  return known;
}
