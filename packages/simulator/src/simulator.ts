import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Control, createControl } from './control/control.ts';
import { createControlServer } from './control-server.ts';
import { createMedia } from './media/media.ts';
import { type KeyPair, keyPairFrom } from './signal/curve.ts';
import { createCertificates, createServerIdentity, type ServerIdentity } from './wire/certificates.ts';
import { FRAME_MAX_BYTES } from './wire/frames.ts';
import { Session } from './wire/session.ts';
import { serviceWorkerPage } from './world/client-versions.ts';
import { type Clock, SystemClock } from './world/clock.ts';
import { type Db, keptSecret, openDatabase } from './world/database.ts';
import { createRng, type Rng } from './world/rng.ts';
import { sharedCommit } from './world/shared-commit.ts';
import { World } from './world/world.ts';

export interface SimulatorOptions {
  /** SQLite file of the whole network; `:memory:` (the default) forgets everything at the end. */
  dataFile?: string;
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /**
   * Port of the media host (HTTPS). Default: the one of the last time if it is free, else any free
   * port.
   */
  mediaPort?: number;
  /** Makes keys and ids repeatable, and thereby guessable: for tests only. */
  seed?: string;
  clock?: Clock;
  /** What `Authorization: Bearer` must carry for the control API; drawn when absent. */
  controlToken?: string;
}

export interface Simulator {
  port: number;
  /**
   * Where a line connects. The root key below must be given to its client, or it must refuse to
   * talk.
   */
  wsUrl(tenant: string, lineId: string): string;
  noiseRootPublicKey: Uint8Array;
  /**
   * Where media are up- and downloaded: `https://127.0.0.1:{mediaPort}`, with certificates of
   * {@link mediaCaPem}.
   */
  mediaPort: number;
  /**
   * The authority that clients of the media host must trust, in PEM; the same as long as the data
   * file is.
   */
  mediaCaPem: string;
  controlToken: string;
  world: World;
  /** The sandbox API in process; over HTTP it is at `/control/{tenant}/…` on the same port. */
  control: Control;
  /**
   * Ends every connection, timer and the server; resolves when nothing is left. Committed state
   * stays in the file.
   */
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 20_000;
const HANDSHAKE_MS = 20_000;
/** Clients ping every 20 to 30 s; after this much silence the client counts as gone. */
const SILENCE_MS = 180_000;
const SWEEP_MS = 5_000;
const BASE_URL = 'http://simulator';
const WS_PATH = /^\/t\/([A-Za-z0-9_.-]{1,64})\/ws\/chat$/;
const LINE_ID = /^[\x21-\x7e]{1,128}$/;

/**
 * Starts a WhatsApp: the wire protocol on a WebSocket, and the control API over HTTP on the same
 * port.
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const host = options.host ?? '127.0.0.1';
  const ownClock = options.clock ? undefined : new SystemClock();
  const clock = options.clock ?? ownClock ?? new SystemClock();
  const rng = createRng(options.seed);
  const db = openDatabase(options.dataFile ?? ':memory:');
  const identity = storedIdentity(db, rng);
  const controlToken = options.controlToken ?? Buffer.from(rng.bytes(24)).toString('base64url');
  const media = createMedia({ db, clock, rng, host, folder: mediaFolder(options.dataFile) });
  const world = new World({ db, clock, rng, media });
  const commit = sharedCommit(db);
  commit.onFailed = (cause) => world.failed(cause);
  const control = createControl(world);
  const problem = (text: string, cause: unknown): void => world.report(text, cause);
  const page = (tenant: string): string => serviceWorkerPage(world.versions(tenant));
  const server = createServer(
    createControlServer({
      ...{ control, token: controlToken, problem, page },
      settled: () => commit.settled(),
      facts: () => ({
        noise_root_public_key: Buffer.from(identity.root.publicKey).toString('hex'),
        media_ca_pem: media.caPem,
        media_port: media.port,
      }),
    }),
  );
  const wire = acceptLines(server, world, identity);
  const mediaFailure = (tenant: string, lineId: string | undefined): number | undefined =>
    world.network(tenant).tenant.takeMediaFailure(lineId);
  try {
    await media.listen({
      ...{ port: options.mediaPort, failure: mediaFailure, problem },
      settled: () => commit.settled(),
    });
    await listen(server, options.port ?? 0, host);
  } catch (error) {
    await media.close();
    ownClock?.close();
    db.close();
    throw error;
  }
  const port = (server.address() as AddressInfo).port;
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  let closing: Promise<void> | undefined;
  return {
    port,
    wsUrl: (tenant, lineId) => `ws://${authority}/t/${tenant}/ws/chat?line=${encodeURIComponent(lineId)}`,
    noiseRootPublicKey: identity.root.publicKey,
    mediaPort: media.port,
    mediaCaPem: media.caPem,
    controlToken,
    world,
    control,
    close() {
      closing ??= (async () => {
        wire.close();
        commit.settle();
        world.close();
        server.closeAllConnections();
        await media.close();
        await new Promise<void>((resolve) => server.close(() => resolve()));
        ownClock?.close();
        commit.settle();
        db.close();
      })();
      return closing;
    },
  };
}

/** Media of a durable world lie beside its file. */
function mediaFolder(dataFile = ':memory:'): string | undefined {
  return dataFile === ':memory:' ? undefined : `${dataFile}-media`;
}

/** Takes WebSocket upgrades and watches over the connections. */
function acceptLines(server: Server, world: World, identity: ServerIdentity): { close(): void } {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: FRAME_MAX_BYTES + 1024, perMessageDeflate: false });
  const sessions = new Map<Session, number>();

  const certificates = createCertificates(identity, world.clock, world.rng);
  let isClosing = false;

  function accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const address = addressOf(request);
    if (!address) {
      refuse(socket, '404 Not Found');
      return;
    }
    const { tenant, lineId } = address;
    if (isClosing || sessions.size >= CONNECTIONS_MAX) {
      refuse(socket, '503 Service Unavailable');
      return;
    }
    const network = world.network(tenant);
    if (world.isDown(tenant) || (lineId !== undefined && network.tenant.faults(lineId).refuses)) {
      // A reset, not an HTTP status: stock Baileys ignores the answer to a refused upgrade until
      // its 20 s handshake time-out.
      socket.destroy();
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws: WebSocket) => {
      const onEnd = (session: Session): void => {
        sessions.delete(session);
        world.disconnected(tenant, session);
      };
      const session = new Session(ws, { socket, network, staticKey: identity.leaf, certificates, lineId, onEnd });
      sessions.set(session, performance.now());
      world.connected(tenant, session);
    });
  }

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node takes its own listener away for an upgrade; a reset by the client must not end the
    // process.
    socket.on('error', () => socket.destroy());
    try {
      accept(request, socket, head);
    } catch (error) {
      world.report('a connection was not accepted', error);
      refuse(socket, '503 Service Unavailable');
    }
  });

  const sweep = setInterval(() => {
    const now = performance.now();
    for (const [session, since] of sessions) {
      if (!session.isOpen && now - since > HANDSHAKE_MS) session.cut('no handshake');
      else if (now - session.lastSeenMs > SILENCE_MS) session.cut('silent for too long');
    }
  }, SWEEP_MS);
  sweep.unref();

  return {
    close() {
      isClosing = true;
      clearInterval(sweep);
      for (const session of [...sessions.keys()]) session.cut('the simulator is closing');
      sockets.close();
    },
  };
}

/** Whose line wants to connect. Undefined when the address is none of ours. */
function addressOf(request: IncomingMessage): { tenant: string; lineId: string | undefined } | undefined {
  const text = request.url ?? '/';
  const url = URL.canParse(text, BASE_URL) ? new URL(text, BASE_URL) : undefined;
  const tenant = url && WS_PATH.exec(url.pathname)?.[1];
  const lineId = url?.searchParams.get('line') ?? undefined;
  if (!tenant || (lineId !== undefined && !LINE_ID.test(lineId))) return undefined;
  return { tenant, lineId };
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** The network's keys: drawn once per data file. */
function storedIdentity(db: Db, rng: Rng): ServerIdentity {
  const fresh = createServerIdentity(rng);
  const kept = (name: keyof ServerIdentity): KeyPair =>
    keyPairFrom(keptSecret(db, `noise ${name}`, () => fresh[name].privateKey));
  return { root: kept('root'), intermediate: kept('intermediate'), leaf: kept('leaf') };
}
