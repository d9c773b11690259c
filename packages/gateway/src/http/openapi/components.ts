import { z } from 'zod';
import { PROPERTY_WORDS } from './property-words.ts';

export type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A schema as JSON Schema 2020-12. `$schema` names the dialect once for the whole document, so that
 * schemas carry none. Answers may grow members without breaking clients, so further ones are not
 * excluded; bounds that every JSON integer has are left out. Members without a description of their
 * own get that of their name.
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
  describe(rest);
  return rest;
}

/**
 * The same with everything in its place and no names: for readers that resolve no references, such
 * as clients of tools.
 */
export function plainJsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $defs, ...made } = jsonSchema(schema, io);
  const defs = isObject($defs) ? $defs : {};
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain);
    if (!isObject(value)) return value;
    const { $ref, id: _, ...rest } = value as Json & { id?: unknown };
    const target = typeof $ref === 'string' ? defs[$ref.replace('#/$defs/', '')] : undefined;
    // `id` names a schema only where it stands beside a type; below `properties` it is a member.
    const kept = typeof value.id === 'string' ? rest : value;
    const { $ref: _ref, ...own } = kept as Json;
    const merged = target === undefined ? kept : { ...(plain(target) as Json), ...own };
    return Object.fromEntries(Object.entries(merged).map(([key, part]) => [key, plain(part)]));
  };
  return plain(made) as Json;
}

/** Gives every member below its words, in place. */
function describe(value: unknown): void {
  if (Array.isArray(value)) {
    for (const part of value) describe(part);
    return;
  }
  if (!isObject(value)) return;
  if (isObject(value.properties)) {
    for (const [name, member] of Object.entries(value.properties)) if (isObject(member)) addWords(name, member);
  }
  for (const part of Object.values(value)) describe(part);
}

function addWords(name: string, member: Json): void {
  const [description, example] = PROPERTY_WORDS[name] ?? [];
  if (description !== undefined && member.description === undefined) member.description = description;
  if (example === undefined || member.examples !== undefined || member.$ref !== undefined) return;
  if (takes(member, example)) member.examples = [example];
}

/**
 * Whether an example of the name can be one of this member: names are shared, types need not be.
 */
function takes(member: Json, example: unknown): boolean {
  if (Array.isArray(member.enum)) return member.enum.includes(example);
  if (member.const !== undefined) return member.const === example;
  if (typeof member.pattern === 'string' || typeof member.format === 'string') return false;
  const choices = Array.isArray(member.anyOf) ? member.anyOf.filter(isObject) : [];
  if (choices.some((choice) => Array.isArray(choice.enum) && !choice.enum.includes(example))) return false;
  const types = [member, ...choices].map(({ type }) => type);
  if (example === null) return types.includes('null');
  if (Array.isArray(example)) return types.includes('array') && isPlainList(member);
  if (typeof example === 'number') {
    const { minimum = example, maximum = example } = member as { minimum?: number; maximum?: number };
    return example >= minimum && example <= maximum && isNumeric(example);
  }
  return types.includes(typeof example);

  function isNumeric(value: number): boolean {
    return types.includes('number') || (types.includes('integer') && Number.isInteger(value));
  }
}

/** A list of any strings: no choice among names, which the example might not be one of. */
function isPlainList({ items }: Json): boolean {
  return isObject(items) && items.type === 'string' && items.enum === undefined && items.pattern === undefined;
}

/**
 * The named schemas of the document. One that carries an id (`.meta({ id })`) is named after it
 * wherever it stands; others get the name given when they are added.
 */
export class Components {
  readonly schemas: Json = {};
  readonly #names = new Map<z.ZodType, string>();

  /** Adds a schema under a name, once, and answers the reference to it. */
  ref(schema: z.ZodType, io: 'input' | 'output', fallback: string): Json {
    const known = this.#names.get(schema);
    if (known !== undefined) return reference(known);
    const { id } = (z.globalRegistry.get(schema) ?? {}) as { id?: string };
    const name = this.#free(id ?? fallback, schema, io);
    this.#names.set(schema, name);
    return reference(name);
  }

  /** A schema that stands where it is used; what it names within becomes a component. */
  inline(schema: z.ZodType, io: 'input' | 'output'): Json {
    const { $defs, ...made } = jsonSchema(schema, io);
    return this.#hoist(made, $defs, io);
  }

  #free(name: string, schema: z.ZodType, io: 'input' | 'output'): string {
    const made = this.inline(schema, io);
    const { id: _, ...bare } = made;
    // One with an id comes as a reference to its own definition, which is a component by now.
    const own =
      typeof bare.$ref === 'string' && Object.keys(bare).length === 1 ? bare.$ref.split('/').at(-1) : undefined;
    return own ?? this.#put(name, bare, io);
  }

  /** Two different schemas never share a name: the later one says in which direction it goes. */
  #put(name: string, made: Json, io: 'input' | 'output'): string {
    const text = JSON.stringify(made);
    const candidates = [name, `${name}${io === 'input' ? 'Input' : 'Output'}`];
    const found = candidates.find((one) => [undefined, text].includes(this.#textOf(one)));
    if (found === undefined) throw new Error(`two different schemas are named ${name}`);
    this.schemas[found] = made;
    return found;
  }

  #textOf(name: string): string | undefined {
    return this.schemas[name] === undefined ? undefined : JSON.stringify(this.schemas[name]);
  }

  #hoist(made: Json, defs: unknown, io: 'input' | 'output'): Json {
    if (!isObject(defs)) return made;
    const renamed = new Map<string, string>();
    const bodies = Object.entries(defs).filter((entry): entry is [string, Json] => isObject(entry[1]));
    // Names first: definitions refer to each other.
    for (const [name] of bodies) renamed.set(name, name);
    for (const [name, body] of bodies) {
      const { id: _, ...bare } = body;
      renamed.set(name, this.#put(name, rewritten(bare, renamed) as Json, io));
    }
    return rewritten(made, renamed) as Json;
  }
}

const reference = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** References to definitions of the schema become references to components. */
function rewritten(value: unknown, names: Map<string, string>): unknown {
  if (Array.isArray(value)) return value.map((part) => rewritten(part, names));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => {
      if (key !== '$ref' || typeof part !== 'string') return [key, rewritten(part, names)];
      const name = part.replace(/^#\/\$defs\//, '');
      return [key, `#/components/schemas/${names.get(name) ?? name}`];
    }),
  );
}
