import {
  attemptsOfEvents,
  type RecentAttempt,
  type RecentEvent,
  recentEvents,
} from '../../store/journal/recent-log.ts';
import { accountCommand } from '../command.ts';
import type { Context } from '../context.ts';

const MAX_EVENTS = 100;
const MAX_ATTEMPTS = 100;

/** The newest events of the caller's lines without what people wrote, and their deliveries. */
export const recentFacts = accountCommand(
  { scope: 'lines:read', forLineKeys: 'never' },
  async ({ store, caller }: Context, _: object): Promise<{ events: RecentEvent[]; attempts: RecentAttempt[] }> => {
    const owner = { accountId: caller.accountId, mode: caller.mode };
    const events = await recentEvents(store.db, owner, MAX_EVENTS);
    const attempts = await attemptsOfEvents(
      store.db,
      events.map(({ seq }) => seq),
      MAX_ATTEMPTS,
    );
    return { events, attempts };
  },
);

export type { RecentAttempt, RecentEvent } from '../../store/journal/recent-log.ts';
