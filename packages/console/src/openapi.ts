import { queryOptions } from '@tanstack/react-query';

/** The parts of an OpenAPI 3.1 document that pages show. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  examples?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  description?: string;
  schema: Schema;
}

interface Media {
  schema?: Schema;
  examples?: Record<string, { summary?: string; value: unknown }>;
}

interface RawOperation {
  operationId: string;
  summary: string;
  description?: string;
  tags: string[];
  security?: unknown[];
  parameters: Parameter[];
  requestBody?: { required: boolean; content: Record<string, Media> };
  responses: Record<string, { description: string; content?: Record<string, Media> }>;
}

interface Document {
  info: { title: string; version: string; description: string };
  paths: Record<string, Record<string, RawOperation>>;
  components: Record<string, Record<string, unknown>>;
}

export interface Operation extends RawOperation {
  method: string;
  path: string;
  tag: string;
}

export interface Api {
  title: string;
  version: string;
  description: string;
  operations: Operation[];
}

/** Every operation, in the order of the document. */
export const openApiQuery = queryOptions({
  queryKey: ['openapi'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async (): Promise<Api> => {
    const response = await fetch('/api/openapi.json', { signal: AbortSignal.timeout(30_000) });
    if (!response.ok) throw new Error(`the document of the API: ${response.status}`);
    const document = (await response.json()) as Document;
    const { info } = document;
    const paths = resolved(document.paths, document, []) as Document['paths'];
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        ...operation,
        method: method.toUpperCase(),
        path,
        tag: operation.tags[0] ?? '',
      })),
    );
    return { ...info, operations };
  },
});

/**
 * The value with what it refers to in its place: pages show a body as one piece. A reference inside
 * itself stays as it is.
 */
function resolved(value: unknown, document: Document, within: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((part) => resolved(part, document, within));
  if (typeof value !== 'object' || value === null) return value;
  const { $ref, ...own } = value as { $ref?: unknown };
  if (typeof $ref === 'string' && !within.includes($ref)) {
    const [, , kind = '', name = ''] = $ref.split('/');
    const target = resolved(document.components[kind]?.[name], document, [...within, $ref]);
    return { ...(target as object | undefined), ...own };
  }
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, resolved(part, document, within)]));
}

export const bodySchema = (operation: Operation): Schema | undefined =>
  operation.requestBody?.content['application/json']?.schema;
export const bodyExample = (operation: Operation): unknown =>
  Object.values(operation.requestBody?.content['application/json']?.examples ?? {})[0]?.value;

/** Operations by tag, in order. */
export function byTag(operations: readonly Operation[]): [string, Operation[]][] {
  const groups = new Map<string, Operation[]>();
  for (const operation of operations) groups.set(operation.tag, [...(groups.get(operation.tag) ?? []), operation]);
  return [...groups];
}

/** A type in a few words: `string`, `"json" | "png"`, `string[]`, `integer | null`. */
export function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return [...new Set(either.map(typeOf))].join(' | ');
  if (schema.type === 'array') return `${schema.items ? wrapped(typeOf(schema.items)) : 'any'}[]`;
  if (Array.isArray(schema.type)) return schema.type.join(' | ');
  return schema.type ?? 'any';
}
const wrapped = (type: string) => (type.includes('|') ? `(${type})` : type);
