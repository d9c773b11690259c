import { hostname } from 'node:os';
import pg from 'pg';
import { type Clock, stayAwake } from '../../core/clock.ts';
import { postgresConnection } from './postgres.ts';
import { LockedError, type ProcessLock } from './process-lock.ts';

/** First numbers of our advisory locks; the second one stands for the schema. */
const CLASSES = { gateway: 7_305_814, workers: 7_305_815, fleetWorkers: 7_305_816, duties: 7_305_817 } as const;
const CONNECT_WITHIN_MS = 5_000;
const ANSWER_WITHIN_MS = 10_000;
/** Poll interval while another process holds the lock. */
const LOOK_MS = 100;
/** Between two signs of life of the connection: one that died in silence holds nothing any more. */
const BEAT_MS = 10_000;
const RETAKE_FIRST_MS = 50;
const RETAKE_MOST_MS = 5_000;
/** What PostgreSQL keeps of an application's name. */
const NAME_BYTES = 63;

export interface PostgresLockOptions {
  url: string;
  /**
   * `gateway`: who serves this database. `workers`: who hosts lines on it; `fleetWorkers`: under
   * leases. `duties`: who does what one node of a fleet does (duties.ts).
   */
  of: keyof typeof CLASSES;
  kind: 'exclusive' | 'shared';
  /**
   * The server ends the session of a holder that gives no sign of life for this long, such as a
   * process that is stopped; more than twice `BEAT_MS`. Left out: it never does.
   */
  silentMs?: number;
  /** How long a holder is waited for. */
  waitMs: number;
  clock: Clock;
  /** The connection was cut; the lock is being taken again. */
  onCut(error: Error): void;
  /** Another process took the lock while the connection was cut: this one no longer holds it. */
  onLost(error: LockedError): void;
}

interface Session {
  client: pg.Client;
  /** This session for PostgreSQL: process and birth. */
  pid: number;
  bornAt: string;
}

type Taken = { session: Session } | { holder: string };

/**
 * A lock between processes on one schema of one PostgreSQL database, held by the session of a
 * connection of its own: the server frees it when that connection ends, however it ends. Throws
 * LockedError, which names the holder. When the connection is cut, it is taken again as soon as the
 * server answers, and `onLost` is called when another process was faster.
 */
export async function takePostgresLock(options: PostgresLockOptions): Promise<PostgresLock> {
  const until = options.clock.monotonic() + options.waitMs;
  for (;;) {
    const taken = await tryToTake(options, undefined);
    if ('session' in taken) return new HeldLock(options, taken.session);
    if (options.clock.monotonic() >= until) throw heldBy(taken.holder);
    await stayAwake(LOOK_MS);
  }
}

const heldBy = (holder: string): LockedError =>
  new LockedError(
    `the database is in use by another Ponte (${holder}): one gateway serves one database. Stop that one, give this one a database or schema of its own, or set NATS_URL on both: then they serve it together`,
  );

/** A session with the lock, or who holds it. `before` is a session of ours that was cut. */
async function tryToTake(options: PostgresLockOptions, before: Session | undefined): Promise<Taken> {
  const client = new pg.Client({
    ...postgresConnection(options.url),
    application_name: `ponte ${options.of} ${hostname()} process ${process.pid}`.slice(0, NAME_BYTES),
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    query_timeout: ANSWER_WITHIN_MS,
    statement_timeout: ANSWER_WITHIN_MS,
    // Idle between its signs of life; servers may be set to end such sessions.
    options: `${postgresConnection(options.url).options ?? ''} -c idle_session_timeout=${options.silentMs ?? 0}`.trim(),
  });
  // The holder of the lock adds its own listener; here a failing connection fails the query under
  // way.
  client.on('error', () => {});
  try {
    await client.connect();
    if (before) await endOwnGhost(client, before);
    const lock = options.kind === 'exclusive' ? 'pg_try_advisory_lock' : 'pg_try_advisory_lock_shared';
    const { rows } = await client.query(
      `select ${lock}($1, hashtext(coalesce(current_schema(), ''))) as taken, pid, backend_start::text as born
         from pg_stat_activity where pid = pg_backend_pid()`,
      [CLASSES[options.of]],
    );
    const [row] = rows as { taken: boolean; pid: number; born: string }[];
    if (row?.taken) return { session: { client, pid: row.pid, bornAt: row.born } };
    const holder = await holderOf(client, CLASSES[options.of]);
    await client.end();
    return { holder };
  } catch (error) {
    void client.end().catch(() => {});
    throw error;
  }
}

/**
 * A connection that was cut on its way may live on at the server's end, and its lock with it, until
 * TCP gives up: that session is ours to end.
 */
async function endOwnGhost(client: pg.Client, { pid, bornAt }: Session): Promise<void> {
  await client.query(
    'select pg_terminate_backend(pid, 2000) from pg_stat_activity where pid = $1 and backend_start::text = $2',
    [pid, bornAt],
  );
}

async function holderOf(client: pg.Client, lockClass: number): Promise<string> {
  const { rows } = await client.query(
    `select a.application_name as name, host(a.client_addr) as address, a.backend_start as since
       from pg_locks l join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'advisory' and l.granted and l.classid = $1
        and l.objid::bigint = hashtext(coalesce(current_schema(), ''))::bigint & 4294967295
        and l.database = (select oid from pg_database where datname = current_database()) limit 1`,
    [lockClass],
  );
  const [row] = rows as { name: string | null; address: string | null; since: Date | null }[];
  if (!row) return 'which has just ended';
  const since = row.since === null ? '' : `, since ${row.since.toISOString()}`;
  // Without a name it is a session of another role, of which PostgreSQL does not tell more.
  return `${row.name || 'a session of another role'} at ${row.address ?? 'this machine'}${since}`;
}

/** A lock that may be away for a while. */
export interface PostgresLock extends ProcessLock {
  /** False while its connection is cut. */
  readonly isHeld: boolean;
}

class HeldLock implements PostgresLock {
  readonly #options: PostgresLockOptions;
  readonly #over = new AbortController();
  #session: Session;
  #isCut = false;
  #cancelBeat = () => {};

  constructor(options: PostgresLockOptions, session: Session) {
    this.#options = options;
    this.#session = session;
    this.#watch(session);
  }

  get isHeld(): boolean {
    return !this.#isCut && !this.#over.signal.aborted;
  }

  /** Ends the connection, and the lock with it. */
  async release(): Promise<void> {
    this.#over.abort();
    this.#cancelBeat();
    await this.#session.client.end().catch(() => {});
  }

  #watch({ client }: Session): void {
    this.#isCut = false;
    client.on('error', (error) => this.#cut(error));
    client.on('end', () => this.#cut(new Error('the connection that holds the lock ended')));
    this.#beat(client);
  }

  #beat(client: pg.Client): void {
    this.#cancelBeat = this.#options.clock.after(BEAT_MS, () => {
      client.query('select 1').then(
        () => this.#over.signal.aborted || this.#session.client !== client || this.#isCut || this.#beat(client),
        (error: Error) => this.#cut(error),
      );
    });
  }

  #cut(error: Error): void {
    if (this.#isCut || this.#over.signal.aborted) return;
    this.#isCut = true;
    this.#cancelBeat();
    void this.#session.client.end().catch(() => {});
    this.#options.onCut(error);
    void this.#retake();
  }

  async #retake(): Promise<void> {
    const { clock, onLost } = this.#options;
    const { signal } = this.#over;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const taken = await tryToTake(this.#options, this.#session).catch(() => undefined);
      if (taken && 'session' in taken) {
        this.#session = taken.session;
        if (signal.aborted) void taken.session.client.end().catch(() => {});
        else this.#watch(taken.session);
        return;
      }
      if (taken && !signal.aborted) {
        this.#over.abort();
        onLost(heldBy(taken.holder));
        return;
      }
      const waitMs = Math.min(RETAKE_MOST_MS, RETAKE_FIRST_MS * 2 ** attempt);
      await clock.sleep(waitMs * (0.5 + clock.random() / 2), signal);
    }
  }
}
