import { request } from 'undici';
import { systemClock } from '../core/clock.ts';
import { backoffMs } from '../core/retry.ts';
import { CommandFailed } from './output.ts';

export interface FollowedEvent {
  /** Where to go on after it. */
  cursor: string;
  name: string;
  /** The bytes a webhook would get, as text. */
  body: string;
}

export interface FollowOptions {
  /** `http://127.0.0.1:8080`, without a trailing slash. */
  base: string;
  key: string;
  after: string;
  events?: string;
  lineId?: string;
  /** Ends it. */
  signal: AbortSignal;
  /** The connection was lost, or could not be made; it is tried again. */
  onTrouble(reason: string): void;
}

/** Heartbeats come every 15 seconds: a connection that is silent for this long is dead. */
const SILENCE_MS = 45_000;
const CONNECT_MS = 10_000;
const MAX_WAIT_MS = 10_000;
/** What a server refuses for good. */
const FINAL = new Set([400, 401, 402, 403, 404, 410]);

/**
 * Follows the event stream of a server for as long as `signal` lets it, across restarts of it: each
 * event once, in order. Throws CommandFailed when refused.
 */
export async function* followEvents(options: FollowOptions): AsyncGenerator<FollowedEvent> {
  let { after } = options;
  for (let failures = 0; !options.signal.aborted; ) {
    try {
      for await (const message of messagesOf(options, after)) {
        failures = 0;
        after = message.id ?? after;
        if (message.event === 'end') break;
        if (message.data !== undefined) yield { cursor: after, name: message.event ?? '', body: message.data };
      }
      failures += 1;
    } catch (error) {
      if (options.signal.aborted) return;
      if (error instanceof CommandFailed) throw error;
      failures += 1;
      options.onTrouble(error instanceof Error ? error.message : String(error));
    }
    await systemClock.sleep(backoffMs(failures, systemClock.random(), 500, MAX_WAIT_MS), options.signal);
  }
}

interface Message {
  id?: string;
  event?: string;
  data?: string;
}

/** One connection: what comes over it until it ends. */
async function* messagesOf(options: FollowOptions, after: string): AsyncGenerator<Message> {
  const query = new URLSearchParams({ after });
  if (options.events !== undefined) query.set('events', options.events);
  if (options.lineId !== undefined) query.set('line_id', options.lineId);
  const answer = await request(`${options.base}/api/bridge/v1/events?${query}`, {
    headers: { accept: 'text/event-stream', authorization: `Bearer ${options.key}` },
    headersTimeout: CONNECT_MS,
    bodyTimeout: SILENCE_MS,
    signal: options.signal,
  });
  if (answer.statusCode !== 200) {
    const text = (await answer.body.text()).slice(0, 500);
    if (FINAL.has(answer.statusCode)) throw new CommandFailed(`the server refused (${answer.statusCode}): ${text}`);
    throw new Error(`the server answered ${answer.statusCode}`);
  }
  let rest = '';
  for await (const chunk of answer.body.setEncoding('utf8')) {
    const blocks = (rest + String(chunk)).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) yield messageOf(block);
  }
}

function messageOf(block: string): Message {
  const message: Message = {};
  for (const line of block.split('\n')) {
    const [, field, value] = /^(id|event|data): (.*)$/.exec(line) ?? [];
    if (field && value !== undefined) message[field as keyof Message] = value;
  }
  return message;
}
