import { BlockList, isIP } from 'node:net';
import { type EngineEndpoint, EngineError } from '@ponte/engine';
import { LRUCache } from 'lru-cache';
import { Agent, buildConnector } from 'undici';

const CONNECT_MS = 10_000;
/** For the head of an answer, and between two pieces of a body. */
const SILENCE_MS = 30_000;
const IDLE_SOCKET_MS = 4_000;
/** Connections per media host, for all lines of the process together. */
const CONNECTIONS_MAX = 64;
/** Networks whose connections are kept at once; a process hosts lines of one network only. */
const NETWORKS_MAX = 4;

/**
 * Where WhatsApp keeps files: `mmg.whatsapp.net`, `media-….cdn.whatsapp.net`, `….fna.whatsapp.net`,
 * `pps.whatsapp.net`.
 */
const WHATSAPP_HOST = /^([a-z0-9-]+\.)*whatsapp\.net$/;
const LOOPBACK = new Set(['127.0.0.1', '[::1]', '::1', 'localhost']);

const known = new LRUCache<string, Agent>({ max: NETWORKS_MAX, dispose: (agent) => void agent.close() });

/**
 * The connections over which every file of a line travels, Baileys' own downloads (history, app
 * state) included. Of a line of a simulated network each one leads to `endpoint.mediaAddress` and
 * must show a certificate of `endpoint.mediaCa`; of a live line to WhatsApp's media hosts, by the
 * system's trust. A request for any other host is refused before a byte leaves. Shared by all lines
 * of the endpoint.
 */
export function mediaNetwork(endpoint: EngineEndpoint): Agent {
  const key = JSON.stringify([endpoint.mediaAddress, endpoint.mediaCa]);
  const found = known.get(key);
  if (found) return found;
  const agent = new Agent({
    connect: connectorOf(endpoint),
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    allowH2: false,
    headersTimeout: SILENCE_MS,
    bodyTimeout: SILENCE_MS,
    keepAliveTimeout: IDLE_SOCKET_MS,
  });
  known.set(key, agent);
  return agent;
}

function connectorOf({ mediaAddress, mediaCa }: EngineEndpoint): buildConnector.connector {
  const connect = buildConnector({
    timeout: CONNECT_MS,
    allowH2: false,
    ...(mediaCa === undefined ? {} : { ca: mediaCa }),
  });
  const simulated = mediaAddress === undefined ? undefined : new URL(`https://${mediaAddress}`);
  return (options, callback) => {
    const { hostname, protocol } = options;
    if (protocol !== 'https:' || !isMediaHost(hostname, simulated?.hostname)) {
      callback(new EngineError('rejected', 'the address of the file is none of the media hosts'), null);
    } else if (simulated) {
      const { hostname: host, port } = simulated;
      // Its certificate holds this name whatever the address is by which it is reached.
      const servername = isIP(hostname) === 0 ? hostname : 'localhost';
      connect({ ...options, hostname: host, host, port, servername }, callback);
    } else connect({ ...options, port: '443' }, callback);
  };
}

/** Addresses of machines beside this one, as a shared simulated network has them. */
const NEARBY = new BlockList();
NEARBY.addSubnet('10.0.0.0', 8);
NEARBY.addSubnet('172.16.0.0', 12);
NEARBY.addSubnet('192.168.0.0', 16);
NEARBY.addSubnet('fc00::', 7, 'ipv6');

const isNearby = (host: string): boolean => {
  const address = host.replace(/^\[|\]$/g, '');
  const family = isIP(address);
  return family !== 0 && NEARBY.check(address, family === 4 ? 'ipv4' : 'ipv6');
};

/**
 * Hosts of the simulated network say its own address; where it really is, only the endpoint says.
 */
const isMediaHost = (host: string, simulatedAt: string | undefined): boolean =>
  WHATSAPP_HOST.test(host) ||
  (simulatedAt !== undefined && (LOOPBACK.has(host) || host === simulatedAt || isNearby(host)));
