import { createHash } from 'node:crypto';
import { type Clock, nowSeconds } from './clock.ts';
import { type Db, prepare } from './database.ts';
import type { Rng } from './rng.ts';

/** A profile or group picture, as JPEG. */
export interface Picture {
  /** Grows with every change; clients compare it. */
  id: string;
  /** Names the picture in its URL; drawn at random. */
  token: string;
  hash: string;
}

export const PICTURE_MAX_BYTES = 1024 * 1024;
const JPEG_START = Uint8Array.of(0xff, 0xd8, 0xff);
const PATH = /^\/pps\/([A-Za-z0-9_.-]{1,64})\/([A-Za-z0-9_-]{24})\.jpg$/;

export type Pictures = ReturnType<typeof createPictures>;

/**
 * Pictures of the accounts (by number) and groups (by id) of one tenant: one each, not encrypted.
 */
export function createPictures(db: Db, tenant: string, clock: Clock, rng: Rng) {
  const select = prepare<[string, string], Picture>(
    db,
    'select id, token, hash from picture where tenant = ? and pn = ?',
  );
  const upsert = prepare<unknown[]>(
    db,
    'insert or replace into picture (tenant, pn, id, token, hash, bytes) values (?,?,?,?,?,?)',
  );
  const drop = prepare<unknown[]>(db, 'delete from picture where tenant = ? and pn = ?');
  const of = (owner: string): Picture | undefined => select.get(tenant, owner);
  return {
    of,
    /** Sets a picture; undefined when the bytes are no JPEG of at most 1 MiB. */
    set(owner: string, jpeg: Uint8Array): Picture | undefined {
      const isJpeg = JPEG_START.every((byte, at) => jpeg[at] === byte);
      if (!isJpeg || jpeg.length > PICTURE_MAX_BYTES) return undefined;
      const id = String(Math.max(nowSeconds(clock), Number(of(owner)?.id ?? 0) + 1));
      const token = Buffer.from(rng.bytes(18)).toString('base64url');
      const hash = createHash('sha256').update(jpeg).digest('base64');
      upsert.run(tenant, owner, id, token, hash, jpeg);
      return { id, token, hash };
    },
    /** False when there was none. */
    remove: (owner: string): boolean => drop.run(tenant, owner).changes > 0,
    pathOf: ({ token }: Picture): string => `/pps/${tenant}/${token}.jpg`,
  };
}

/** The bytes behind the path of a picture's URL; undefined when it leads nowhere (any more). */
export function pictureAt(db: Db, path: string): Uint8Array | undefined {
  const [, tenant, token] = PATH.exec(path) ?? [];
  if (tenant === undefined || token === undefined) return undefined;
  const sql = 'select bytes from picture where tenant = ? and token = ?';
  return prepare<[string, string], { bytes: Buffer }>(db, sql).get(tenant, token)?.bytes;
}
