import type { Clock } from '../core/clock.ts';
import { newSessionId, randomBase62 } from '../core/ids.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import type { Store } from '../store/db/store.ts';
import type { Role } from './console-roles.ts';

/** Somebody who is signed in. */
export interface ConsoleSession {
  sessionId: string;
  userId: string;
  email: string;
  name: string;
  role: Role;
}

export interface ListedSession {
  id: string;
  address: string;
  userAgent: string;
  createdAt: number;
  seenAt: number;
}

export const SESSION_IDLE_MS = 12 * 3_600_000;
export const SESSION_LIFE_MS = 7 * 24 * 3_600_000;
const TOUCH_EVERY_MS = 60_000;
/** 256 bits and more. */
const TOKEN_LENGTH = 43;
const TOKEN = /^[0-9A-Za-z]{43}$/;
const MAX_USER_AGENT = 200;

export interface Sessions {
  /** Starts a session. `token` is the cookie's value; only its hash is kept. */
  start(userId: string, from: { address: string; userAgent: string }): Promise<{ token: string; sessionId: string }>;
  /**
   * Who holds this cookie; undefined once idle for 12 h, 7 days old, ended, or when the user was
   * disabled.
   */
  find(token: string): Promise<ConsoleSession | undefined>;
  isAlive(sessionId: string): Promise<boolean>;
  list(userId: string): Promise<ListedSession[]>;
  end(userId: string, sessionId: string): Promise<boolean>;
  /** Ends every session of a user, but `exceptId`. */
  endAll(userId: string, exceptId?: string): Promise<void>;
}

export function createSessions(services: { store: Store; ring: KeyRing; clock: Clock }): Sessions {
  const { store, ring, clock } = services;
  const hashOf = (token: string) => ring.fingerprint('console-session', token);

  /** Sessions that are valid at this moment, with their users. */
  function valid() {
    const now = clock.now();
    return store.db
      .selectFrom('console_sessions as s')
      .innerJoin('console_users as u', 'u.id', 's.user_id')
      .select(['s.id', 's.seen_at', 'u.id as user_id', 'u.email', 'u.name', 'u.role'])
      .where('s.expires_at', '>', now)
      .where('s.seen_at', '>', now - SESSION_IDLE_MS)
      .where('u.disabled_at', 'is', null);
  }

  return {
    async start(userId, { address, userAgent }) {
      const now = clock.now();
      const token = randomBase62(TOKEN_LENGTH);
      const sessionId = newSessionId();
      await store.db
        .deleteFrom('console_sessions')
        .where((eb) => eb.or([eb('expires_at', '<=', now), eb('seen_at', '<=', now - SESSION_IDLE_MS)]))
        .execute();
      await store.db
        .insertInto('console_sessions')
        .values({
          id: sessionId,
          hash: hashOf(token),
          user_id: userId,
          address,
          user_agent: userAgent.slice(0, MAX_USER_AGENT),
          created_at: now,
          seen_at: now,
          expires_at: now + SESSION_LIFE_MS,
        })
        .execute();
      return { token, sessionId };
    },
    async find(token) {
      if (!TOKEN.test(token)) return undefined;
      const row = await valid().where('s.hash', '=', hashOf(token)).executeTakeFirst();
      if (!row) return undefined;
      const now = clock.now();
      if (now - Number(row.seen_at) >= TOUCH_EVERY_MS) {
        await store.db.updateTable('console_sessions').set({ seen_at: now }).where('id', '=', row.id).execute();
      }
      return { sessionId: row.id, userId: row.user_id, email: row.email, name: row.name, role: row.role };
    },
    async isAlive(sessionId) {
      return (await valid().where('s.id', '=', sessionId).executeTakeFirst()) !== undefined;
    },
    async list(userId) {
      const now = clock.now();
      const rows = await store.db
        .selectFrom('console_sessions')
        .selectAll()
        .where('user_id', '=', userId)
        .where('expires_at', '>', now)
        .where('seen_at', '>', now - SESSION_IDLE_MS)
        .orderBy('created_at', 'desc')
        .execute();
      return rows.map((row) => ({
        id: row.id,
        address: row.address,
        userAgent: row.user_agent,
        createdAt: Number(row.created_at),
        seenAt: Number(row.seen_at),
      }));
    },
    async end(userId, sessionId) {
      const done = await store.db
        .deleteFrom('console_sessions')
        .where('id', '=', sessionId)
        .where('user_id', '=', userId)
        .executeTakeFirst();
      return Number(done.numDeletedRows) > 0;
    },
    async endAll(userId, exceptId) {
      let query = store.db.deleteFrom('console_sessions').where('user_id', '=', userId);
      if (exceptId !== undefined) query = query.where('id', '!=', exceptId);
      await query.execute();
    },
  };
}
