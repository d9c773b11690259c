import { PonteError } from './ponte-error.ts';
import { pause, type Transport } from './transport.ts';
import type { LinesEvent } from './webhooks.ts';

export interface FollowOptions {
  /** A cursor, `now` (default) or `oldest`. */
  after?: string;
  /** Names of events; default: all that need not be named. */
  events?: readonly LinesEvent['event'][];
  line_id?: string;
  signal?: AbortSignal;
  /** Told of every break; the stream goes on by itself. */
  onReconnect?(error: PonteError): void;
}

/** An event, and where to go on after it. */
export interface Followed {
  cursor: string;
  event: LinesEvent;
}

const SILENCE_MS = 45_000;
const RETRY_MS = 1_000;
const RETRY_CAP_MS = 30_000;

/**
 * Events as they happen, each once and in order, across breaks of the connection. Ends when the
 * signal is aborted; throws when going on makes no sense: the key is over, or the cursor is
 * (`cursor_expired`).
 */
export async function* follow(
  transport: Transport,
  path: string,
  options: FollowOptions = {},
): AsyncGenerator<Followed> {
  let cursor = options.after ?? 'now';
  let failures = 0;
  while (options.signal?.aborted !== true) {
    try {
      for await (const message of messages(transport, path, cursor, options)) {
        failures = 0;
        if (message.id !== undefined) cursor = message.id;
        if (message.event === 'end') throw endOf(message.data);
        if (message.data !== '' && message.id !== undefined) {
          yield { cursor: message.id, event: JSON.parse(message.data) as LinesEvent };
        }
      }
    } catch (error) {
      if (options.signal?.aborted) return;
      const failure = error instanceof PonteError ? error : broken(error);
      if (!failure.retryable) throw failure;
      options.onReconnect?.(failure);
    }
    const waitMs = Math.min(RETRY_CAP_MS, RETRY_MS * 2 ** failures) * (0.5 + Math.random() / 2);
    failures += 1;
    await pause(waitMs, options.signal).catch(() => {});
  }
}

const broken = (cause: unknown): PonteError =>
  new PonteError({ status: 0, code: 'stream_broken', message: 'the stream broke', retryable: true, cause });

/** Why the server ended the stream; only a key or a cursor that is over is final. */
function endOf(data: string): PonteError {
  const { code = 'stream_ended', message = 'the server ended the stream' } = parse(data);
  return new PonteError({ status: 0, code, message, retryable: !['unauthorized', 'cursor_expired'].includes(code) });
}

function parse(data: string): { code?: string; message?: string } {
  try {
    const value = JSON.parse(data) as { code?: string; reason?: string; message?: string };
    return { ...value, code: value.code ?? value.reason };
  } catch {
    return {};
  }
}

interface Message {
  id: string | undefined;
  event: string;
  data: string;
}

/** The parts of one connection (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
async function* messages(
  transport: Transport,
  path: string,
  cursor: string,
  { events, line_id, signal }: FollowOptions,
): AsyncGenerator<Message> {
  const silence = new AbortController();
  const stop = () => silence.abort();
  signal?.addEventListener('abort', stop, { once: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(stop, SILENCE_MS);
  };
  try {
    heard();
    const response = await transport.send({
      method: 'GET',
      path,
      query: { after: cursor, events, line_id },
      headers: { accept: 'text/event-stream' },
      isRepeatable: true,
      isStream: true,
      signal: silence.signal,
    });
    if (!response.body) return;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      buffer += value;
      const parts = buffer.split(/\r?\n\r?\n/);
      buffer = parts.pop() ?? '';
      for (const part of parts) yield messageOf(part);
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
    silence.abort();
  }
}

function messageOf(part: string): Message {
  const message: Message = { id: undefined, event: 'message', data: '' };
  const data: string[] = [];
  for (const line of part.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'id') message.id = value;
    if (name === 'event') message.event = value;
    if (name === 'data') data.push(value);
  }
  message.data = data.join('\n');
  return message;
}
