import type { z } from 'zod';
import { COMMANDS } from '../../commands/commands.ts';
import type { AnswerDoc, Dialect, DocumentedEvent, Route } from '../route.ts';
import { Components, type Json, jsonSchema } from './components.ts';
import { ErrorResponses } from './error-responses.ts';
import { exampleFrom, withExample } from './examples.ts';
import { NOTHING_RECORDED, type Recorded } from './recorded.ts';

/**
 * One OpenAPI 3.1 document of every row of every published dialect, made from the schemas that
 * check the requests. Every body and answer is a named component.
 */
export function openApiDocument(all: readonly Dialect[], facts: { version: string; url: string }): Json {
  const dialects = all.filter(({ published }) => published !== false);
  const made: Made = { components: new Components(), errors: new ErrorResponses() };
  const paths: Record<string, Json> = {};
  const webhooks: Json = {};
  const tags = new Map<string, string>();
  for (const dialect of dialects) {
    const recorded = dialect.recorded?.() ?? NOTHING_RECORDED;
    for (const row of dialect.routes) {
      const path = (dialect.prefix + row.path).replace(/:([A-Za-z_]+)/g, '{$1}');
      const known = paths[path] ?? {};
      paths[path] = known;
      known[row.method.toLowerCase()] = operation(dialect, row, made, recorded);
      tags.set(tagOf(dialect, row), dialect.title);
    }
    if (dialect.event) addUnion(dialect, dialect.event, made);
    const { event: anyEvent } = dialect;
    const all: DocumentedEvent[] = anyEvent ? [{ ...ANY_EVENT, schema: anyEvent }] : [];
    for (const event of [...all, ...(dialect.events ?? [])]) {
      const tag = `${dialect.title}: Webhooks`;
      tags.set(tag, dialect.title);
      webhooks[`${dialect.name}.${event.name}`] = webhook(dialect, event, tag, made, recorded.events[event.name]);
    }
  }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Ponte',
      version: facts.version,
      description: dialects.map(({ title, description }) => `**${title}.** ${description}`).join('\n\n'),
      contact: { name: 'Operator of this installation', url: facts.url },
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: facts.url, description: 'This installation.' }],
    tags: [...tags].map(([name, description]) => ({ name, description })),
    security: [{ bearer: [] }, { bridgeKey: [] }],
    paths,
    ...(Object.keys(webhooks).length > 0 ? { webhooks } : {}),
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key, `wzb_live_…` or `wzb_test_…`.' },
        bridgeKey: { type: 'apiKey', in: 'header', name: 'X-Bridge-Key', description: 'The same key in a header.' },
      },
      schemas: { ...made.components.schemas, ...made.errors.schemas },
      responses: made.errors.responses,
      headers: {
        RequestId: { description: 'Names this request in logs and support.', schema: { type: 'string' } },
        RetryAfter: { description: 'Whole seconds until trying again makes sense.', schema: { type: 'integer' } },
      },
    },
  };
}

const ANY_EVENT = {
  name: 'any',
  summary: 'Any event',
  description: 'What a webhook gets: one of the events below, told apart by `event`.',
};

interface Made {
  components: Components;
  errors: ErrorResponses;
}

const tagOf = (dialect: Dialect, row: Route): string => `${dialect.title}: ${row.tag}`;
const capital = (name: string): string => `${name[0]?.toUpperCase()}${name.slice(1)}`;

function operation(dialect: Dialect, row: Route, { components, errors }: Made, recorded: Recorded): Json {
  const command = row.command === null ? undefined : COMMANDS[row.command];
  const body = row.body && components.ref(row.body, 'input', `${capital(row.operation)}Request`);
  return {
    operationId: row.operation,
    summary: row.summary,
    description: [row.description ?? `${row.summary}.`, ...(command ? [`Scope: \`${command.scope}\`.`] : [])].join(
      '\n\n',
    ),
    tags: [tagOf(dialect, row)],
    ...(row.auth === 'none' ? { security: [] } : {}),
    parameters: parameters(row),
    ...(row.body && body
      ? {
          requestBody: {
            description: row.takesFile ? 'As JSON, or as a form with the file in it.' : 'What is asked.',
            required: !row.body.safeParse(undefined).success,
            content: {
              'application/json': shown(body, row, components, row.requestExample),
              ...(row.takesFile ? { 'multipart/form-data': { schema: body } } : {}),
            },
          },
        }
      : {}),
    responses: {
      ...answers(row, components, recorded),
      ...errors.of(dialect, row, command?.on !== 'account' && !!command),
    },
  };
}

/** Any event of a dialect, told apart by `event`. */
function addUnion(dialect: Dialect, union: z.ZodType, { components }: Made): void {
  const name =
    String(components.ref(union, 'output', `${capital(dialect.name)}Event`).$ref)
      .split('/')
      .at(-1) ?? '';
  const made = components.schemas[name] as { oneOf?: Json[]; anyOf?: Json[] };
  components.schemas[name] = {
    description: `Any event of the ${dialect.title}; \`event\` says which.`,
    oneOf: made.oneOf ?? made.anyOf ?? [],
    discriminator: { propertyName: 'event', mapping: mappingOf(made.oneOf ?? made.anyOf ?? [], components) },
  };
}

function mappingOf(parts: Json[], components: Components): Json {
  return Object.fromEntries(
    parts.map(({ $ref }) => {
      const shape = components.schemas[String($ref).split('/').at(-1) ?? ''] as { properties?: { event?: Json } };
      return [String(shape.properties?.event?.const), $ref];
    }),
  );
}

function webhook(dialect: Dialect, event: DocumentedEvent, tag: string, { components }: Made, body: unknown): Json {
  const schema = components.ref(event.schema, 'output', `${capital(dialect.name)}Event`);
  const operation = `${dialect.name}Webhook${event.name.split(/[._]/).map(capital).join('')}`;
  const value = body ?? exampleFrom(schema, components.schemas);
  return {
    post: {
      operationId: operation,
      summary: event.summary,
      description: event.description,
      tags: [tag],
      security: [],
      requestBody: {
        description: 'Signed: see the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`.',
        required: true,
        content: { 'application/json': withExample(schema, operation, event.summary, value) },
      },
      responses: { '2XX': { description: 'Taken. Every other answer is tried again.' } },
    },
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

function answers(row: Route, components: Components, recorded: Recorded): Json {
  const headers = { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } };
  return Object.fromEntries(
    Object.entries(row.answers).map(([status, doc], index) => {
      const name = `${capital(row.operation)}Answer${index === 0 ? '' : status}`;
      const given = { ...doc, example: doc.example ?? recorded.answers[`${row.operation} ${status}`] };
      return [status, { description: doc.description, headers, ...content(given, name, row, components) }];
    }),
  );
}

function content(doc: AnswerDoc, name: string, row: Route, components: Components): Json {
  const types: Json = {};
  if (doc.schema) {
    types['application/json'] = shown(components.ref(doc.schema, 'output', name), row, components, doc.example);
  }
  for (const type of doc.contentTypes ?? []) types[type] = { schema: { type: 'string' } };
  return Object.keys(types).length === 0 ? {} : { content: types };
}

/** The example of its author, else one made of the examples of the members; named after the row. */
const shown = (schema: Json, row: Route, { schemas }: Components, example: unknown): Json =>
  withExample(schema, row.operation, row.summary, example ?? exampleFrom(schema, schemas));
