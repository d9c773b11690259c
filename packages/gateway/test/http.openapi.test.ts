import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpHarness, openHttp } from './support/http-harness.ts';

type Json = Record<string, unknown>;

let h: HttpHarness;
let document: Json;
beforeAll(async () => {
  h = await openHttp();
  document = (await h.call('GET', '/api/openapi.json', { key: null })).body;
});
afterAll(() => h.close());

const operations = (): { path: string; method: string; operation: Json }[] =>
  Object.entries(document.paths as Record<string, Record<string, Json>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe('the OpenAPI document', () => {
  it('is one 3.1 document for every row of every API, needs no key and may be read from anywhere', async () => {
    const reply = await h.call('GET', '/api/openapi.json', { key: null });
    expect(reply.headers['access-control-allow-origin']).toBe('*');
    expect(document.openapi).toBe('3.1.0');
    const rows = h.dialects
      .filter(({ published }) => published !== false)
      .flatMap(({ prefix, routes }) =>
        routes.map(({ method, path }) => `${method} ${(prefix + path).replace(/:([a-z_]+)/g, '{$1}')}`),
      );
    expect(
      operations()
        .map(({ path, method }) => `${method.toUpperCase()} ${path}`)
        .sort(),
    ).toEqual(rows.sort());
  });

  it('names every operation once and declares every parameter of its path', () => {
    const names = operations().map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, operation } of operations()) {
      const declared = (operation.parameters as Json[]).filter((one) => one.in === 'path').map(({ name }) => name);
      expect(declared.sort(), path).toEqual([...path.matchAll(/\{([a-z_]+)\}/g)].map(([, name]) => name).sort());
      expect(operation.summary, path).toBeTruthy();
      expect(Object.keys(operation.responses as Json), path).toEqual(expect.arrayContaining(['500', '503']));
    }
  });

  it('refers only to what it holds, and holds nothing that JSON cannot say', () => {
    const text = JSON.stringify(document);
    const refs = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => String(path));
    expect(refs.length).toBeGreaterThan(10);
    for (const ref of refs) {
      const found = ref.split('/').reduce<unknown>((at, name) => (at as Json | undefined)?.[name], document);
      expect(found, ref).toBeDefined();
    }
    expect(text).not.toContain('"$schema"');
    expect(text).not.toContain('undefined');
  });

  it('says which calls take an Idempotency-Key, and which need no key', () => {
    const named = (name: string) => operations().find(({ operation }) => operation.operationId === name)?.operation;
    for (const name of ['sendMessage', 'bridgeSendText']) {
      expect(named(name)?.parameters).toContainEqual(
        expect.objectContaining({ name: 'Idempotency-Key', in: 'header' }),
      );
    }
    expect(named('bridgeHealth')?.security).toEqual([]);
    expect(named('me')?.security).toBeUndefined();
    expect(document.security).toEqual([{ bearer: [] }, { bridgeKey: [] }]);
  });

  it('names every body and answer, and says of every member, operation and parameter what it is', () => {
    const nameless: string[] = [];
    const look = (value: unknown, where: string): void => {
      if (typeof value !== 'object' || value === null) return;
      const { properties } = value as Json;
      for (const [name, member] of Object.entries((properties as Json | undefined) ?? {})) {
        const { description, $ref } = member as Json;
        if (!description && !$ref) nameless.push(`${where}.${name}`);
      }
      for (const [key, part] of Object.entries(value)) look(part, `${where}/${key}`);
    };
    look(document.components, 'components');
    for (const { path, operation } of operations()) {
      expect(operation.description, path).toBeTruthy();
      for (const part of [operation.requestBody, ...Object.values(operation.responses as Json)] as (
        | Json
        | undefined
      )[]) {
        const body = (part?.content as Json | undefined)?.['application/json'] as { schema: Json } | undefined;
        if (body) expect(Object.keys(body.schema), path).toEqual(['$ref']);
      }
    }
    expect(nameless).toEqual([]);
  });

  it('documents examples that its own schemas take', () => {
    for (const { routes } of h.dialects) {
      for (const row of routes) {
        const where = `${row.method} ${row.path}`;
        if (row.requestExample !== undefined) expect(row.body?.safeParse(row.requestExample).success, where).toBe(true);
        for (const [status, { schema, example }] of Object.entries(row.answers)) {
          if (example !== undefined) expect(schema?.safeParse(example).error, `${where} ${status}`).toBeUndefined();
        }
      }
    }
  });
});

/** Every media type of operations, webhooks and shared responses, and where it stands. */
function* mediaTypes(value: unknown, where = ''): Generator<{ where: string; media: Json }> {
  if (typeof value !== 'object' || value === null) return;
  const { content } = value as Json;
  const json = (content as Json | undefined)?.['application/json'];
  if (json !== undefined) yield { where, media: json as Json };
  for (const [key, part] of Object.entries(value)) {
    if (key !== 'schemas' && key !== 'examples') yield* mediaTypes(part, `${where}/${key}`);
  }
}

describe('its examples', () => {
  it('are there, with a name and a sentence, wherever a body is: operations, refusals, events', () => {
    const shown = [...mediaTypes(document)];
    expect(shown.length).toBeGreaterThan(300);
    const bare = shown.filter(({ media }) => {
      const named = Object.values((media.examples ?? {}) as Record<string, Json>);
      return named.length === 0 || named.some(({ summary }) => !summary);
    });
    expect(bare.map(({ where }) => where)).toEqual([]);
  });

  it('are values of their schemas', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
    ajv.addSchema({ ...document, $id: 'ponte' }, 'ponte');
    const wrong: string[] = [];
    for (const { where, media } of mediaTypes(document)) {
      const { $ref } = media.schema as { $ref: string };
      const validate = ajv.compile({ $ref: `ponte${$ref}` });
      for (const [name, { value }] of Object.entries((media.examples ?? {}) as Record<string, Json>)) {
        if (!validate(value)) wrong.push(`${where} ${name}: ${ajv.errorsText(validate.errors)}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('of answers are what the rows answer by their own schemas, too', () => {
    const byName = new Map(operations().map(({ operation }) => [operation.operationId, operation]));
    for (const { routes } of h.dialects.filter(({ published }) => published !== false)) {
      for (const row of routes) {
        const responses = byName.get(row.operation)?.responses as Record<string, Json>;
        for (const [status, { schema }] of Object.entries(row.answers)) {
          const content = responses[status]?.content as Record<string, { examples?: Json }> | undefined;
          for (const one of Object.values(content?.['application/json']?.examples ?? {})) {
            const { error } = schema?.safeParse((one as Json).value) ?? {};
            expect(error, `${row.operation} ${status}`).toBeUndefined();
          }
        }
      }
    }
  });
});
