import type { Json } from './components.ts';

/** A media type with its example under a name, where there is one. */
export function withExample(schema: Json, name: string, summary: string, value: unknown): Json {
  return value === undefined ? { schema } : { schema, examples: { [name]: { summary, value } } };
}

/**
 * A value that a schema takes, put together from the examples of its members: for shapes whose
 * author gave none. Undefined when there is nothing to say. `within`: the references that lead
 * here; a shape that holds itself ends there.
 */
export function exampleFrom(schema: Json, schemas: Json, within: readonly string[] = []): unknown {
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
  if (typeof schema.$ref === 'string') {
    const target = schemas[schema.$ref.split('/').at(-1) ?? ''] as Json | undefined;
    if (!target || within.includes(schema.$ref)) return undefined;
    return exampleFrom(target, schemas, [...within, schema.$ref]);
  }
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const choices = (schema.anyOf ?? schema.oneOf ?? schema.allOf) as Json[] | undefined;
  if (choices) return exampleOfChoice(choices, schemas, within);
  return exampleOfType(schema, schemas, within);
}

/** The first that is given; where nothing is, null, if it may be. */
function exampleOfChoice(choices: Json[], schemas: Json, within: readonly string[]): unknown {
  const [first] = choices.filter(({ type }) => type !== 'null');
  const isNullable = choices.some(({ type }) => type === 'null');
  if (first && (!isNullable || isGiven(first, schemas))) return exampleFrom(first, schemas, within) ?? null;
  return isNullable ? null : undefined;
}

/** Whether its author said what it looks like: a value of its own, or members always there. */
function isGiven(schema: Json, schemas: Json): boolean {
  const target = typeof schema.$ref === 'string' ? schemas[schema.$ref.split('/').at(-1) ?? ''] : undefined;
  if (target) return isGiven(target as Json, schemas);
  if (schema.examples ?? schema.enum ?? schema.const ?? schema.default) return true;
  return Array.isArray(schema.required) && schema.required.length > 0;
}

const BY_FORMAT: Record<string, string> = {
  'date-time': '2026-11-30T09:00:00.000Z',
  uri: 'https://example.com/',
  email: 'someone@example.com',
};

function exampleOfType(schema: Json, schemas: Json, within: readonly string[]): unknown {
  const types = [schema.type].flat();
  if (types.length > 1 && types.includes('null')) return null;
  const type = types.find((one) => one !== 'null') ?? types[0];
  switch (type) {
    case 'object':
      return exampleOfObject(schema, schemas, within);
    case 'array': {
      const item = schema.items === undefined ? undefined : exampleFrom(schema.items as Json, schemas, within);
      return item === undefined ? [] : [item];
    }
    case 'string':
      return BY_FORMAT[String(schema.format)] ?? (schema.pattern === undefined ? 'text' : undefined);
    case 'integer':
    case 'number':
      return (schema.minimum as number | undefined) ?? 1;
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      // Anything at all.
      return {};
  }
}

/** Undefined when a member that must be there has none. */
function exampleOfObject(schema: Json, schemas: Json, within: readonly string[]): Json | undefined {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const made: Json = {};
  for (const [name, member] of Object.entries((schema.properties ?? {}) as Record<string, Json>)) {
    const value = exampleFrom(member, schemas, within);
    if (value !== undefined) made[name] = value;
  }
  return required.every((name) => name in made) ? made : undefined;
}
