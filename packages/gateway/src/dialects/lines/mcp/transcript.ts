import { isGroup, parseChat } from '@ponte/engine';
import type { Caller, Execute } from '../../../commands/execute.ts';
import { invalid } from '../../../core/app-error.ts';
import * as answers from '../answers.ts';
import { wordedMessage } from './worded-message.ts';

/** Reads chats for a caller: with the rights of their key, through the same commands as REST. */
export interface Reader {
  execute: Execute;
  caller: Caller;
}

/** A name that cannot pretend to be another line. */
const oneLine = (name: string): string => name.replace(/\s+/g, ' ').trim();

/**
 * The newest messages of a chat, oldest first, a line each. What other people wrote is in it: fence
 * it before you hand it on.
 */
export async function transcript(
  { execute, caller }: Reader,
  at: { lineId: string; chat: string; limit: number },
): Promise<string> {
  const chat = parseChat(at.chat);
  if (chat === undefined) throw invalid('chat', 'Use a phone number in international form, or a jid.');
  const page = await execute.run('messages.all', { line: { id: at.lineId }, chat, limit: at.limit }, caller);
  const { messages } = answers.messages(at.lineId, page);
  const lines = messages.toReversed().map((message) => {
    const time = new Date(message.timestamp * 1_000).toISOString();
    const address = isGroup(chat) ? message.from : 'them';
    const who = message.from_me ? 'me' : message.name === '' ? address : `${oneLine(message.name)} <${address}>`;
    return `[${time}] ${who} (message_id ${message.message_id}): ${wordedMessage(message)}`;
  });
  return lines.length === 0 ? '(no messages)' : lines.join('\n');
}
