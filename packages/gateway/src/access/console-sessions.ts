import type { Clock } from '../core/clock.ts';
import { newSessionId, randomBase62 } from '../core/ids.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import {
  deleteOverSessions,
  deleteSession,
  deleteSessionsOf,
  findSessionByHash,
  insertSession,
  isSessionAlive,
  listSessions,
  touchSession,
} from '../store/access/sessions.ts';
import type { Store } from '../store/db/store.ts';
import type { Role } from './console-roles.ts';

/** A signed-in person. */
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

  const alive = (now = clock.now()) => ({ now, idleSince: now - SESSION_IDLE_MS });

  return {
    async start(userId, { address, userAgent }) {
      const now = clock.now();
      const token = randomBase62(TOKEN_LENGTH);
      const sessionId = newSessionId();
      await deleteOverSessions(store.db, alive(now));
      await insertSession(store.db, {
        id: sessionId,
        hash: hashOf(token),
        user_id: userId,
        address,
        user_agent: userAgent.slice(0, MAX_USER_AGENT),
        created_at: now,
        seen_at: now,
        expires_at: now + SESSION_LIFE_MS,
      });
      return { token, sessionId };
    },
    async find(token) {
      if (!TOKEN.test(token)) return undefined;
      const row = await findSessionByHash(store.db, hashOf(token), alive());
      if (!row) return undefined;
      const now = clock.now();
      if (now - Number(row.seen_at) >= TOUCH_EVERY_MS) {
        await touchSession(store.db, row.id, now);
      }
      return { sessionId: row.id, userId: row.user_id, email: row.email, name: row.name, role: row.role };
    },
    isAlive: (sessionId) => isSessionAlive(store.db, sessionId, alive()),
    async list(userId) {
      const rows = await listSessions(store.db, userId, alive());
      return rows.map((row) => ({
        id: row.id,
        address: row.address,
        userAgent: row.user_agent,
        createdAt: Number(row.created_at),
        seenAt: Number(row.seen_at),
      }));
    },
    end: (userId, sessionId) => deleteSession(store.db, userId, sessionId),
    endAll: (userId, exceptId) => deleteSessionsOf(store.db, userId, exceptId),
  };
}
