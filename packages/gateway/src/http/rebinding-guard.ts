import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../core/app-error.ts';

export interface RebindingGuardOptions {
  /** Where others reach this server; undefined while not configured. */
  publicUrl: string | undefined;
  /** What the server listens on. */
  host: string;
  /** Further names by which it is called, and by which the browser pages are that may call it. */
  allowedHosts: readonly string[];
}

/** Throws `forbidden` for a request that a page of another site may have made. */
export type RebindingGuard = (request: FastifyRequest) => void;

/**
 * The defence against DNS rebinding that the MCP specification asks of servers (basic/transports,
 * Security Warning): `Host` has to be a name of this server, and `Origin`, which only browsers
 * send, one of its own pages or of this machine. Addresses pass as hosts: only names can be
 * rebound.
 */
export function createRebindingGuard(options: RebindingGuardOptions): RebindingGuard {
  const names = new Set(['localhost', ...options.allowedHosts.map((name) => name.toLowerCase())]);
  if (options.publicUrl !== undefined && URL.canParse(options.publicUrl))
    names.add(new URL(options.publicUrl).hostname);
  if (isIP(options.host) === 0) names.add(options.host.toLowerCase());
  return ({ headers }) => {
    const host = hostnameOf(`http://${headers.host ?? ''}`);
    if (host === undefined || !(isAddress(host) || names.has(host))) {
      throw refusal(`This server is not called ${quoted(host)}`);
    }
    const { origin } = headers;
    if (origin === undefined) return;
    const page = hostnameOf(origin);
    if (page === undefined || !(page === host || isLoopback(page) || names.has(page))) {
      throw refusal(`Pages of ${quoted(page)} may not call this server`);
    }
  };
}

/** As URLs write it: IPv6 in brackets. */
function hostnameOf(url: string): string | undefined {
  const hostname = URL.canParse(url) ? new URL(url).hostname : '';
  return hostname === '' ? undefined : hostname;
}

const isAddress = (hostname: string): boolean => isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
const isLoopback = (hostname: string): boolean => hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
const quoted = (name: string | undefined): string => (name === undefined ? 'that' : `"${name.slice(0, 253)}"`);

const refusal = (what: string): AppError =>
  new AppError(
    'forbidden',
    {},
    { message: `${what}. The operator can allow the name with PUBLIC_URL or MCP_ALLOWED_HOSTS.` },
  );
