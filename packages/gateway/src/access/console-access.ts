import { timingSafeEqual } from 'node:crypto';
import type { AuthenticationResponseJSON, PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server';
import { AppError, invalid } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { randomBase62 } from '../core/ids.ts';
import type { Mode } from '../core/lines.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import { takeSetting, writeSetting } from '../store/access/settings.ts';
import type { Store } from '../store/db/store.ts';
import type { KeyHolder } from './api-keys.ts';
import { type Audit, createAudit } from './console-audit.ts';
import { createLockout } from './console-lockout.ts';
import { createPasskeys, type PageOrigin, type Passkeys } from './console-passkeys.ts';
import { createPasswords } from './console-passwords.ts';
import { type Role, scopesOf } from './console-roles.ts';
import { type ConsoleSession, createSessions, type Sessions } from './console-sessions.ts';
import { type ConsoleUser, createUsers, normalEmail, type Users, wrongToken } from './console-users.ts';
import { browserOf, markBrowser } from './known-browser.ts';
import { requireWorth } from './password-worth.ts';
import { addressBucket } from './rate-limit.ts';

/** Where a request came from, for the audit log and the list of sessions. */
export interface From {
  address: string;
  userAgent: string;
  requestId: string;
  /** The mark of an earlier sign-in, as the browser sent it. */
  browser?: string;
}

export interface SignedIn {
  user: ConsoleUser;
  /** The cookie's value. */
  token: string;
  /** The mark that makes this browser known. */
  browser: string;
}

/** People and their sessions: everything about the console that is not a command. */
export interface ConsoleAccess {
  readonly sessions: Sessions;
  readonly audit: Audit;
  readonly passkeys: Omit<Passkeys, 'signedBy' | 'beginAdding' | 'removeAll'>;
  readonly users: Pick<Users, 'list' | 'exist'>;
  /**
   * Draws the one-time token of the first run; undefined once a user can sign in. Each call
   * invalidates the earlier token.
   */
  newSetUpToken(): Promise<string | undefined>;
  /** Creates the operator's account. `forbidden` for a wrong or spent token. */
  setUp(input: { token: string; email: string; name: string; password: string }, from: From): Promise<SignedIn>;
  /**
   * `unauthorized` with the same words for unknown users, wrong passwords and disabled users;
   * `rate_limited` while locked out.
   */
  signIn(input: { email: string; password: string }, from: From): Promise<SignedIn>;
  /**
   * `unauthorized` for passkeys that are unknown, do not prove themselves, or belong to a disabled
   * user.
   */
  signInWithPasskey(page: PageOrigin, response: AuthenticationResponseJSON, from: From): Promise<SignedIn>;
  /**
   * A session alone adds no way to sign in: the password is asked for, and counted like a sign-in.
   */
  beginPasskey(
    session: ConsoleSession,
    password: string,
    page: PageOrigin,
    from: From,
  ): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /** Ends every other session of the user. */
  changePassword(session: ConsoleSession, input: { current: string; next: string }, from: From): Promise<void>;
  /** A user with a password that is answered once. */
  addUser(input: { email: string; name: string; role: Role }): Promise<{ user: ConsoleUser; password: string }>;
  /**
   * Disabling and a new password end the user's sessions, a new password their passkeys too; a role
   * counts from the next request on.
   */
  changeUser(
    id: string,
    change: { role?: Role; disabled?: boolean; resetPassword?: boolean },
  ): Promise<{ user: ConsoleUser; password?: string }>;
  removeUser(id: string): Promise<void>;
  /** Who a session is for commands: the installation's own account, in the mode it looks at. */
  callerOf(session: ConsoleSession, mode: Mode): KeyHolder;
}

const SET_UP = 'console_set_up';
const DRAWN_PASSWORD_LENGTH = 16;

export function createConsoleAccess(services: {
  store: Store;
  ring: KeyRing;
  clock: Clock;
  accountId: string;
}): ConsoleAccess {
  const { store, ring, accountId } = services;
  const users = createUsers(services);
  const sessions = createSessions(services);
  const audit = createAudit(services);
  const lockout = createLockout(services);
  const passwords = createPasswords();
  const passkeys = createPasskeys(services);

  const note = (from: From, actor: string, userId: string | null, action: string, outcome: string) =>
    audit.append({
      userId,
      actor,
      action,
      target: '',
      mode: null,
      outcome,
      address: from.address,
      requestId: from.requestId,
    });

  async function enter(user: ConsoleUser, from: From): Promise<SignedIn> {
    const { token } = await sessions.start(user.id, from);
    await users.signedIn(user.id);
    const isKnown = browserOf(ring, from.browser, user.id) !== undefined;
    return { user, token, browser: isKnown && from.browser ? from.browser : markBrowser(ring, user.id) };
  }

  async function provePassword(session: ConsoleSession, password: string, field: string, from: From): Promise<void> {
    // A signed-in user is counted by this session alone, so that no one else can lock them out.
    const attempt = { address: addressBucket(from.address), browser: session.sessionId };
    await lockout.begin(attempt);
    if (!(await passwords.matches(password, await users.passwordOf(session.userId)))) {
      throw invalid(field, 'This is not your present password.');
    }
    await lockout.succeeded(attempt);
  }

  return {
    sessions,
    audit,
    users,
    passkeys,
    async newSetUpToken() {
      if (await users.exist()) return undefined;
      const token = randomBase62(32);
      const value = ring.fingerprint('console-set-up', token).toString('hex');
      await writeSetting(store.db, SET_UP, value);
      return token;
    },
    async setUp(input, from) {
      const attempt = { address: addressBucket(from.address) };
      await lockout.begin(attempt);
      requireWorth('password', input.password, input);
      const given = ring.fingerprint('console-set-up', input.token);
      const password = await passwords.hash(input.password);
      const user = await users.createFirst({ ...input, role: 'owner', password }, async (db) => {
        const expected = Buffer.from((await takeSetting(db, SET_UP)) ?? '', 'hex');
        if (expected.length !== given.length || !timingSafeEqual(expected, given)) throw wrongToken();
        return true;
      });
      await lockout.succeeded(attempt);
      await note(from, user.email, user.id, 'setUp', 'ok');
      return enter(user, from);
    },
    async signIn(input, from) {
      const email = normalEmail(input.email);
      const found = await users.findByEmail(email);
      const browser = browserOf(ring, from.browser, found?.user.id);
      const attempt = { email, address: addressBucket(from.address), browser };
      await lockout.begin(attempt);
      const isRight = await passwords.matches(input.password, found?.password);
      if (!found || !isRight || found.user.disabledAt !== null) {
        await note(from, email, found?.user.id ?? null, 'signIn', isRight ? 'disabled' : 'wrong_password');
        throw new AppError('unauthorized', {}, { message: 'E-mail address or password is wrong.' });
      }
      await lockout.succeeded(attempt);
      await note(from, email, found.user.id, 'signIn', 'ok');
      return enter(found.user, from);
    },
    async signInWithPasskey(page, response, from) {
      const attempt = { address: addressBucket(from.address) };
      await lockout.begin(attempt);
      const userId = await passkeys.signedBy(page, response);
      const user = userId === undefined ? undefined : await users.findById(userId);
      if (!user || user.disabledAt !== null) {
        await note(from, user?.email ?? '', user?.id ?? null, 'signInWithPasskey', user ? 'disabled' : 'not_proved');
        throw new AppError(
          'unauthorized',
          {},
          { message: 'This passkey is not known here. Sign in with your password.' },
        );
      }
      await lockout.succeeded(attempt);
      await note(from, user.email, user.id, 'signInWithPasskey', 'ok');
      return enter(user, from);
    },
    async beginPasskey(session, password, page, from) {
      await provePassword(session, password, 'password', from);
      return passkeys.beginAdding({ id: session.userId, email: session.email, name: session.name }, page);
    },
    async changePassword(session, input, from) {
      await provePassword(session, input.current, 'current', from);
      requireWorth('next', input.next, session);
      await users.change(session.userId, { password: await passwords.hash(input.next) });
      await sessions.endAll(session.userId, session.sessionId);
    },
    async addUser(input) {
      const password = randomBase62(DRAWN_PASSWORD_LENGTH);
      return { user: await users.create({ ...input, password: await passwords.hash(password) }), password };
    },
    async changeUser(id, { role, disabled, resetPassword }) {
      const password = resetPassword ? randomBase62(DRAWN_PASSWORD_LENGTH) : undefined;
      const hashed = password === undefined ? undefined : await passwords.hash(password);
      const user = await users.change(id, { role, disabled, password: hashed });
      if (disabled || password !== undefined) await sessions.endAll(id);
      if (password !== undefined) await passkeys.removeAll(id);
      return password === undefined ? { user } : { user, password };
    },
    removeUser: (id) => users.remove(id),
    callerOf: (session, mode) => ({
      keyId: session.sessionId,
      keyName: session.email,
      keyPrefix: 'console',
      accountId,
      mode,
      scopes: scopesOf(session.role),
    }),
  };
}
