import type { Expiration, Jid } from '@ponte/engine';
import type { LineRestriction } from '../../core/restrictions.ts';
import { hot } from '../db/hot.ts';
import type { Db } from '../db/store.ts';
import { readRestrictions } from '../lines/restrictions.ts';

/** What decides over a message to a person, right before it is made ready. */
export interface ChatFacts {
  /** Everything that WhatsApp limits the line's account in, over or not. */
  restrictions: LineRestriction[];
  /**
   * How long messages of the chat stay; undefined when unknown, seconds 0 when they stay for good.
   */
  expiration: Expiration | undefined;
}

const read = hot<[Jid, Jid, Jid, string], { restrictions: string | null; expiration: string | null }>(
  `select l.restrictions, (
    select e.seconds || ':' || e.set_at from chat_expirations e
    where e.line_id = l.id and (e.jid = ? or e.jid in (
      select c.jid from chats c where c.line_id = l.id and (c.pn = ? or c.lid = ?)))
    order by e.set_at desc limit 1
  ) as expiration
  from lines l where l.id = ?`,
);

export async function chatFacts(db: Db, lineId: string, to: Jid): Promise<ChatFacts> {
  const row = await read.first(db, to, to, to, lineId);
  const [seconds, setAt] = row?.expiration?.split(':').map(Number) ?? [];
  return {
    restrictions: readRestrictions(row?.restrictions ?? null),
    expiration: seconds === undefined || setAt === undefined ? undefined : { seconds, setAt },
  };
}
