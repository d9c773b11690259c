import type { CallToolResult } from '@modelcontextprotocol/server';
import type { Approvals } from '../../../commands/approvals/approvals.ts';
import { type Caller, type Execute, needsApproval } from '../../../commands/execute.ts';
import type { LineName } from '../../../commands/lines/find-line.ts';
import { AppError } from '../../../core/app-error.ts';
import { check } from '../../../http/answer-row.ts';
import { readInline } from '../../../http/file-content.ts';
import { jsonSchema } from '../../../http/openapi/components.ts';
import type { Answer, Checked, Route } from '../../../http/route.ts';
import { runRow } from '../../../http/run-row.ts';
import { toAppError, validationError } from '../../../http/to-app-error.ts';
import { brokenTextIssues } from '../../../http/well-formed.ts';
import { errorAnswer } from '../errors.ts';
import { pendingAnswer, sayPending } from './approval-answer.ts';
import type { Json } from './json.ts';
import { IDEMPOTENCY_KEY, type Tool } from './tool.ts';
import { savedToolError, toolError, unknownParameters } from './tool-errors.ts';
import { fenced, marked } from './untrusted.ts';

export interface ToolServices {
  execute: Execute;
  approvals: Pick<Approvals, 'ask'>;
  /** Called for unexpected failures. */
  onFault(error: AppError, tool: string): void;
}

type Content = CallToolResult['content'];

const PREFIX = '/api/bridge';
const WORDS = { errorAnswer };

/**
 * Runs a tool: its row's checks, its row's command, its row's answer. A refusal is a tool error,
 * which the agent reads; never a protocol error.
 */
export async function callTool(
  services: ToolServices,
  tool: Tool,
  args: Json,
  caller: Caller,
): Promise<CallToolResult> {
  try {
    return await run(services, tool, args, caller);
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code === 'server_error') services.onFault(error, tool.name);
    return toolError(error);
  }
}

async function run(
  { execute, approvals }: ToolServices,
  tool: Tool,
  args: Json,
  caller: Caller,
): Promise<CallToolResult> {
  const { row } = tool;
  const given = argumentsOf(tool, args);
  const broken = brokenTextIssues(given);
  if (broken.length > 0) throw validationError(broken);
  const checked = checkArguments(row, given);
  const key = args[IDEMPOTENCY_KEY];
  const once =
    key === undefined ? undefined : { key: String(key), method: row.method, path: PREFIX + row.path, body: given };
  if (row.command !== null && needsApproval(row.command, caller)) {
    const input = row.toInput(checked, caller) as { line: LineName };
    const request = { command: row.command, input, operation: row.operation, shown: given, once };
    return result({ ...tool, say: sayPending }, pendingAnswer(await approvals.ask(request, caller)), undefined);
  }
  let bytes: Answer['bytes'];
  // The one command answers twice: as JSON, and as the bytes that a picture is made of.
  const twice: Route = tool.bytes
    ? {
        ...row,
        toAnswer(result, seen) {
          bytes = row.toAnswer(result, withQuery(seen, tool.bytes)).bytes;
          return row.toAnswer(result, seen);
        },
      }
    : row;
  const outcome = await runRow(execute, WORDS, twice, checked, { caller, once });
  if ('answer' in outcome)
    return result(tool, outcome.answer.json as Json | undefined, bytes ?? (await bytesOf(outcome.answer)));
  const body = JSON.parse(outcome.saved.body) as Json;
  if (outcome.saved.status >= 400) return savedToolError({ status: outcome.saved.status, body });
  return result(tool, body, undefined);
}

async function bytesOf({ bytes, file }: Answer): Promise<Answer['bytes']> {
  return file ? { contentType: file.contentType, data: await readInline(file.file) } : bytes;
}

const withQuery = (checked: Checked<unknown, unknown, unknown>, query: Json | undefined) => ({
  ...checked,
  query: { ...(checked.query as Json | undefined), ...query },
});

/** The row's parameters: known ones only, in its words. */
function argumentsOf(tool: Tool, args: Json): Json {
  const known = Object.keys(tool.input.properties as Json);
  const unknown = Object.keys(args).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw unknownParameters(unknown, known);
  const missing = (tool.requires ?? []).find((name) => args[name] === undefined);
  if (missing !== undefined) {
    const message = 'This field is required.';
    throw new AppError(
      'validation_error',
      { details: [{ path: missing, message }] },
      { message: `${missing}: ${message}` },
    );
  }
  const { [IDEMPOTENCY_KEY]: _, ...own } = args;
  const prepared = tool.prepare ? tool.prepare(own) : own;
  const entries = Object.entries(prepared).map(([name, value]) => [tool.renames?.[name] ?? name, value] as const);
  return { ...Object.fromEntries(entries), ...tool.fixed };
}

/** The arguments without those that the row takes in its address alone. */
function bodyMembers({ params, query, body }: Route, args: Json): Json {
  const namesOf = (part: Route['body']) => Object.keys((part ? jsonSchema(part, 'input').properties : undefined) ?? {});
  const own = new Set(namesOf(body));
  const elsewhere = new Set([...namesOf(params), ...namesOf(query)].filter((name) => !own.has(name)));
  return Object.fromEntries(Object.entries(args).filter(([name]) => !elsewhere.has(name)));
}

/** A query's values are text, whatever they stand for. */
function checkArguments(row: Route, args: Json): Checked<unknown, unknown, unknown> {
  const query = Object.entries(args).map(([name, value]) => [
    name,
    typeof value === 'boolean' || typeof value === 'number' ? String(value) : value,
  ]);
  const ofBody = bodyMembers(row, args);
  return check(row, { params: args, query: Object.fromEntries(query), body: ofBody }, 'refuse');
}

function result(tool: Tool, json: Json | undefined, bytes: Answer['bytes']): CallToolResult {
  const content: Content = [];
  if (json !== undefined) {
    const structured = marked(json, tool.untrusted);
    const text = JSON.stringify(structured);
    content.push({ type: 'text', text: tool.say(json) });
    content.push({ type: 'text', text: structured === json ? text : fenced(text) });
    if (bytes) content.push(contentOf(bytes));
    return { content, structuredContent: structured };
  }
  content.push({ type: 'text', text: tool.say({}) });
  if (bytes) content.push(contentOf(bytes));
  return { content };
}

function contentOf({ contentType, data }: NonNullable<Answer['bytes']>): Content[number] {
  const mimeType = contentType.split(';', 1)[0]?.trim() ?? 'application/octet-stream';
  const base64 = Buffer.from(data).toString('base64');
  if (mimeType.startsWith('image/')) return { type: 'image', data: base64, mimeType };
  if (mimeType.startsWith('audio/')) return { type: 'audio', data: base64, mimeType };
  return { type: 'resource', resource: { uri: 'ponte://file', mimeType, blob: base64 } };
}
