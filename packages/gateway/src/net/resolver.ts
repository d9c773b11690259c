import { lookup, Resolver } from 'node:dns/promises';
import { createPlaces } from '../core/places.ts';
import { FetchError } from './fetch-error.ts';

/** All addresses of a host name, A and AAAA. Rejects with FetchError `dns` when there is none. */
export type ResolveName = (hostname: string) => Promise<string[]>;

/**
 * How many names may be asked of the system's resolver at once: it has four threads for the whole
 * process, and a dead name server holds one for many seconds.
 */
const MAX_SYSTEM_LOOKUPS = 2;
const QUERY_TIMEOUT_MS = 1_500;
const QUERY_TRIES = 2;

function createSystemLookup(): ResolveName {
  const places = createPlaces(MAX_SYSTEM_LOOKUPS);
  return (hostname) =>
    places.run(async () => {
      const answers = await lookup(hostname, { all: true, verbatim: true });
      return answers.map((answer) => answer.address);
    });
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined);
const isAbsent = (error: unknown) => ['ENOTFOUND', 'ENODATA'].includes(String(codeOf(error)));

/**
 * The resolver of the process. Names of the operator's own list and single-label names go to the
 * system (hosts file, search domains, container DNS); all others go straight to the name servers,
 * so that one customer's dead name server cannot occupy the system's few lookup threads. A name
 * that does not exist there is looked for in the system too (hosts file).
 */
export function createResolver(options: { systemNames: ReadonlySet<string> }): ResolveName {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
  const system = createSystemLookup();
  const direct = async (hostname: string): Promise<string[]> => {
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const found = [v4, v6].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length > 0) return found;
    if (v4.status === 'rejected' && !isAbsent(v4.reason)) throw v4.reason;
    return system(hostname);
  };
  const ask = async (hostname: string): Promise<string[]> => {
    const useSystem = !hostname.includes('.') || options.systemNames.has(hostname) || hostname.endsWith('.localhost');
    try {
      const addresses = await (useSystem ? system(hostname) : direct(hostname));
      if (addresses.length > 0) return addresses;
    } catch (error) {
      throw new FetchError('dns', { cause: error });
    }
    throw new FetchError('dns');
  };
  // One question per name at a time: callers that gave up leave nothing behind that grows.
  const asked = new Map<string, Promise<string[]>>();
  return (hostname) => {
    const known = asked.get(hostname);
    if (known) return known;
    const answer = ask(hostname).finally(() => asked.delete(hostname));
    asked.set(hostname, answer);
    return answer;
  };
}
