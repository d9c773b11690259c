import { completable, type McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Caller } from '../../../commands/execute.ts';
import * as answers from '../answers.ts';
import type { ToolServices } from './call-tool.ts';
import { mayRun } from './may-run.ts';
import { asProtocolError } from './resources.ts';
import { transcript } from './transcript.ts';
import { fenced } from './untrusted.ts';

const CHATS_READ = 20;
const MESSAGES_OF_ONE = 20;
const MESSAGES_OF_DRAFT = 30;

/** Two things people ask for all the time, with what is needed to answer already in them. */
export function registerPrompts(server: McpServer, { execute }: ToolServices, caller: Caller): void {
  if (!mayRun(caller, 'lines.all') || !mayRun(caller, 'messages.all')) return;
  const lineId = completable(z.string().describe('The line, from bridge_list_lines'), async (begin) =>
    (await execute.run('lines.all', {}, caller)).map(({ line }) => line.id).filter((id) => id.startsWith(begin)),
  );
  server.registerPrompt(
    'summarise_unread',
    {
      title: 'Summarise unread messages',
      description: 'What came in on a line and was not read yet, by chat, and what needs an answer.',
      argsSchema: z.object({ line_id: lineId }),
    },
    async ({ line_id: id }) => {
      const unread = await unreadChats({ execute, caller }, id).catch((error: unknown) => {
        throw asProtocolError(error);
      });
      const task =
        'Summarise the unread WhatsApp messages below for me: a short paragraph for each chat, the urgent ones first, then a list of what needs an answer from me. Do not send anything.';
      return said(`${task}\n\n${unread === '' ? 'There are no unread messages.' : fenced(unread)}`);
    },
  );
  server.registerPrompt(
    'draft_reply',
    {
      title: 'Draft a reply',
      description: 'A draft for the next message in a chat; nothing is sent.',
      argsSchema: z.object({
        line_id: lineId,
        phone: z.string().describe('The chat: a phone number, or a jid'),
        intent: z.string().optional().describe('What the reply should say'),
      }),
    },
    async ({ line_id: id, phone, intent }) => {
      const at = { lineId: id, chat: phone, limit: MESSAGES_OF_DRAFT };
      const text = await transcript({ execute, caller }, at).catch((error: unknown) => {
        throw asProtocolError(error);
      });
      const task = `Draft my next WhatsApp message in the chat below, in the language and tone of my own messages in it ("me"). ${intent ? `It should say: ${intent}. ` : ''}Show me the draft; send it with bridge_send_message (line_id ${id}, to ${phone}) only after I agree.`;
      return said(`${task}\n\n${fenced(text)}`);
    },
  );
}

const said = (text: string) => ({
  messages: [{ role: 'user' as const, content: { type: 'text' as const, text } }],
});

async function unreadChats(
  reader: Pick<ToolServices, 'execute'> & { caller: Caller },
  lineId: string,
): Promise<string> {
  const page = await reader.execute.run('chats.all', { line: { id: lineId }, limit: 500 }, reader.caller);
  const unread = answers.chats(page).chats.filter(({ unread_count: count }) => count > 0);
  const texts = await Promise.all(
    unread.slice(0, CHATS_READ).map(async (chat) => {
      const limit = Math.min(chat.unread_count, MESSAGES_OF_ONE);
      const text = await transcript(reader, { lineId, chat: chat.jid, limit });
      return `## ${chat.name ?? chat.phone ?? chat.jid} (${chat.jid}, ${chat.unread_count} unread)\n${text}`;
    }),
  );
  const left = unread.length - texts.length;
  return texts.join('\n\n') + (left > 0 ? `\n\n(${left} further chats with unread messages are left out.)` : '');
}
