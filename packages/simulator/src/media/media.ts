import type { Clock } from '../world/clock.ts';
import { type Db, keptSecret, prepare } from '../world/database.ts';
import { pictureAt } from '../world/pictures.ts';
import type { Rng } from '../world/rng.ts';
import { fileBlobs, memoryBlobs } from './blobs.ts';
import { UploadTokens } from './media-network.ts';
import { type MediaServer, type MediaServerOptions, startMediaServer } from './media-server.ts';
import { createMediaStore } from './media-store.ts';
import { createAuthority, issueServer, pemOf, privateKeyFrom, type TlsIdentity } from './tls-certificates.ts';

const AUTHORITY_NAME = 'Ponte simulator media authority';
/**
 * The names of WhatsApp's media hosts: clients that insist on one can be led here and still check
 * who answers.
 */
const WHATSAPP_NAMES = ['mmg.whatsapp.net', '*.whatsapp.net', '*.cdn.whatsapp.net', '*.fna.whatsapp.net'];
const WILDCARD = new Set(['0.0.0.0', '::']);
const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);
/** In memory there is less room. */
const EPHEMERAL_QUOTA = { tenantBytes: 256 * 1024 ** 2, totalBytes: 512 * 1024 ** 2 };

export type Media = ReturnType<typeof createMedia>;

/**
 * The media side of a simulator: store, upload rights and, after listen(), the host. Without a
 * folder everything is in memory.
 */
export function createMedia(options: { db: Db; clock: Clock; rng: Rng; host: string; folder: string | undefined }) {
  const { db, clock, rng, host, folder } = options;
  const isDurable = folder !== undefined;
  const store = createMediaStore({
    db,
    clock,
    rng,
    blobs: isDurable ? fileBlobs(folder) : memoryBlobs(),
    ...(isDurable ? {} : { quota: EPHEMERAL_QUOTA }),
  });
  const tokens = new UploadTokens(
    keptSecret(db, 'media token secret', () => rng.bytes(32)),
    clock,
  );
  const authority = keptAuthority(db, rng);
  let server: MediaServer | undefined;
  const hosts = (): string[] => {
    if (!server) return [];
    // Every address of the machine: clients are told where it is.
    const shown = WILDCARD.has(host) ? '127.0.0.1' : host;
    const own = shown.includes(':') ? `[${shown}]` : shown;
    const names = LOOPBACK.has(shown) && shown !== 'localhost' ? [own, 'localhost'] : [own];
    return names.map((name) => `${name}:${server?.port}`);
  };
  return {
    store,
    tokens,
    hosts,
    caPem: pemOf(authority.certificate),
    get port(): number {
      return server?.port ?? 0;
    },
    /**
     * Without a port, the one of the last time is taken again if it is free: links of old messages
     * name it.
     */
    async listen(
      wanted: Pick<MediaServerOptions, 'failure' | 'problem' | 'settled'> & { port: number | undefined },
    ): Promise<void> {
      const names = [...new Set([host, '127.0.0.1', '::1', 'localhost', ...WHATSAPP_NAMES])];
      const [scalar, serial] = [rng.bytes(32), rng.bytes(16)];
      // Certificates are judged by real clocks, not by the world's.
      const nowMs = Date.now();
      const identity = issueServer({ authority, authorityName: AUTHORITY_NAME, names, scalar, serial, nowMs });
      const urlOf = (directPath: string): string => `https://${hosts()[0]}${directPath}`;
      const picture = (path: string): Uint8Array | undefined => pictureAt(db, path);
      const start = (port: number): Promise<MediaServer> =>
        startMediaServer({
          ...wanted,
          port,
          store,
          tokens,
          identity,
          authority: authority.certificate,
          host,
          urlOf,
          picture,
        });
      const last = readPort(db);
      const isTaken = (error: NodeJS.ErrnoException): Promise<MediaServer> => {
        if (error.code !== 'EADDRINUSE' || wanted.port !== undefined) throw error;
        return start(0);
      };
      server = await start(wanted.port ?? last).catch(isTaken);
      if (server.port !== last) writePort(db, server.port);
    },
    async close(): Promise<void> {
      await server?.close();
      server = undefined;
    },
  };
}

function readPort(db: Db): number {
  const row = prepare<[string], { value: Buffer }>(db, 'select value from meta where key = ?').get('media port');
  return row ? row.value.readUInt16BE() : 0;
}

function writePort(db: Db, port: number): void {
  const value = Buffer.alloc(2);
  value.writeUInt16BE(port);
  prepare<unknown[]>(db, 'insert or replace into meta (key, value) values (?, ?)').run('media port', value);
}

/** The authority of a data file: key and certificate are made once. */
function keptAuthority(db: Db, rng: Rng): TlsIdentity {
  const scalar = keptSecret(db, 'media authority key', () => rng.bytes(32));
  const certificate = keptSecret(
    db,
    'media authority certificate',
    () => createAuthority(AUTHORITY_NAME, scalar, rng.bytes(16), Date.now()).certificate,
  );
  return { privateKey: privateKeyFrom(scalar), certificate };
}
