import { formatJid, parseJid, SERVER_NEWSLETTER } from '@ponte/engine';
import { LimitError } from '../accounts.ts';
import { type Clock, nowSeconds } from '../clock.ts';
import { type Db, prepare } from '../database.ts';
import type { Rng } from '../rng.ts';

/** A channel ("newsletter"). The owner is digits of a phone number. */
export interface Channel {
  id: string;
  name: string;
  description: string;
  owner: string;
  /** Seconds since 1970. */
  createdAt: number;
  invite: string;
}

/** Something posted to a channel. Clients name it by `serverId`, which counts up per channel. */
export interface Post {
  serverId: number;
  messageId: string;
  type: string;
  /** Seconds since 1970. */
  postedAt: number;
  /** The protobuf Message, as it came. */
  body: Uint8Array;
  reactions: { code: string; count: number }[];
}

const CHANNELS_MAX = 1000;
const POSTS_MAX = 500;

interface Row {
  id: string;
  name: string;
  description: string;
  owner: string;
  created_at: number;
  invite: string;
}

interface PostRow {
  server_id: number;
  message_id: string;
  type: string;
  posted_at: number;
  body: Buffer;
}

export const channelJid = (channel: Pick<Channel, 'id'>): string => formatJid(channel.id, SERVER_NEWSLETTER);

export type Channels = ReturnType<typeof createChannels>;

/**
 * The channels of one tenant, straight from the database; the latest 500 posts of each are kept.
 */
export function createChannels(db: Db, tenant: string, clock: Clock, rng: Rng) {
  const select = prepare<[string, string], Row>(db, 'select * from channel where tenant = ? and id = ?');
  const selectInvite = prepare<[string, string], Row>(db, 'select * from channel where tenant = ? and invite = ?');
  const count = prepare<[string], { n: number }>(db, 'select count(*) as n from channel where tenant = ?');
  const insert = prepare<unknown[]>(
    db,
    'insert into channel (tenant, id, name, description, owner, created_at, invite) values (?,?,?,?,?,?,?)',
  );
  const rename = prepare<unknown[]>(db, 'update channel set name = ?, description = ? where tenant = ? and id = ?');
  return {
    ...followerRows(db, tenant),
    ...postRows(db, tenant, clock),
    resolve(jid: string | undefined): Channel | undefined {
      const parts = jid === undefined ? undefined : parseJid(jid);
      return parts?.server === SERVER_NEWSLETTER ? toChannel(select.get(tenant, parts.user)) : undefined;
    },
    byInvite: (invite: string): Channel | undefined => toChannel(selectInvite.get(tenant, invite)),
    /** Throws LimitError. */
    create(owner: string, name: string, description: string): Channel {
      if ((count.get(tenant)?.n ?? 0) >= CHANNELS_MAX) {
        throw new LimitError(`this world already has ${CHANNELS_MAX} channels: reset it`);
      }
      const digits = (Buffer.from(rng.bytes(8)).readBigUInt64BE() % 10n ** 12n).toString().padStart(12, '0');
      const invite = Buffer.from(rng.bytes(16)).toString('base64url').slice(0, 22);
      const channel = { id: `120363${digits}`, name, description, owner, createdAt: nowSeconds(clock), invite };
      insert.run(tenant, channel.id, name, description, owner, channel.createdAt, invite);
      return channel;
    },
    rename(channel: Channel): void {
      rename.run(channel.name, channel.description, tenant, channel.id);
    },
  };
}

function followerRows(db: Db, tenant: string) {
  const followers = prepare<[string, string], { pn: string }>(
    db,
    'select pn from channel_follower where tenant = ? and channel_id = ? order by pn',
  );
  const selectOne = prepare<[string, string, string], { muted: number }>(
    db,
    'select muted from channel_follower where tenant = ? and channel_id = ? and pn = ?',
  );
  const put = prepare<unknown[]>(
    db,
    'insert or replace into channel_follower (tenant, channel_id, pn, muted) values (?,?,?,?)',
  );
  const drop = prepare<unknown[]>(db, 'delete from channel_follower where tenant = ? and channel_id = ? and pn = ?');
  return {
    followers: (id: string): string[] => followers.all(tenant, id).map(({ pn }) => pn),
    /** Undefined for accounts that do not follow. */
    following(id: string, pn: string): { isMuted: boolean } | undefined {
      const row = selectOne.get(tenant, id, pn);
      return row && { isMuted: row.muted === 1 };
    },
    follow(id: string, pn: string, isMuted = false): void {
      put.run(tenant, id, pn, Number(isMuted));
    },
    unfollow(id: string, pn: string): void {
      drop.run(tenant, id, pn);
    },
  };
}

function postRows(db: Db, tenant: string, clock: Clock) {
  const next = prepare<[string, string], { last_server_id: number }>(
    db,
    'update channel set last_server_id = last_server_id + 1 where tenant = ? and id = ? returning last_server_id',
  );
  const insert = prepare<unknown[]>(
    db,
    'insert into channel_post (tenant, channel_id, server_id, message_id, type, posted_at, body) values (?,?,?,?,?,?,?)',
  );
  const prunes = ['channel_post', 'channel_reaction'].map((table) =>
    prepare<unknown[]>(db, `delete from ${table} where tenant = ? and channel_id = ? and server_id <= ?`),
  );
  const select = prepare<[string, string, number, number], PostRow>(
    db,
    `select server_id, message_id, type, posted_at, body from channel_post
     where tenant = ? and channel_id = ? and server_id < ? order by server_id desc limit ?`,
  );
  const reactions = prepare<[string, string, number], { code: string; count: number }>(
    db,
    `select code, count(*) as count from channel_reaction where tenant = ? and channel_id = ? and server_id = ?
     group by code order by count(*) desc, code`,
  );
  const react = prepare<unknown[]>(
    db,
    'insert or replace into channel_reaction (tenant, channel_id, server_id, pn, code) values (?,?,?,?,?)',
  );
  const unreact = prepare<unknown[]>(
    db,
    'delete from channel_reaction where tenant = ? and channel_id = ? and server_id = ? and pn = ?',
  );
  return {
    post(id: string, post: { messageId: string; type: string; body: Uint8Array }): number {
      const serverId = next.get(tenant, id)?.last_server_id ?? 0;
      insert.run(tenant, id, serverId, post.messageId, post.type, nowSeconds(clock), post.body);
      for (const prune of prunes) prune.run(tenant, id, serverId - POSTS_MAX);
      return serverId;
    },
    /** The newest posts before a number, newest first. */
    posts: (id: string, before: number, limit: number): Post[] =>
      select.all(tenant, id, before, limit).map((row) => ({
        serverId: row.server_id,
        messageId: row.message_id,
        type: row.type,
        postedAt: row.posted_at,
        body: row.body,
        reactions: reactions.all(tenant, id, row.server_id),
      })),
    /** One reaction per person; an empty code takes it back. */
    react(id: string, serverId: number, pn: string, code: string): void {
      if (code === '') unreact.run(tenant, id, serverId, pn);
      else react.run(tenant, id, serverId, pn, code);
    },
  };
}

function toChannel(row: Row | undefined): Channel | undefined {
  if (!row) return undefined;
  const { id, name, description, owner, invite } = row;
  return { id, name, description, owner, createdAt: row.created_at, invite };
}
