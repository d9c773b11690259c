import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { buildConnector } from 'undici';
import type { Clock } from '../core/clock.ts';
import type { AddressPolicy, Target, Verdict } from './address-policy.ts';
import { FetchError, toFetchError } from './fetch-error.ts';
import type { ResolveName } from './resolver.ts';

export interface ConnectorDeps {
  policy: AddressPolicy;
  resolve: ResolveName;
  clock: Clock;
  /** Name resolution, TCP and TLS together. */
  connectTimeoutMs: number;
  /** Extra trust anchors (PEM) beside the system's; certificates are always verified. */
  ca?: string[];
}

/** Wait before the second address of a name is tried too (RFC 8305 advises 250 ms). */
const NEXT_ADDRESS_AFTER_MS = 250;

type Allowed = Extract<Verdict, { allowed: true }>;

function judgeOrThrow(policy: AddressPolicy, target: Target, address: string): Allowed {
  const verdict = policy.judge(target, address);
  if (!verdict.allowed) throw new FetchError('blocked', { reason: verdict.reason });
  return verdict;
}

/**
 * The addresses a target may be reached at. One address that is not allowed refuses the whole name.
 */
async function allowedAddresses(
  deps: ConnectorDeps,
  target: Target,
): Promise<{ addresses: string[]; verdict: Allowed }> {
  const addresses = isIP(target.hostname) !== 0 ? [target.hostname] : await deps.resolve(target.hostname);
  const verdicts = addresses.map((address) => judgeOrThrow(deps.policy, target, address));
  const verdict = verdicts.find((v) => v.by === 'network') ?? verdicts[0];
  if (!verdict) throw new FetchError('dns');
  return { addresses, verdict };
}

/**
 * Connects to one of the given addresses and to nothing else: the name is never resolved a second
 * time.
 */
function openSocket(target: Target, addresses: string[]): Socket {
  const pinned = addresses.map((address) => ({ address, family: isIP(address) }));
  return connectTcp({
    host: target.hostname,
    port: target.port,
    noDelay: true,
    keepAlive: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
    lookup: (_hostname, options, callback) => {
      if (options.all) return callback(null, pinned);
      const first = pinned[0];
      callback(null, first?.address ?? '', first?.family);
    },
  });
}

function secured(deps: ConnectorDeps, target: Target, socket: Socket): Socket {
  const named = isIP(target.hostname) === 0;
  return connectTls({
    socket,
    // With an address as host the certificate must name that address.
    host: target.hostname,
    ...(named ? { servername: target.hostname } : {}),
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    ...(deps.ca ? { ca: deps.ca } : {}),
  });
}

/** Resolves when the event came; rejects with the socket's error, or when it closed before. */
function once(socket: Socket, event: 'connect' | 'secureConnect', phase: 'connect' | 'tls'): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      const known = toFetchError(error, 'connect');
      reject(phase === 'tls' && known.kind === 'connect' ? new FetchError('tls', { cause: error }) : known);
    };
    socket.once(event, resolve);
    // Stays for the socket's life: an error between two phases must find a listener.
    socket.on('error', fail);
    socket.once('close', () => fail(new Error('closed before it was ready')));
  });
}

async function dial(deps: ConnectorDeps, target: Target, track: (socket: Socket) => void): Promise<[Socket, Allowed]> {
  const { addresses, verdict } = await allowedAddresses(deps, target);
  const tcp = openSocket(target, addresses);
  track(tcp);
  await once(tcp, 'connect', 'connect');
  // The last word belongs to the socket itself, before any byte is written to it.
  judgeOrThrow(deps.policy, target, tcp.remoteAddress ?? '');
  if (!target.secure) return [tcp, verdict];
  const tls = secured(deps, target, tcp);
  track(tls);
  await once(tls, 'secureConnect', 'tls');
  return [tls, verdict];
}

/**
 * A connector for undici that reaches only what the policy allows. Resolution happens inside it
 * (undici's own `lookup` option is skipped for literal addresses), every answer is judged, the
 * connection is pinned to the judged addresses, and the connected socket is judged again.
 * `onAllowed` is told how a connection was allowed. Errors are FetchErrors.
 */
export function createGuardedConnector(
  deps: ConnectorDeps,
  onAllowed: (verdict: Allowed) => void,
): buildConnector.connector {
  return (options, callback) => {
    const secure = options.protocol === 'https:';
    const target: Target = {
      hostname: options.hostname.replace(/^\[|\]$/g, '').toLowerCase(),
      port: options.port ? Number(options.port) : secure ? 443 : 80,
      secure,
    };
    const sockets: Socket[] = [];
    let ended = false;
    const end = (error: FetchError | null, socket?: Socket) => {
      if (ended) return socket?.destroy();
      ended = true;
      cancelTimeout();
      if (error || !socket) {
        for (const open of sockets) open.on('error', () => {}).destroy();
        return callback(error ?? new FetchError('connect'), null);
      }
      return callback(null, socket);
    };
    const cancelTimeout = deps.clock.after(deps.connectTimeoutMs, () => end(new FetchError('timeout')));
    dial(deps, target, (socket) => (ended ? socket.destroy() : sockets.push(socket))).then(
      ([socket, verdict]) => {
        onAllowed(verdict);
        end(null, socket);
      },
      (error: unknown) => end(toFetchError(error, 'connect')),
    );
  };
}
