import { type Jid, type NumberLookup, party } from '@ponte/engine';
import type { Line } from '../../core/lines.ts';
import { noteBusiness, noteUsernames } from '../../store/messages/contacts.ts';
import { requireConnected } from '../chats/read-messages.ts';
import { lineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineName } from '../lines/find-line.ts';

export interface CheckedNumber {
  /** Digits, as asked. */
  phone: string;
  registered: boolean;
  isBusiness: boolean;
  /** The address WhatsApp has it under; undefined when it is not registered. */
  jid?: Jid;
  /** The username of the number's holder. */
  username?: string;
}

/** A number as asked for: its digits, and whether it can be a phone number at all. */
export interface AskedNumber {
  digits: string;
  isPossible: boolean;
}

/**
 * Which numbers have WhatsApp, in the order asked. Impossible numbers have none, and WhatsApp is
 * not asked about them.
 */
export const checkNumbers = lineCommand(
  { scope: 'contacts:read' },
  async (context: Context, line, input: { line: LineName; numbers: AskedNumber[] }): Promise<CheckedNumber[]> => {
    requireConnected(context, line);
    const asked = [...new Set(input.numbers.filter((number) => number.isPossible).map(({ digits }) => digits))];
    const answers = new Map<string, NumberLookup>();
    if (asked.length > 0) {
      const found = await context.router.run(line.id, 'numbers.check', { phones: asked }, { timeoutMs: 20_000 });
      for (const lookup of found) answers.set(lookup.phone, lookup);
      await noteBusinesses(context, line, found);
      const people = found.flatMap(({ jid, lid, username }) => {
        const address = lid ?? jid;
        return address === undefined || username === undefined ? [] : [{ ...party(address, jid), username }];
      });
      await noteUsernames(context.store.db, line.id, people);
    }
    return input.numbers.map(({ digits }) => {
      const { registered = false, isBusiness = false, jid, lid, username } = answers.get(digits) ?? {};
      const named = username === undefined ? {} : { username };
      return { phone: digits, registered, isBusiness, ...(registered ? { jid: jid ?? lid, ...named } : {}) };
    });
  },
);

async function noteBusinesses({ store }: Context, line: Line, found: NumberLookup[]): Promise<void> {
  for (const isBusiness of [true, false]) {
    const people = found.filter((lookup) => lookup.registered && lookup.isBusiness === isBusiness);
    const addresses = people.flatMap(({ jid, lid }) => [jid, lid].filter((address) => address !== undefined));
    await noteBusiness(store.db, line.id, addresses, isBusiness);
  }
}
