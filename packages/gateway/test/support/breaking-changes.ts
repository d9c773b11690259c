type Json = Record<string, unknown>;

/**
 * Compares a published contract with an earlier one: whatever a client of the earlier one relies on
 * must still be there. Additions are fine; a removal, another name, another type, and a request
 * that is narrower or asks for more are not.
 */
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const object = (value: unknown): Json => (isObject(value) ? value : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** A request must take what it took; an answer must hold what it held. */
type Direction = 'request' | 'answer';

interface Side {
  document: Json;
  schema: unknown;
}

const NARROWED_BY_LESS = ['maxLength', 'maximum', 'maxItems', 'exclusiveMaximum'] as const;
const NARROWED_BY_MORE = ['minLength', 'minimum', 'minItems', 'exclusiveMinimum'] as const;
/** Every break between two OpenAPI documents, one line each; empty when there is none. */
export function breakingChanges(before: Json, after: Json): string[] {
  const breaks: string[] = [];
  for (const [path, methods] of Object.entries(object(before.paths))) {
    for (const [method, operation] of Object.entries(object(methods))) {
      const where = `${method.toUpperCase()} ${path}`;
      const now = object(object(after.paths)[path])[method];
      if (isObject(now)) compareOperations(where, { before, after }, object(operation), now, breaks);
      else breaks.push(`${where} is gone`);
    }
  }
  return breaks;
}

function compareOperations(
  where: string,
  documents: { before: Json; after: Json },
  was: Json,
  now: Json,
  breaks: string[],
): void {
  if (was.operationId !== now.operationId) breaks.push(`${where} is named ${String(now.operationId)} now`);
  compareParameters(where, documents, was, now, breaks);
  for (const type of Object.keys(object(object(was.requestBody).content))) {
    const one = { document: documents.before, schema: bodyOf(documents.before, was.requestBody, type) };
    const two = { document: documents.after, schema: bodyOf(documents.after, now.requestBody, type) };
    if (two.schema === undefined) breaks.push(`${where} takes no ${type} body any more`);
    else compare(`${where} body`, one, two, 'request', breaks);
  }
  if (object(was.requestBody).required !== true && object(now.requestBody).required === true) {
    breaks.push(`${where} requires a body now`);
  }
  for (const [status, answer] of Object.entries(object(was.responses))) {
    const present = object(now.responses)[status];
    // `default` stood for all refusals: later versions list them one by one.
    const isListed = status === 'default' && Object.keys(object(now.responses)).some((one) => one >= '4');
    if (present === undefined && !isListed) breaks.push(`${where} does not answer ${status} any more`);
    if (present === undefined) continue;
    for (const type of Object.keys(object(resolved({ document: documents.before, schema: answer }).content))) {
      const one = { document: documents.before, schema: bodyOf(documents.before, answer, type) };
      const two = { document: documents.after, schema: bodyOf(documents.after, present, type) };
      if (two.schema !== undefined) compare(`${where} ${status}`, one, two, 'answer', breaks);
      else if (one.schema !== undefined) breaks.push(`${where} ${status} is no ${type} any more`);
    }
  }
}

/** The schema of an answer or a body, either of which may be a reference. */
const bodyOf = (document: Json, answer: unknown, type: string): unknown =>
  object(object(resolved({ document, schema: answer }).content)[type]).schema;

function compareParameters(
  where: string,
  documents: { before: Json; after: Json },
  was: Json,
  now: Json,
  breaks: string[],
): void {
  const named = (operation: Json) =>
    new Map(
      list(operation.parameters).map((one) => [`${String(object(one).in)} ${String(object(one).name)}`, object(one)]),
    );
  const known = named(was);
  const present = named(now);
  for (const [name, parameter] of known) {
    const same = present.get(name);
    if (!same) breaks.push(`${where} does not take ${name} any more`);
    else {
      if (parameter.required !== true && same.required === true) breaks.push(`${where} requires ${name} now`);
      const one = { document: documents.before, schema: parameter.schema };
      compare(`${where} ${name}`, one, { document: documents.after, schema: same.schema }, 'request', breaks);
    }
  }
  for (const [name, parameter] of present) {
    if (!known.has(name) && parameter.required === true) breaks.push(`${where} requires ${name}, which is new`);
  }
}

/** The schema itself, behind `$ref` and a single `allOf`. */
function resolved({ document, schema }: Side): Json {
  const one = object(schema);
  if (typeof one.$ref === 'string') {
    const found = one.$ref
      .slice(2)
      .split('/')
      .reduce<unknown>((at, name) => object(at)[name], document);
    return resolved({ document, schema: found });
  }
  const [only, ...more] = list(one.allOf);
  return only !== undefined && more.length === 0 ? resolved({ document, schema: only }) : one;
}

/** What a value may be: the alternatives of a union, each kind of `type: [...]` apart. */
function alternatives(side: Side): Json[] {
  const schema = resolved(side);
  const choices = [...list(schema.anyOf), ...list(schema.oneOf)];
  if (choices.length > 0) return choices.flatMap((choice) => alternatives({ document: side.document, schema: choice }));
  return Array.isArray(schema.type) ? schema.type.map((type) => ({ ...schema, type: type as unknown })) : [schema];
}

const typeOf = (schema: Json): string => {
  if (typeof schema.type === 'string') return schema.type === 'integer' ? 'number' : schema.type;
  const [value] = [schema.const, ...list(schema.enum)].filter((one) => one !== undefined);
  if (value !== undefined) return value === null ? 'null' : typeof value;
  return schema.properties === undefined ? 'anything' : 'object';
};

/** Values a schema is limited to; undefined when any of its type will do. */
function valuesOf(schema: Json): unknown[] | undefined {
  if (schema.const !== undefined) return [schema.const];
  return Array.isArray(schema.enum) ? schema.enum : undefined;
}

/** What tells alternatives of a union apart: members that can have one value only. */
function markOf(schema: Json): string {
  const constants = Object.entries(object(schema.properties)).flatMap(([name, member]) =>
    object(member).const === undefined ? [] : [`${name}=${String(object(member).const)}`],
  );
  return `${typeOf(schema)} ${constants.sort().join(' ')}`.trim();
}

/** What was found of two schemas, by the schemas; shared ones are compared once. */
const found: Record<Direction, WeakMap<Json, WeakMap<Json, string[]>>> = {
  request: new WeakMap(),
  answer: new WeakMap(),
};

function compare(where: string, was: Side, now: Side, direction: Direction, breaks: string[]): void {
  if (was.schema === undefined) return;
  const pair = [resolved(was), resolved(now)] as const;
  const known = found[direction].get(pair[0]) ?? new WeakMap<Json, string[]>();
  found[direction].set(pair[0], known);
  let relative = known.get(pair[1]);
  if (!relative) {
    relative = [];
    // Schemas that refer to themselves find this.
    known.set(pair[1], relative);
    relative.push(...differences(was, now, direction));
  }
  breaks.push(...relative.map((message) => where + message));
}

function differences(was: Side, now: Side, direction: Direction): string[] {
  const breaks: string[] = [];
  const where = '';
  const known = alternatives(was);
  const present = alternatives(now);
  if (known.every((one) => typeOf(one) === 'anything')) return breaks;
  if (
    direction === 'answer' &&
    present.some((one) => typeOf(one) === 'null') &&
    !known.some((one) => typeOf(one) === 'null')
  ) {
    breaks.push(`${where} may be null now`);
  }
  for (const one of known) {
    const alike = present.filter((other) => markOf(other) === markOf(one));
    const candidates = alike.length > 0 ? alike : present.filter((other) => typeOf(other) === typeOf(one));
    if (candidates.length === 0) {
      const isWidened = direction === 'request' && present.some((other) => typeOf(other) === 'anything');
      if (!isWidened) breaks.push(`${where} is not ${markOf(one)} any more`);
      continue;
    }
    const tries = candidates.map((other) => {
      const found: string[] = [];
      const sides: [Side, Side] = [
        { document: was.document, schema: one },
        { document: now.document, schema: other },
      ];
      compareAlike(where, sides, direction, found);
      return found;
    });
    const [best] = tries.sort((a, b) => a.length - b.length);
    breaks.push(...(best ?? []));
  }
  return breaks;
}

function compareAlike(where: string, [was, now]: [Side, Side], direction: Direction, breaks: string[]): void {
  const [one, two] = [object(was.schema), object(now.schema)];
  compareValues(where, one, two, direction, breaks);
  const required = { was: list(one.required), now: list(two.required) };
  const members = object(two.properties);
  for (const [name, member] of Object.entries(object(one.properties))) {
    const path = `${where}.${name}`;
    if (!Object.hasOwn(members, name)) {
      if (direction === 'answer' || two.additionalProperties === false) breaks.push(`${path} is gone`);
      continue;
    }
    if (direction === 'answer' && required.was.includes(name) && !required.now.includes(name)) {
      breaks.push(`${path} may be missing now`);
    }
    const sides: [Side, Side] = [
      { document: was.document, schema: member },
      { document: now.document, schema: members[name] },
    ];
    compare(path, ...sides, direction, breaks);
  }
  if (direction === 'request') {
    for (const name of required.now)
      if (!required.was.includes(name)) breaks.push(`${where}.${String(name)} is required now`);
  }
  if (one.items !== undefined) {
    const sides: [Side, Side] = [
      { document: was.document, schema: one.items },
      { document: now.document, schema: two.items ?? {} },
    ];
    compare(`${where}[]`, ...sides, direction, breaks);
  }
}

function compareValues(where: string, was: Json, now: Json, direction: Direction, breaks: string[]): void {
  const [known, present] = [valuesOf(was), valuesOf(now)];
  if (known && present) {
    const gone = known.filter((value) => !present.includes(value));
    if (gone.length > 0) breaks.push(`${where} is never ${gone.map(String).join(', ')} any more`);
  }
  if (direction === 'answer' && known && !present) breaks.push(`${where} may have any value now`);
  if (direction !== 'request') return;
  if (!known && present) breaks.push(`${where} takes certain values only now`);
  for (const name of NARROWED_BY_LESS) {
    if (typeof now[name] === 'number' && Number(now[name]) < Number(was[name] ?? Number.POSITIVE_INFINITY)) {
      breaks.push(`${where} has a lower ${name} now`);
    }
  }
  for (const name of NARROWED_BY_MORE) {
    if (typeof now[name] === 'number' && Number(now[name]) > Number(was[name] ?? Number.NEGATIVE_INFINITY)) {
      breaks.push(`${where} has a higher ${name} now`);
    }
  }
}

/**
 * Every break between two bodies of one webhook event: a member that is gone, or of another type.
 */
export function brokenBodies(where: string, was: unknown, now: unknown): string[] {
  if (kindOf(was) !== kindOf(now)) return [`${where} was ${kindOf(was)} and is ${kindOf(now)}`];
  if (Array.isArray(was)) return was.length === 0 ? [] : brokenBodies(`${where}[]`, was[0], list(now)[0]);
  if (!isObject(was)) return [];
  return Object.entries(was).flatMap(([name, member]) =>
    Object.hasOwn(object(now), name)
      ? brokenBodies(`${where}.${name}`, member, object(now)[name])
      : [`${where}.${name} is gone`],
  );
}

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);
