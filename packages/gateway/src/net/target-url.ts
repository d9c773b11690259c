import { isIP } from 'node:net';
import type { AddressPolicy, Target } from './address-policy.ts';

export const MAX_URL_LENGTH = 2_048;

export type TargetProblem =
  | 'syntax'
  | 'space'
  | 'length'
  | 'scheme'
  | 'credentials'
  | 'host'
  | 'address'
  | 'port'
  | 'not_https';

/**
 * What to tell the caller who gave the URL. No address is named: only the operator may know what a
 * name resolves to here.
 */
export const TARGET_PROBLEMS: Record<TargetProblem, string> = {
  syntax: 'is not a URL. Give one such as https://example.com/hook',
  space: 'holds a space, a line break or an invisible sign. Write a space as %20',
  length: `is longer than ${MAX_URL_LENGTH} characters`,
  scheme: 'must begin with https://',
  credentials: 'must not hold a user name or password. Use a header or a token in the path',
  host: 'has a host that is not a plain host name or address',
  address:
    'points to an address that is not public. Use a public one, or ask the operator to add it to ALLOW_PRIVATE_TARGETS',
  port: 'names a port that is not allowed for targets',
  not_https: 'must begin with https://. Plain http is for hosts in ALLOW_PRIVATE_TARGETS only',
};

export type ParsedTarget = { ok: true; url: URL; target: Target } | { ok: false; problem: TargetProblem };

/** Port and host of an URL that passed `parseTarget`. */
export function targetOf(url: URL): Target {
  const secure = url.protocol === 'https:';
  const hostname = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return { hostname, port: url.port === '' ? (secure ? 443 : 80) : Number(url.port), secure };
}

/**
 * Everything that can be said about a URL without resolving its name. Parsed once by the WHATWG
 * rules (which turn `0x7f.1`, `2130706433`, full-width digits and backslashes into what a client
 * would really connect to); only the parsed object is used afterwards.
 */
export function parseTarget(text: string, policy: AddressPolicy): ParsedTarget {
  if (text.length > MAX_URL_LENGTH) return { ok: false, problem: 'length' };
  // The parser would silently drop these. They are no typing mistakes, so they are refused.
  if (/[\s\p{Cc}]/u.test(text)) return { ok: false, problem: 'space' };
  if (!URL.canParse(text)) return { ok: false, problem: 'syntax' };
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { ok: false, problem: 'scheme' };
  if (url.username !== '' || url.password !== '') return { ok: false, problem: 'credentials' };
  const target = targetOf(url);
  if (target.hostname === '' || target.hostname.endsWith('.') || target.hostname.includes('%')) {
    return { ok: false, problem: 'host' };
  }
  if (isIP(target.hostname) !== 0) {
    const verdict = policy.judge(target, target.hostname);
    if (!verdict.allowed) return { ok: false, problem: verdict.reason };
  }
  return { ok: true, url, target };
}
