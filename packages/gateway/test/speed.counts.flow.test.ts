import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  cheapest,
  type DatabaseCost,
  type DatabaseProbe,
  listed,
  probePostgres,
  probeSqlite,
  StatementLog,
} from './support/count-statements.ts';
import { type Cluster, postgresPrograms, startCluster } from './support/postgres-cluster.ts';
import { Rig } from './support/rig.ts';
import { until } from './support/until.ts';

/*
 * What one message costs the database, counted and not timed: statements, commits that write, and
 * the write-ahead log (pages of SQLite's, bytes of PostgreSQL's), of main process and worker
 * together. A text, one to one, one webhook. Budgets only ever go down. `SPEED_COUNTS=FILE` has the
 * statements written down.
 */

/** What a message may cost. */
interface Budget {
  statements: number;
  commits: number;
  wal: number;
}

const BUDGETS: Record<'sqlite' | 'postgres', { send: Budget; inbound: Budget; commitsPerSendOf16: number }> = {
  sqlite: {
    send: { statements: 21, commits: 4, wal: 27 },
    inbound: { statements: 14, commits: 2, wal: 25 },
    commitsPerSendOf16: 2.25,
  },
  postgres: {
    send: { statements: 21, commits: 5, wal: 8_900 },
    inbound: { statements: 16, commits: 3, wal: 7_000 },
    commitsPerSendOf16: 4,
  },
};

const MESSAGES = 9;
const ROUNDS_OF_16 = 3;
/** Nothing is timed; a machine that has much else to do takes long. */
const PATIENCE_MS = 120_000;
const ALICE = '15550002222';
const databases: ('sqlite' | 'postgres')[] = process.env.TEST_DATABASE_URL ? ['sqlite', 'postgres'] : ['sqlite'];

describe.each(databases)('the database work of a message, on %s', (database) => {
  const log = new StatementLog();
  const budgets = BUDGETS[database];
  const texts: string[] = [];
  let rig: Rig;
  let probe: DatabaseProbe;
  let cluster: Cluster | undefined;
  const shared = process.env.TEST_DATABASE_URL;

  beforeAll(async () => {
    // The write-ahead log belongs to a whole server: on one of its own, nothing else is read
    // through.
    const programs = database === 'postgres' ? postgresPrograms() : undefined;
    if (programs) cluster = await startCluster(programs);
    if (cluster) process.env.TEST_DATABASE_URL = cluster.url;
    rig = await Rig.start({ database, statementLog: log.folder });
    probe = database === 'sqlite' ? probeSqlite(rig.database) : await probePostgres(rig.database);
    await rig.sandbox.phone(ALICE, 'Alice');
    await rig.linkLine('demo', '15550001111');
    // Sessions are made and code is warm.
    for (let at = 0; at < 3; at += 1) {
      await send(`warm ${at}`);
      await rig.sandbox.say(ALICE, '15550001111', `warm ${at}`);
    }
    await quiet();
  }, 60_000);
  afterAll(async () => {
    if (process.env.SPEED_COUNTS) writeFileSync(`${process.env.SPEED_COUNTS}.${database}`, `${texts.join('\n\n')}\n`);
    await probe?.close();
    await rig?.close();
    await cluster?.close();
    if (cluster) process.env.TEST_DATABASE_URL = shared;
    log.remove();
  });

  const send = (body: string) =>
    rig.api.expect<{ message_id: string }>(200, 'POST', '/api/instances/demo/proxy/send/text', { chat: ALICE, body });

  /** Nothing of any message is left to do: every receipt has come, every delivery is made. */
  async function quiet(): Promise<void> {
    await until('everything is done', async () => {
      const [left] = await probe.rows<{ open: number | string }>(`
        select (select count(*) from messages where from_me = 1 and status <> 'delivered')
          + (select count(*) from inbox where done = 0)
          + (select count(*) from outbox where finished_at is null)
          + (select count(*) from deliveries where finished_at is null) as open`);
      return Number(left?.open) === 0;
    });
  }

  async function costOf(work: () => Promise<unknown>): Promise<DatabaseCost> {
    const mark = await log.mark(probe);
    await work();
    await quiet();
    return log.since(mark, probe);
  }

  async function eachCost(work: (at: number) => Promise<unknown>, count = MESSAGES): Promise<DatabaseCost[]> {
    const costs: DatabaseCost[] = [];
    for (let at = 0; at < count; at += 1) costs.push(await costOf(() => work(at)));
    return costs;
  }

  function expectWithin(title: string, cost: DatabaseCost, budget: Budget): void {
    const list = listed(title, cost);
    texts.push(list);
    const counted = { statements: cost.main.length + cost.worker.length, commits: cost.commits, wal: cost.wal };
    const over = (Object.keys(budget) as (keyof Budget)[]).filter((name) => counted[name] > budget[name]);
    expect(counted.statements, list).toBeGreaterThan(0);
    expect(over, list).toEqual([]);
  }

  test(
    'a send with its delivered receipt stays within its budget',
    async () => {
      const costs = await eachCost((at) => send(`text ${at}`));
      expectWithin('a send', cheapest(costs), budgets.send);
    },
    PATIENCE_MS,
  );

  test(
    'an inbound message with its webhook stays within its budget',
    async () => {
      const from = rig.receiver.requests.length;
      const costs = await eachCost(async (at) => {
        await rig.sandbox.say(ALICE, '15550001111', `hello ${at}`);
        await rig.receiver.until((requests) => requests.length > from + at);
      });
      expectWithin('an inbound message', cheapest(costs), budgets.inbound);
    },
    PATIENCE_MS,
  );

  test(
    'sixteen sends at once share their commits',
    async () => {
      const sixteen = () => Promise.all(Array.from({ length: 16 }, (_, at) => send(`one of 16: ${at}`)));
      const costs = await eachCost(sixteen, ROUNDS_OF_16);
      const { commits } = cheapest(costs);
      texts.push(`sixteen sends at once: ${commits} commits, ${commits / 16} each`);
      expect(commits / 16, listed('sixteen sends', cheapest(costs))).toBeLessThanOrEqual(budgets.commitsPerSendOf16);
    },
    PATIENCE_MS,
  );
});
