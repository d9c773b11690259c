import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BRIDGES_EVENT_NAMES, bridgesWebhookFormat } from '../src/dialects/bridges/webhook-format.ts';
import { linesWebhookFormat } from '../src/dialects/lines/webhook-format.ts';
import { openApiDocument } from '../src/http/openapi/document.ts';
import { breakingChanges, brokenBodies } from './support/breaking-changes.ts';
import { DELIVERY, LINE, samples } from './support/event-samples.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';

/*
 * What is public is frozen here. A change of a golden file is seen in review (`vitest run -u`
 * writes it on purpose); a change that would break a client of the baseline fails whatever the
 * golden file says. The baseline is what 0.1.0 published.
 */
type Json = Record<string, unknown>;

const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const baseline = (name: string): Json =>
  JSON.parse(readFileSync(new URL(`./golden/0.1.0/${name}`, import.meta.url), 'utf8')) as Json;

/** What 0.1.0 did not say and did already: the simulated network never took other kinds. */
const SAID_NOW = [
  'POST /api/sandbox/v1/phones/{phone}/status body.type takes certain values only now',
  'POST /api/sandbox/v1/channels/{jid}/messages body.type takes certain values only now',
];

/** One body of every event a format has, by the name receivers see. */
function bodiesOf(format: typeof bridgesWebhookFormat, asked: readonly string[]): Json {
  const bodies: Json = {};
  for (const event of samples) {
    const rendered = format.render(event, LINE, { ...DELIVERY, events: asked });
    if (rendered) bodies[event.type] = JSON.parse(rendered.body) as Json;
  }
  return bodies;
}

const BODIES = {
  'webhooks.bridges.json': () => bodiesOf(bridgesWebhookFormat, BRIDGES_EVENT_NAMES),
  'webhooks.lines.json': () => bodiesOf(linesWebhookFormat, ['*']),
};

describe('the OpenAPI document', () => {
  let h: HttpHarness;
  let document: Json;
  beforeAll(async () => {
    h = await openHttp();
    document = (await h.call('GET', '/api/openapi.json', { key: null })).body;
  });
  afterAll(() => h.close());

  it('is the golden one', async () => {
    await expect(pretty(document)).toMatchFileSnapshot('golden/openapi.json');
  });

  /*
   * What the console calls is published nowhere. The types of its pages are made from this document
   * (scripts/sdk-types.mjs): a page that expects another answer than the server's does not compile.
   */
  it('of the console is the golden one', async () => {
    const called = h.dialects.filter(({ name }) => name === 'console' || name === 'console-sandbox');
    expect(called).toHaveLength(2);
    const shown = called.map((dialect) => ({ ...dialect, published: true }));
    const all = openApiDocument(shown, { version: '0.0.0', url: 'http://127.0.0.1:8080' });
    await expect(pretty(all)).toMatchFileSnapshot('golden/console.openapi.json');
  });

  it('breaks nobody who was built against the baseline', () => {
    const breaks = breakingChanges(baseline('openapi.json'), document);
    expect(breaks.filter((one) => !SAID_NOW.includes(one))).toEqual([]);
  });
});

describe.each(Object.entries(BODIES))('the bodies of %s', (name, bodies) => {
  it('are the golden ones', async () => {
    await expect(pretty(bodies())).toMatchFileSnapshot(`golden/${name}`);
  });

  it('break nobody who was built against the baseline', () => {
    const now = bodies();
    const breaks = Object.entries(baseline(name)).flatMap(([event, body]) => brokenBodies(event, body, now[event]));
    expect(breaks).toEqual([]);
  });
});

describe('the check itself', () => {
  const operation = (answer: Json, body: Json = {}): Json => ({
    paths: {
      '/things': {
        post: {
          operationId: 'makeThing',
          parameters: [{ in: 'query', name: 'wait', schema: { type: 'integer', maximum: 60 } }],
          requestBody: { content: { 'application/json': { schema: { type: 'object', ...body } } } },
          responses: { '200': { content: { 'application/json': { schema: { type: 'object', ...answer } } } } },
        },
      },
    },
  });
  const was = operation(
    { properties: { id: { type: 'string' }, state: { enum: ['on', 'off'] } }, required: ['id'] },
    { properties: { name: { type: 'string', maxLength: 20 } }, additionalProperties: false },
  );
  const answer = (over: Json, required = ['id']): Json =>
    operation(
      { properties: { id: { type: 'string' }, state: { enum: ['on', 'off'] }, ...over }, required },
      { properties: { name: { type: 'string', maxLength: 20 } }, additionalProperties: false },
    );

  it('lets additions pass', () => {
    expect(breakingChanges(was, was)).toEqual([]);
    expect(breakingChanges(was, answer({ more: { type: 'number' }, state: { enum: ['on', 'off', 'idle'] } }))).toEqual(
      [],
    );
  });

  it.each([
    ['a call that is gone', { paths: {} }, 'POST /things is gone'],
    ['a member of another type', answer({ id: { type: 'number' } }), '.id is not string any more'],
    [
      'a member that may be null',
      answer({ id: { anyOf: [{ type: 'string' }, { type: 'null' }] } }),
      '.id may be null now',
    ],
    ['a member that may be missing', answer({}, []), '.id may be missing now'],
    ['a value that is gone', answer({ state: { enum: ['on'] } }), '.state is never off any more'],
  ])('finds %s', (_name, now, message) => {
    expect(breakingChanges(was, now).join('\n')).toContain(message);
  });

  it('finds requests that take less', () => {
    const strict = operation(
      { properties: { id: { type: 'string' }, state: { enum: ['on', 'off'] } }, required: ['id'] },
      { properties: { title: { type: 'string' } }, required: ['title'], additionalProperties: false },
    );
    const breaks = breakingChanges(was, strict).join('\n');
    expect(breaks).toContain('body.name is gone');
    expect(breaks).toContain('body.title is required now');
  });

  it('finds a member of a webhook body that is gone or of another type', () => {
    expect(brokenBodies('e', { a: { b: 1 }, c: 'x' }, { a: { b: '1' }, d: 1 })).toEqual([
      'e.a.b was number and is string',
      'e.c is gone',
    ]);
  });
});
