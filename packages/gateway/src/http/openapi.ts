import { z } from 'zod';
import type { AnswerDoc, Dialect, Route } from './route.ts';

type Json = Record<string, unknown>;

/**
 * One OpenAPI 3.1 document of every row of every published dialect, made from the schemas that
 * check the requests.
 */
export function openApiDocument(all: readonly Dialect[], facts: { version: string; url: string }): Json {
  const dialects = all.filter(({ published }) => published !== false);
  const paths: Record<string, Json> = {};
  const schemas: Json = {};
  const tags = new Map<string, string>();
  for (const dialect of dialects) {
    schemas[errorName(dialect)] = jsonSchema(dialect.errorSchema, 'output');
    for (const row of dialect.routes) {
      const path = (dialect.prefix + row.path).replace(/:([A-Za-z_]+)/g, '{$1}');
      const known = paths[path] ?? {};
      paths[path] = known;
      known[row.method.toLowerCase()] = operation(dialect, row);
      tags.set(tagOf(dialect, row), dialect.title);
    }
  }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Ponte',
      version: facts.version,
      description: dialects.map(({ title, description }) => `**${title}.** ${description}`).join('\n\n'),
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: facts.url }],
    tags: [...tags].map(([name, description]) => ({ name, description })),
    security: [{ bearer: [] }, { bridgeKey: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key, `wzb_live_…` or `wzb_test_…`.' },
        bridgeKey: { type: 'apiKey', in: 'header', name: 'X-Bridge-Key' },
      },
      schemas,
      headers: {
        RequestId: { description: 'Names this request in logs and support.', schema: { type: 'string' } },
        RetryAfter: { description: 'Whole seconds until trying again makes sense.', schema: { type: 'integer' } },
      },
    },
  };
}

const tagOf = (dialect: Dialect, row: Route): string => `${dialect.title}: ${row.tag}`;
const errorName = (dialect: Dialect): string => `${dialect.name[0]?.toUpperCase()}${dialect.name.slice(1)}Error`;

/**
 * `$schema` names the dialect once for the whole document, so that schemas carry none. Answers may
 * grow members without breaking anybody, so nothing is said against further ones; bounds that every
 * JSON integer has are left out.
 */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
    override: ({ jsonSchema: made }) => {
      if (made.additionalProperties === false) delete made.additionalProperties;
      if (made.minimum === Number.MIN_SAFE_INTEGER) delete made.minimum;
      if (made.maximum === Number.MAX_SAFE_INTEGER) delete made.maximum;
    },
  });
  return rest;
}

function operation(dialect: Dialect, row: Route): Json {
  return {
    operationId: row.operation,
    summary: row.summary,
    ...(row.description === undefined ? {} : { description: row.description }),
    tags: [tagOf(dialect, row)],
    ...(row.auth === 'none' ? { security: [] } : {}),
    parameters: parameters(row),
    ...(row.body
      ? {
          requestBody: {
            required: !row.body.safeParse(undefined).success,
            content: {
              'application/json': media(jsonSchema(row.body, 'input'), row.requestExample),
              ...(row.takesFile ? { 'multipart/form-data': media(jsonSchema(row.body, 'input'), undefined) } : {}),
            },
          },
        }
      : {}),
    responses: responses(dialect, row),
  };
}

function parameters(row: Route): Json[] {
  const path = objectFields(row.params).map(({ name, schema }) => ({ name, in: 'path', required: true, schema }));
  const query = objectFields(row.query).map(({ name, schema, required }) => ({
    name,
    in: 'query',
    required,
    schema,
    ...(typeof schema.description === 'string' ? { description: schema.description } : {}),
  }));
  const header = row.idempotent
    ? [
        {
          name: 'Idempotency-Key',
          in: 'header',
          required: false,
          description: 'The same key and body within 24 hours: the saved answer, and nothing is sent again.',
          schema: { type: 'string', minLength: 1, maxLength: 255 },
        },
      ]
    : [];
  return [...path, ...query, ...header];
}

function objectFields(schema: z.ZodType | undefined): { name: string; schema: Json; required: boolean }[] {
  if (!schema) return [];
  const { properties, required } = jsonSchema(schema, 'input');
  const isRequired = new Set(Array.isArray(required) ? required : []);
  return Object.entries((properties ?? {}) as Record<string, Json>).map(([name, field]) => ({
    name,
    schema: field,
    required: isRequired.has(name),
  }));
}

function responses(dialect: Dialect, row: Route): Json {
  const headers = { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } };
  const out: Json = {};
  for (const [status, doc] of Object.entries(row.answers)) {
    out[status] = { description: doc.description, headers, ...content(doc) };
  }
  out.default = {
    description: 'A refusal or failure; `code`/`error` says which.',
    headers: { ...headers, 'Retry-After': { $ref: '#/components/headers/RetryAfter' } },
    content: { 'application/json': { schema: { $ref: `#/components/schemas/${errorName(dialect)}` } } },
  };
  return out;
}

function content(doc: AnswerDoc): Json {
  const types: Json = {};
  if (doc.schema) types['application/json'] = media(jsonSchema(doc.schema, 'output'), doc.example);
  for (const type of doc.contentTypes ?? []) types[type] = {};
  return Object.keys(types).length === 0 ? {} : { content: types };
}

const media = (schema: Json, example: unknown): Json => (example === undefined ? { schema } : { schema, example });
