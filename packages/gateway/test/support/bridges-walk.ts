import { expect } from 'vitest';
import { bridgesDialect } from '../../src/dialects/bridges/dialect.ts';
import type { Route } from '../../src/http/route.ts';
import type { ReceivedRequest } from '../receiver.ts';
import { CALLS, WEBHOOKS } from '../seed-examples/bridges-reference.ts';
import { type Answer, Api } from './api.ts';
import type { Rig } from './rig.ts';
import type { Exchange } from './transcript.ts';
import { until } from './until.ts';

type Json = Record<string, unknown>;

/** How a call differs from what the reference prints. */
export interface Difference {
  path?: string;
  query?: string;
  /** Members of the request that name things of this world. */
  request?: Json;
  /** Members of the answer whose values this world decides: a value, or a matcher. */
  answer?: Json;
  status?: number;
  /**
   * In the place of a printed answer; without either, the answer has to be what the row documents.
   */
  expected?: unknown;
  /** False: sends no key. */
  key?: false;
}

export const SENT = { message_id: expect.stringMatching(/^3EB0[0-9A-F]{18}$/), timestamp: expect.any(Number) };

/**
 * A client of the published Bridges reference on its way through the whole API: sends each printed
 * request, compares each answer and each webhook with the printed one — the members, their order,
 * and every value that this world does not decide — and keeps what it saw.
 */
export class BridgesWalk {
  readonly exchanges: Exchange[] = [];
  readonly webhooks = new Map<string, Json>();
  readonly #rig: Rig;
  #heard = 0;
  readonly #ref: string;
  /** What happens between two calls. */
  readonly between: () => Promise<void>;

  constructor(rig: Rig, ref: string, between: () => Promise<void> = async () => {}) {
    this.#rig = rig;
    this.#ref = ref;
    this.between = between;
  }

  /** What was told before now is not meant any more. */
  forgetTold(): void {
    this.#heard = this.#rig.receiver.requests.length;
  }

  /** Waits until the webhook heard of a message. */
  async heard(messageId: string): Promise<void> {
    await until(`a webhook of ${messageId}`, () =>
      this.#rig.receiver.requests.some((one) => one.path.startsWith('/bridges/') && one.body.includes(messageId)),
    );
  }

  /** Makes a call of the reference. Answers its body. */
  async call<T = Json>(operation: string, { key, ...differs }: Difference = {}): Promise<T> {
    await this.between();
    const row = bridgesDialect.routes.find((one) => one.operation === operation);
    if (!row) throw new Error(`the Bridges API has no operation ${operation}`);
    const published = CALLS[operation];
    const path = bridgesDialect.prefix + (differs.path ?? row.path).replace(':bridge', this.#ref);
    const request = row.body ? { ...published?.request, ...differs.request } : undefined;
    const api = key === false ? new Api(this.#rig.base, undefined) : this.#rig.api;
    const answer = await api.call<T>(row.method, `${path}${differs.query ? `?${differs.query}` : ''}`, request);
    this.exchanges.push({
      row,
      path: `${path}${differs.query ? `?${differs.query}` : ''}`,
      request,
      status: answer.status,
      contentType: answer.headers.get('content-type') ?? '',
      answer: answer.body,
    });
    const expected = differs.expected ?? published?.response;
    expect([operation, answer.status, answer.raw]).toEqual([operation, differs.status ?? 200, expect.anything()]);
    if (published || differs.expected || answer.raw === '') compare(operation, answer, expected, differs.answer);
    else asDocumented(row, answer, differs.answer);
    return answer.body;
  }

  /** The webhook of this kind that fits; compared with the printed one, and kept. */
  async told(event: string, answer: Json = {}, isMeant: (body: Json) => boolean = () => true): Promise<Json> {
    const path = `/bridges/${this.#ref}`;
    const of = (request: ReceivedRequest) => JSON.parse(request.body) as Json;
    const request = await until(`a webhook ${event}`, () =>
      this.#rig.receiver.requests
        .slice(this.#heard)
        .find((one) => one.path === path && of(one).event === event && isMeant(of(one))),
    );
    const body = of(request);
    sameShape(`webhook ${event}`, body, WEBHOOKS[event], answer);
    this.webhooks.set(event, body);
    return body;
  }
}

function compare(operation: string, answer: Answer<unknown>, expected: unknown, differs: Json = {}): void {
  if (expected === undefined) {
    expect([operation, answer.raw]).toEqual([operation, '']);
    return;
  }
  if (typeof expected === 'string') {
    expect([operation, answer.headers.get('content-type')]).toEqual([operation, expected]);
    expect(answer.raw.length).toBeGreaterThan(0);
    return;
  }
  if (!Array.isArray(expected)) {
    sameShape(operation, answer.body, expected, differs);
    return;
  }
  const items = answer.body as unknown[];
  expect([operation, items.length]).toEqual([operation, expected.length]);
  for (const [index, item] of expected.entries()) sameShape(operation, items[index], item, differs);
}

/** Operations beyond the reference: as their row says, and with these values. */
function asDocumented(row: Route, answer: Answer<unknown>, values: Json = {}): void {
  const { schema, contentTypes } = row.answers[answer.status] ?? {};
  if (contentTypes)
    expect([row.operation, contentTypes]).toEqual([row.operation, [answer.headers.get('content-type')]]);
  else expect([row.operation, answer.body]).toEqual([row.operation, schema?.parse(answer.body)]);
  if (Object.keys(values).length > 0) expect(answer.body).toMatchObject(values);
}

/**
 * The same members in the same order, with the printed values but where this world decides them.
 */
function sameShape(what: string, got: unknown, published: unknown, differs: Json): void {
  const wanted = published as Json;
  expect([what, Object.keys(got as Json)]).toEqual([what, [...Object.keys(wanted), ...further(wanted, differs)]]);
  expect([what, got]).toEqual([what, { ...wanted, ...differs }]);
}

/** Members that this API has beyond the printed ones stand at the end. */
const further = (published: Json, differs: Json) => Object.keys(differs).filter((name) => !(name in published));
