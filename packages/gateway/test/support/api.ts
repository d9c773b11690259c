/** A caller of Ponte's HTTP API, as any integrator would write one. */
export interface Answer<T = Record<string, unknown>> {
  status: number;
  headers: Headers;
  /** The exact bytes, as text. */
  raw: string;
  body: T;
}

const TIMEOUT_MS = 70_000;

/**
 * What an outage of the database may answer: success, "try again after …", or that the line is not
 * connected (its connection ends with its store). Anything else is given back, for the failure.
 */
export function unfitForAnOutage({ status, headers, body }: Answer<unknown>): string | undefined {
  if (status === 200 || status === 202) return undefined;
  if (status === 503 && headers.has('retry-after')) return undefined;
  if (status === 409 && (body as { status?: string }).status !== 'connected') return undefined;
  return `${status} ${JSON.stringify(body)}`;
}

export class Api {
  readonly #base: string;
  readonly #key: string | undefined;

  constructor(base: string, key: string | undefined) {
    this.#base = base;
    this.#key = key;
  }

  /** Never throws for a status; rejects only when there was no answer. */
  async call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const response = await fetch(this.#base + path, {
      method,
      headers: {
        ...(this.#key ? { authorization: `Bearer ${this.#key}` } : {}),
        ...(body === undefined || body instanceof FormData ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined || typeof body === 'string' || body instanceof FormData ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const raw = await response.text();
    const json = response.headers.get('content-type')?.includes('json') && raw !== '' ? JSON.parse(raw) : undefined;
    return { status: response.status, headers: response.headers, raw, body: json as T };
  }

  /** Like `call`, but a status other than the expected one is an error that shows the answer. */
  async expect<T = Record<string, unknown>>(
    status: number,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<T> {
    const answer = await this.call<T>(method, path, body, headers);
    if (answer.status !== status)
      throw new Error(`${method} ${path}: ${answer.status} instead of ${status}: ${answer.raw}`);
    return answer.body;
  }
}

/** A form with one file, as browsers and curl send it. */
export function form(
  fields: Record<string, string>,
  file: { bytes: Uint8Array; type: string; name: string },
): FormData {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) made.append(name, value);
  made.append('file', new Blob([Buffer.from(file.bytes)], { type: file.type }), file.name);
  return made;
}

/** One thing a virtual phone decrypted (Sandbox API). */
export interface InboxItem {
  message_id: string;
  chat: string;
  from: string;
  type: string;
  body: string;
  copies: number;
}

/** The calls of the Sandbox API that tests make all the time. */
export class Sandbox {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  phone(phone: string, name: string) {
    return this.#api.expect<{ phone: string; jid: string; lid: string }>(201, 'POST', '/api/sandbox/v1/phones', {
      phone,
      name,
    });
  }

  scan(phone: string, target: { line_id: string } | { customer_ref: string }) {
    return this.#api.expect<{ device_jid: string }>(200, 'POST', `/api/sandbox/v1/phones/${phone}/scan`, target);
  }

  say(phone: string, to: string, body: string) {
    return this.#api.expect<{ message_id: string; timestamp: number }>(
      201,
      'POST',
      `/api/sandbox/v1/phones/${phone}/messages`,
      { to, type: 'text', body },
    );
  }

  async inbox(phone: string, after?: string): Promise<InboxItem[]> {
    const query = after === undefined ? '' : `?after=${encodeURIComponent(after)}`;
    const answer = await this.#api.expect<InboxItem[] | { messages: InboxItem[] }>(
      200,
      'GET',
      `/api/sandbox/v1/phones/${phone}/inbox${query}`,
    );
    return Array.isArray(answer) ? answer : answer.messages;
  }

  fault(lineId: string, fault: Record<string, unknown>) {
    return this.#api.call('POST', `/api/sandbox/v1/lines/${lineId}/faults`, fault);
  }
}
