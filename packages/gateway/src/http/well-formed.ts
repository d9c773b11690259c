import type { z } from 'zod';

/** Half of a pair that stands alone. */
const LONE = /\p{Surrogate}/u;

/** Where a value may not be looked into: files that came in with the request. */
const isPlain = (value: object): boolean =>
  Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null;

const MESSAGE =
  'The text holds half of a character (a lone surrogate such as "\\ud83d"): it cannot be sent. Do not cut texts inside an emoji.';

/**
 * An issue for every text in a parsed JSON value that is no text: with a lone surrogate, which JSON
 * can write and UTF-8 cannot. Names of members count too.
 */
export function brokenTextIssues(value: unknown, path: PropertyKey[] = []): z.core.$ZodIssue[] {
  if (typeof value === 'string') {
    return LONE.test(value) ? [issueAt(path)] : [];
  }
  if (typeof value !== 'object' || value === null || !isPlain(value)) return [];
  if (Array.isArray(value)) return value.flatMap((item, at) => brokenTextIssues(item, [...path, at]));
  return Object.entries(value).flatMap(([name, member]) =>
    LONE.test(name) ? [issueAt([...path, '…'])] : brokenTextIssues(member, [...path, name]),
  );
}

const issueAt = (path: PropertyKey[]): z.core.$ZodIssue => ({
  code: 'custom',
  path,
  message: MESSAGE,
  input: undefined,
});
