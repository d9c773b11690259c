import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import type { Caller } from '../../../commands/execute.ts';
import { AppError } from '../../../core/app-error.ts';
import * as answers from '../answers.ts';
import type { ToolServices } from './call-tool.ts';
import { mayRun } from './may-run.ts';
import { transcript } from './transcript.ts';
import { fenced } from './untrusted.ts';

const LINES = 'ponte://lines';
const CHATS = `${LINES}/{line_id}/chats`;
const TRANSCRIPT = `${CHATS}/{chat}`;
/** Chats of one line that the list of resources names; bridge_get_chats knows all. */
const LISTED_CHATS = 20;
const LISTED_LINES = 20;
const CHATS_IN_ONE = 100;
const MESSAGES_IN_ONE = 100;
const JSON_TYPE = 'application/json';

/**
 * Lines, their chats, and what was written in a chat, for clients that let people pick such things.
 * Nothing here goes further than the key's scopes.
 */
export function registerResources(server: McpServer, services: ToolServices, caller: Caller): void {
  const { execute } = services;
  if (!mayRun(caller, 'lines.all')) return;
  const allLines = async () => (await execute.run('lines.all', {}, caller)).map(answers.line);
  const lineIds = async (begin: string) =>
    (await allLines()).map(({ line_id: id }) => id).filter((id) => id.startsWith(begin));
  server.registerResource(
    'lines',
    LINES,
    { title: 'WhatsApp lines', description: 'The numbers this key can use, and their status.', mimeType: JSON_TYPE },
    (uri) => read(uri, async () => ({ mimeType: JSON_TYPE, text: JSON.stringify({ lines: await allLines() }) })),
  );
  if (!mayRun(caller, 'chats.all')) return;
  const chatsOf = async (lineId: string, limit: number) =>
    answers.chats(await execute.run('chats.all', { line: { id: lineId }, limit }, caller)).chats;
  server.registerResource(
    'chats',
    new ResourceTemplate(CHATS, {
      list: async () => ({
        resources: (await allLines()).slice(0, LISTED_LINES).map(({ line_id: id, label, phone }) => ({
          uri: uriOf(CHATS, { line_id: id }),
          name: `Chats of ${label ?? phone ?? id}`,
        })),
      }),
      complete: { line_id: lineIds },
    }),
    { title: 'Chats of a line', description: 'The newest 100, with unread counts.', mimeType: 'text/plain' },
    (uri, variables) =>
      read(uri, async () => ({
        mimeType: 'text/plain',
        text: fenced(JSON.stringify({ chats: await chatsOf(variable(variables.line_id), CHATS_IN_ONE) })),
      })),
  );
  server.registerResource(
    'transcript',
    new ResourceTemplate(TRANSCRIPT, {
      list: async () => {
        const lines = (await allLines()).slice(0, LISTED_LINES);
        const chats = await Promise.all(
          lines.map(async ({ line_id: id }) =>
            (await chatsOf(id, LISTED_CHATS)).map(({ jid, phone }) => ({
              uri: uriOf(TRANSCRIPT, { line_id: id, chat: jid }),
              // Never the name a person chose for themselves: agents may read such a list as
              // instructions.
              name: `Chat with ${phone ?? jid}`,
            })),
          ),
        );
        return { resources: chats.flat() };
      },
      complete: {
        line_id: lineIds,
        chat: async (begin, context) => {
          const lineId = context?.arguments?.line_id;
          if (lineId === undefined) return [];
          return (await chatsOf(lineId, CHATS_IN_ONE)).map(({ jid }) => jid).filter((jid) => jid.startsWith(begin));
        },
      },
    }),
    {
      title: 'Transcript of a chat',
      description: 'The newest 100 messages of a chat (phone number or jid), oldest first.',
      mimeType: 'text/plain',
    },
    (uri, variables) =>
      read(uri, async () => {
        const at = { lineId: variable(variables.line_id), chat: variable(variables.chat), limit: MESSAGES_IN_ONE };
        return { mimeType: 'text/plain', text: fenced(await transcript({ execute, caller }, at)) };
      }),
  );
}

const variable = (value: string | string[] | undefined): string => decodeURIComponent(String(value));

const uriOf = (template: string, values: Record<string, string>): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));

async function read(uri: URL, content: () => Promise<{ mimeType: string; text: string }>) {
  try {
    return { contents: [{ uri: uri.href, ...(await content()) }] };
  } catch (error) {
    throw asProtocolError(error, uri.href);
  }
}

/**
 * Refusals that the reader of a resource or prompt can do something about; everything else stays
 * what it is.
 */
export function asProtocolError(error: unknown, uri?: string): unknown {
  if (!(error instanceof AppError) || error.code === 'server_error') return error;
  if (uri !== undefined && error.code.endsWith('_not_found')) return new ResourceNotFoundError(uri);
  return new ProtocolError(ProtocolErrorCode.InvalidParams, error.message, { code: error.code });
}
