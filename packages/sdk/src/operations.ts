import type { operations } from './generated/api.ts';
import { OPERATIONS } from './generated/operations.ts';

/** Every operation of the API, by its name in the reference. */
export type OperationName = keyof typeof OPERATIONS;

type Of<O extends OperationName> = operations[O];
type JsonOf<T> = T extends { content: { 'application/json': infer B } } ? B : never;
type ParametersOf<O extends OperationName, K extends 'path' | 'query'> =
  Of<O> extends {
    parameters: { [P in K]?: infer V };
  }
    ? Exclude<V, undefined>
    : never;
type BodyOf<O extends OperationName> = Of<O> extends { requestBody?: infer B } ? JsonOf<Exclude<B, undefined>> : never;
type Member<K extends string, V> = [V] extends [never]
  ? { [P in K]?: undefined }
  : Record<string, never> extends V
    ? { [P in K]?: V }
    : { [P in K]: V };

/** What an operation takes. */
export type RequestOf<O extends OperationName> = Member<'path', ParametersOf<O, 'path'>> &
  Member<'query', ParametersOf<O, 'query'>> &
  ([BodyOf<O>] extends [never]
    ? { body?: undefined }
    : Of<O> extends { requestBody: unknown }
      ? { body: BodyOf<O> | FormData }
      : { body?: BodyOf<O> }) & {
    /** Made up when absent, so that a send whose answer was lost is not sent twice. */
    idempotencyKey?: string;
    signal?: AbortSignal;
  };

type Success = 200 | 201 | 202;

/** What an operation answers; undefined for those that answer nothing. */
export type AnswerOf<O extends OperationName> =
  Of<O> extends { responses: infer R }
    ? { [S in keyof R]: S extends Success ? JsonOf<R[S]> : never }[keyof R] extends infer A
      ? [A] extends [never]
        ? undefined
        : A
      : never
    : never;

/** The address of an operation with its parameters in their places. */
export function addressOf(operation: OperationName, path: Record<string, unknown> | undefined): string {
  return OPERATIONS[operation].path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = path?.[name];
    if (value === undefined || value === '') throw new TypeError(`${operation} needs path.${name}`);
    return encodeURIComponent(String(value));
  });
}
