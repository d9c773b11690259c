import type { IncomingMessage } from 'node:http';

/** What is wrong with an address, beyond that nothing may live there. */
export type TargetFault = 'encoding' | 'dots' | 'authority';

export interface RequestTarget {
  /**
   * The one spelling of the address, with its query. Everything that looks at a request reads it.
   */
  url: string;
  fault?: TargetFault;
}

const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i;
const TRIPLET = /%[0-9a-f]{2}/gi;
const UNRESERVED = /[A-Za-z0-9._~-]/;
const BARE_PERCENT = /%(?![0-9a-f]{2})/gi;

/**
 * One spelling per address, made before the router looks at it, so that a limit or a check can
 * never see another address than the router does: the absolute form loses its authority (RFC 9112,
 * section 3.2.2), unreserved characters are not encoded and the digits of the others are upper case
 * (RFC 3986, section 6.2.2), slashes are single, and none stands at the end. Encoded slashes stay:
 * they are part of a name. Dot segments are not resolved: no address of ours has any.
 */
export function canonicalTarget(target: string, host: string | undefined): RequestTarget {
  const authority = ABSOLUTE.exec(target);
  const local = authority ? target.slice(authority[0].length) : target;
  const withoutFragment = local.split('#', 1)[0] ?? '';
  const queryAt = withoutFragment.indexOf('?');
  const path = queryAt < 0 ? withoutFragment : withoutFragment.slice(0, queryAt);
  const query = queryAt < 0 ? '' : withoutFragment.slice(queryAt);
  const isEncoded = isValidlyEncoded(path);
  const clean = canonicalPath(isEncoded ? path : path.replace(/%/g, '%25'));
  const url = clean + query;
  if (authority && host !== undefined && authority[1]?.toLowerCase() !== host.toLowerCase()) {
    return { url, fault: 'authority' };
  }
  if (!isEncoded) return { url, fault: 'encoding' };
  return clean.split('/').some((segment) => segment === '.' || segment === '..') ? { url, fault: 'dots' } : { url };
}

function canonicalPath(path: string): string {
  const decoded = path.replace(TRIPLET, (triplet) => {
    const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return UNRESERVED.test(character) ? character : triplet.toUpperCase();
  });
  const trimmed = `/${decoded}`.replace(/\/{2,}/g, '/');
  return trimmed.length > 1 && trimmed.endsWith('/') ? trimmed.slice(0, -1) : trimmed;
}

/** Only the triplets of a path that decode to UTF-8 can be a name. */
function isValidlyEncoded(path: string): boolean {
  if (!path.includes('%')) return true;
  if (path.search(BARE_PERCENT) >= 0) return false;
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

const faults = new WeakMap<IncomingMessage, TargetFault>();

/** Fastify's `rewriteUrl`. What is wrong is kept for the front door, which answers in due form. */
export function rewriteTarget(request: IncomingMessage): string {
  const { url, fault } = canonicalTarget(request.url ?? '/', request.headers.host);
  if (fault) faults.set(request, fault);
  return url;
}

export const faultOf = (request: IncomingMessage): TargetFault | undefined => faults.get(request);
