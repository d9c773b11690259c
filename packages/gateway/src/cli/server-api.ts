import { AppError } from '../core/app-error.ts';
import { systemClock } from '../core/clock.ts';
import type { Mode } from '../core/lines.ts';
import { type Installation, openInstallation } from '../installation.ts';
import { deleteKey } from '../store/access/api-keys.ts';
import { findLineUnowned } from '../store/lines/lines.ts';
import { CommandFailed, UsageError } from './output.ts';

/** Which server: another one by its address and a key, or that of the local data directory. */
export interface ServerOptions {
  url?: string;
  key?: string;
}

/** Longer than any answer of ours takes (`wait` is 60 s at most). */
const ANSWER_WITHIN_MS = 75_000;
/** A key that a killed command leaves behind is worth nothing soon. */
const KEY_LIVES_MS = 15 * 60_000;

type Json = Record<string, unknown>;

/** The Lines API of a running server, for commands that only a running server can do. */
export class ServerApi {
  readonly #base: string;
  readonly #key: string;

  constructor(base: string, key: string) {
    this.#base = base;
    this.#key = key;
  }

  /**
   * The answer's JSON (or text). Throws CommandFailed with the server's own sentence, or saying
   * that it does not run.
   */
  async call<T = Json>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    let response: Response;
    try {
      response = await fetch(`${this.#base}/api/bridge/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
    } catch (cause) {
      throw new CommandFailed(
        `nothing answers at ${this.#base}; start Ponte (npm start), or name a server by --url and --key`,
        { cause },
      );
    }
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    const answer: unknown = isJson ? JSON.parse(text) : text;
    if (response.ok) return answer as T;
    throw new CommandFailed(sentenceOf(answer) ?? `${this.#base} answered HTTP ${response.status}`);
  }
}

/** Both forms of errors. */
function sentenceOf(answer: unknown): string | undefined {
  const { message, error } = (typeof answer === 'object' && answer !== null ? answer : {}) as Json;
  const inner = typeof error === 'object' && error !== null ? (error as Json).message : undefined;
  return [message, inner].find((sentence): sentence is string => typeof sentence === 'string');
}

/** Whose key a command of the local server needs. */
export type WhoseKey = (at: Installation) => Promise<{ accountId: string; mode: Mode }>;

/** The account and mode of a line of this installation. */
export const ofLine =
  (lineId: string): WhoseKey =>
  async ({ store }) => {
    const line = await findLineUnowned(store.db, lineId);
    if (!line) throw new CommandFailed(`there is no line ${lineId}; "ponte lines list" shows the ids`);
    return { accountId: line.accountId, mode: line.mode };
  };

/**
 * Works with a running server. Without --url and --key: with that of the local data directory, by a
 * key that lives as long as the command.
 */
export async function withServer<T>(
  { url, key }: ServerOptions,
  whose: WhoseKey,
  work: (api: ServerApi) => Promise<T>,
  keyLivesMs = KEY_LIVES_MS,
): Promise<T> {
  if (url !== undefined || key !== undefined) {
    if (url === undefined || key === undefined) throw new UsageError('--url and --key go together');
    if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
      throw new UsageError(`--url is "${url}", but it takes an address such as https://wa.example.com`);
    }
    return work(new ServerApi(url.replace(/\/+$/, ''), key));
  }
  const at = await openInstallation();
  try {
    const owner = await whose(at);
    const made = await at.keys.create({
      ...owner,
      name: 'ponte command',
      expiresAt: systemClock.now() + keyLivesMs,
    });
    try {
      return await work(new ServerApi(localAddress(at), made.key));
    } finally {
      await deleteKey(at.store.db, made.id);
    }
  } catch (error) {
    throw error instanceof AppError ? new CommandFailed(error.message, { cause: error }) : error;
  } finally {
    await at.close();
  }
}

function localAddress({ config }: Installation): string {
  const { host, port } = config.http;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
