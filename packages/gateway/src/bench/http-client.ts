import { Agent } from 'undici';

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

const CALL_WITHIN_MS = 70_000;

/** Calls of one HTTP server over open connections; cheap, for it runs on the same cores. */
export class HttpClient {
  readonly #base: string;
  readonly #key: string;
  readonly #agent = new Agent({ connections: 32, bodyTimeout: CALL_WITHIN_MS, headersTimeout: CALL_WITHIN_MS });

  constructor(base: string, key: string) {
    this.#base = base;
    this.#key = key;
  }

  /** Rejects when the answer is an error; waits as long as it is told when there were too many. */
  async call<T = Record<string, unknown>>(method: Method, path: string, body?: unknown): Promise<T> {
    const answer = await this.#agent.request({
      origin: this.#base,
      method,
      path,
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode === 429) {
      const seconds = Number(answer.headers['retry-after'] ?? 1);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
      return this.call(method, path, body);
    }
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    const isJson = String(answer.headers['content-type'] ?? '').includes('json');
    return (text === '' || !isJson ? text : JSON.parse(text)) as T;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
