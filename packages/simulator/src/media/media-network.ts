import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../world/clock.ts';
import type { MediaLink, MediaStore } from './media-store.ts';

/**
 * How long a client may upload with one answer to its `media_conn`; clients ask again after the ttl
 * (Baileys refreshMediaConn).
 */
export const AUTH_TTL_S = 6 * 3600;
export const CONN_TTL_S = 300;

const PATH = /^\/v\/([A-Za-z0-9_.-]{1,64})\/([A-Za-z0-9_-]{24})\.enc$/;

/** Who may upload: said by the server in `media_conn`, and read back by the media host. */
export interface UploadRight {
  tenant: string;
  lineId: string | undefined;
}

/** Writes and reads the tokens of `media_conn`: signed, nothing is remembered. */
export class UploadTokens {
  readonly #secret: Uint8Array;
  readonly #clock: Clock;

  constructor(secret: Uint8Array, clock: Clock) {
    this.#secret = secret;
    this.#clock = clock;
  }

  issue(right: UploadRight): string {
    const until = Math.floor(this.#clock.nowMs() / 1000) + AUTH_TTL_S;
    const body = Buffer.from(JSON.stringify([right.tenant, right.lineId ?? null, until])).toString('base64url');
    return `${body}.${this.#sign(body)}`;
  }

  /** Undefined when it was not issued here, or is too old. */
  check(token: string): UploadRight | undefined {
    const [body = '', signature = ''] = token.split('.');
    const [given, wanted] = [Buffer.from(signature), Buffer.from(this.#sign(body))];
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
    const [tenant, lineId, until]: [string, string | null, number] = JSON.parse(
      Buffer.from(body, 'base64url').toString('utf8'),
    );
    return until * 1000 < this.#clock.nowMs() ? undefined : { tenant, lineId: lineId ?? undefined };
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#secret).update(body).digest('base64url');
  }
}

/**
 * The path of a link, as messages carry it. `oe` is its end in hex seconds, as in WhatsApp's own.
 */
export function directPathOf(tenant: string, link: MediaLink): string {
  const until = Math.floor(link.expiresMs / 1000).toString(16);
  return `/v/${tenant}/${link.id}.enc?ccb=11-4&oe=${until}`;
}

/** Reads what {@link directPathOf} wrote, with whatever clients add to the query. */
export function readDirectPath(path: string): { tenant: string; id: string } | undefined {
  const [, tenant, id] = PATH.exec(path.split('?')[0] ?? '') ?? [];
  return tenant === undefined || id === undefined ? undefined : { tenant, id };
}

export type TenantMedia = ReturnType<typeof createTenantMedia>;

/** The media of one tenant as its server and its phones use them. */
export function createTenantMedia(options: {
  tenant: string;
  store: MediaStore;
  tokens: UploadTokens;
  /** `127.0.0.1:8443`; the first is the primary one. */
  hosts: () => readonly string[];
}) {
  const { tenant, store, tokens, hosts } = options;
  const urlOf = (directPath: string): string => `https://${hosts()[0] ?? ''}${directPath}`;
  return {
    hosts,
    urlOf,
    token: (lineId: string | undefined): string => tokens.issue({ tenant, lineId }),
    /** Keeps bytes; answers where they can be had. */
    async upload(kind: string, bytes: Uint8Array) {
      const hash = createHash('sha256').update(bytes).digest('hex');
      const link = await store.put(tenant, kind, hash, bytes);
      const directPath = directPathOf(tenant, link);
      return { directPath, url: urlOf(directPath), hash };
    },
    /** A fresh direct path to bytes that are still somewhere in this world. */
    reupload(hash: string): string | undefined {
      const link = store.relink(tenant, hash);
      return link && directPathOf(tenant, link);
    },
    /** What a direct path leads to; undefined when it has expired or never was. */
    async download(directPath: string): Promise<Uint8Array | undefined> {
      const path = readDirectPath(directPath);
      if (path?.tenant !== tenant) return undefined;
      const link = store.find(tenant, path.id);
      return typeof link === 'string' ? undefined : store.all(tenant, link);
    },
    reset: (): Promise<void> => store.reset(tenant),
  };
}
