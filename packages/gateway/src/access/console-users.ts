import { AppError, invalid } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { newUserId } from '../core/ids.ts';
import {
  countUsers,
  deleteUser,
  findUserByEmail,
  findUserById,
  hasOwner,
  hasUsers,
  insertUser,
  listUsers,
  readPassword,
  type UserRow,
  updateUser,
} from '../store/access/users.ts';
import type { Db, Store } from '../store/db/store.ts';
import type { Role } from './console-roles.ts';

export interface ConsoleUser {
  id: string;
  email: string;
  name: string;
  role: Role;
  createdAt: number;
  disabledAt: number | null;
  signedInAt: number | null;
}

export interface NewUser {
  email: string;
  name: string;
  role: Role;
  /** Hashed. */
  password: string;
}

/** People of one installation; far above what a team needs. */
const MAX_USERS = 200;

export interface Users {
  list(): Promise<ConsoleUser[]>;
  /** The user and the password's hash. Disabled users are found too. */
  findByEmail(email: string): Promise<{ user: ConsoleUser; password: string } | undefined>;
  findById(id: string): Promise<ConsoleUser | undefined>;
  passwordOf(id: string): Promise<string | undefined>;
  create(user: NewUser): Promise<ConsoleUser>;
  /** The first user: refused with `forbidden` once there is one, also when two come at once. */
  createFirst(user: NewUser, spend: (db: Db) => Promise<boolean>): Promise<ConsoleUser>;
  /** Changes what is given. Refuses to leave the installation without an owner who can sign in. */
  change(id: string, change: { role?: Role; disabled?: boolean; password?: string }): Promise<ConsoleUser>;
  remove(id: string): Promise<void>;
  signedIn(id: string): Promise<void>;
  exist(): Promise<boolean>;
}

const toUser = (row: UserRow): ConsoleUser => ({
  id: row.id,
  email: row.email,
  name: row.name,
  role: row.role,
  createdAt: Number(row.created_at),
  disabledAt: row.disabled_at === null ? null : Number(row.disabled_at),
  signedInAt: row.signed_in_at === null ? null : Number(row.signed_in_at),
});

/** E-mail addresses are compared without case. */
export const normalEmail = (email: string): string => email.trim().toLowerCase();

const noSuchUser = () => new AppError('not_found', {}, { message: 'No such user.' });

export function createUsers({ store, clock }: { store: Store; clock: Clock }): Users {
  async function insert(db: Db, user: NewUser): Promise<ConsoleUser> {
    const done = await insertUser(db, {
      id: newUserId(),
      email: normalEmail(user.email),
      name: user.name,
      role: user.role,
      password: user.password,
      created_at: clock.now(),
    });
    if (!done) throw invalid('email', 'A person with this e-mail address exists already.');
    return toUser(done);
  }

  /** Runs a change, and takes it back when no owner would be left. */
  function keepingAnOwner<T>(work: (db: Db) => Promise<T>): Promise<T> {
    return store.transaction(async ({ db }) => {
      const result = await work(db);
      if (!(await hasOwner(db))) throw invalid('role', 'One user must remain owner. Make another user owner first.');
      return result;
    });
  }

  return {
    async list() {
      return (await listUsers(store.db)).map(toUser);
    },
    async findByEmail(email) {
      const row = await findUserByEmail(store.db, normalEmail(email));
      return row && { user: toUser(row), password: row.password };
    },
    async findById(id) {
      const row = await findUserById(store.db, id);
      return row && toUser(row);
    },
    passwordOf: (id) => readPassword(store.db, id),
    async create(user) {
      return store.transaction(async ({ db }) => {
        if ((await countUsers(db)) >= MAX_USERS) throw invalid('email', `There can be ${MAX_USERS} users at most.`);
        return insert(db, user);
      });
    },
    async createFirst(user, spend) {
      return store.transaction(async ({ db }) => {
        if (!(await spend(db))) throw wrongToken();
        return insert(db, { ...user, role: 'owner' });
      });
    },
    async change(id, { role, disabled, password }) {
      return keepingAnOwner(async (db) => {
        const row = await updateUser(db, id, {
          ...(role === undefined ? {} : { role }),
          ...(disabled === undefined ? {} : { disabled_at: disabled ? clock.now() : null }),
          ...(password === undefined ? {} : { password }),
        });
        if (!row) throw noSuchUser();
        return toUser(row);
      });
    },
    async remove(id) {
      await keepingAnOwner(async (db) => {
        if (!(await deleteUser(db, id))) throw noSuchUser();
      });
    },
    async signedIn(id) {
      await updateUser(store.db, id, { signed_in_at: clock.now() });
    },
    exist: () => hasUsers(store.db),
  };
}

export const wrongToken = () =>
  new AppError(
    'forbidden',
    {},
    { message: 'This set-up link is not valid any more. Restart the server: it prints a new one.' },
  );
