import type { Jid } from '@ponte/engine';
import { AppError } from '../../core/app-error.ts';
import type { Line } from '../../core/lines.ts';
import { findListed, type ListedMessage } from '../../store/messages/message-list.ts';
import { allMessages } from '../chats/chats.ts';
import { lineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineName } from '../lines/find-line.ts';

export interface ReplyInput {
  line: LineName;
  chat: Jid;
  /**
   * Only what came after this message; absent: after the newest message of the line's own in the
   * chat.
   */
  afterId?: string;
  /** How long to wait while there is none. */
  waitMs: number;
}

/** Minimum interval of queries, however much is journaled meanwhile. */
const LOOK_EVERY_MS = 200;
/** A look without news, should one be missed. */
const LOOK_AT_LEAST_MS = 5_000;
/** As far back as a look goes. */
const NEWEST = 50;

/**
 * What the other side of a chat wrote after a message (of the newest 50 messages of the chat),
 * oldest first: at once when there is something, else as soon as there is; nothing after `waitMs`.
 * `message_not_found`; `rate_limited` when too many of one key wait.
 */
export const waitForReply = lineCommand(
  { scope: 'messages:read' },
  async (context: Context, line, input: ReplyInput): Promise<{ messages: ListedMessage[]; publicUrl: string }> => {
    const { clock, news, store, caller } = context;
    if (input.afterId !== undefined && !(await findListed(store.db, line.id, input.afterId))) {
      throw new AppError('message_not_found');
    }
    const leave = news.enter(caller.keyId);
    if (news.isClosed) throw new AppError('unavailable', { retryAfterSeconds: 5 });
    if (!leave) {
      const message = 'Too many calls of this key wait at once. Wait in fewer calls.';
      throw new AppError('rate_limited', { retryAfterSeconds: 5 }, { message });
    }
    const over = new AbortController();
    try {
      const until = clock.monotonic() + input.waitMs;
      for (;;) {
        // Asked for before looking: what is journaled during the look is not missed.
        const told = news.next(Math.max(0, Math.min(LOOK_AT_LEAST_MS, until - clock.monotonic())), over.signal);
        const messages = await repliesIn(context, line, input);
        if (messages.length > 0 || clock.monotonic() >= until || news.isClosed)
          return { messages, publicUrl: context.publicUrl() };
        await told;
        await clock.sleep(Math.max(0, Math.min(LOOK_EVERY_MS, until - clock.monotonic())));
      }
    } finally {
      over.abort();
      leave();
    }
  },
);

async function repliesIn(context: Context, line: Line, input: ReplyInput): Promise<ListedMessage[]> {
  const { messages } = await allMessages.run(context, line, { line: input.line, chat: input.chat, limit: NEWEST });
  const isEnd = (message: ListedMessage) =>
    input.afterId === undefined ? message.fromMe : message.messageId === input.afterId;
  const end = messages.findIndex(isEnd);
  return (end === -1 ? messages : messages.slice(0, end)).filter(({ fromMe }) => !fromMe).reverse();
}
