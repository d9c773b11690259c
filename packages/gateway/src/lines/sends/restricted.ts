import { isChange, isLid, isPn, type Jid, type OutboundContent } from '@ponte/engine';
import type { ErrorDetails } from '../../core/app-error.ts';
import { inForce, type LineRestriction } from '../../core/restrictions.ts';
import type { Db } from '../../store/db/store.ts';
import { hasWritten } from '../../store/messages/reading.ts';

/**
 * The restriction that this message would break: WhatsApp lets the account write only to people who
 * wrote to it, and every try at others makes it worse. The one that lasts longest; undefined when
 * the message may go. Groups, statuses and changes of what was sent are free.
 */
export async function heldBy(
  db: Db,
  send: { lineId: string; to: Jid; content: OutboundContent; nowMs: number; restrictions: LineRestriction[] },
): Promise<LineRestriction | undefined> {
  const { lineId, to, content, nowMs, restrictions } = send;
  if (isChange(content) || !(isPn(to) || isLid(to))) return undefined;
  const held = inForce(restrictions, nowMs);
  const [first] = held;
  if (!first || (await hasWritten(db, lineId, to))) return undefined;
  return held.reduce((longest, one) => (endOf(one) > endOf(longest) ? one : longest), first);
}

/** Without a told end it lasts longest. */
const endOf = ({ until }: LineRestriction): number => until ?? Number.POSITIVE_INFINITY;

/** What a caller is told of it. */
export const restrictionDetails = ({ cause, until }: LineRestriction): ErrorDetails => ({
  status_reason: 'restricted',
  cause,
  ...(until === null ? {} : { status_until: new Date(until * 1_000).toISOString() }),
});
