import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allOnPhone } from './support/all-on-phone.ts';
import { unfitForAnOutage } from './support/api.ts';
import { type CuttingProxy, databaseServer, startCuttingProxy, throughProxy } from './support/cutting-proxy.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

/* PostgreSQL goes away and comes back under traffic, as at a restart of its server. */

const ALICE = '15550002222';
const OWNER = '15550001111';
const OUTAGES = 3;

describe.runIf(process.env.TEST_DATABASE_URL)('a restart of PostgreSQL', () => {
  let rig: Rig;
  let line: LinkedLine;
  let proxy: CuttingProxy;
  beforeAll(async () => {
    proxy = await startCuttingProxy(databaseServer(process.env.TEST_DATABASE_URL ?? ''));
    rig = await Rig.start({ database: 'postgres', reachDatabase: (url) => throughProxy(url, proxy) });
    await rig.sandbox.phone(ALICE, 'Alice');
    line = await rig.linkLine('outage', OWNER);
  }, 60_000);
  afterAll(async () => {
    proxy?.open();
    await rig?.close();
    await proxy?.stop();
  });

  test('ends neither the gateway nor a worker, and loses no accepted message', { timeout: 120_000 }, async () => {
    const [pid, workers] = [rig.pid, rig.workers()];
    const accepted: string[] = [];
    const answers = new Set<string | undefined>();
    let isOver = false;
    const sender = async (name: string) => {
      for (let index = 0; !isOver; index += 1) {
        const key = `${name}-${index}`;
        const body = { line_id: line.lineId, to: `+${ALICE}`, message: key };
        const answer = await rig.api
          .call<{ message_id?: string }>('POST', '/api/bridge/v1/messages/send', body, { 'idempotency-key': key })
          .catch(() => undefined);
        if (answer?.body?.message_id) accepted.push(answer.body.message_id);
        else await rest(20);
        if (answer) answers.add(unfitForAnOutage(answer));
      }
    };
    const traffic = Promise.all(['a', 'b', 'c', 'd'].map(sender));
    for (let outage = 0; outage < OUTAGES; outage += 1) {
      const before = accepted.length;
      await until('messages go out', () => accepted.length >= before + 10, 30_000);
      proxy.close();
      await rest(300);
      proxy.open();
    }
    const before = accepted.length;
    await until('messages go out again', () => accepted.length >= before + 10, 30_000);
    isOver = true;
    await traffic;
    expect([...answers].filter((unfit) => unfit !== undefined)).toEqual([]);
    expect(rig.pid).toBe(pid);
    expect(rig.workers()).toEqual(workers);
    await allOnPhone(rig, ALICE, accepted);
  });

  test('a second gateway on the same database refuses, naming the first', async () => {
    await expect(rig.startSecond()).rejects.toThrow(`process ${rig.pid} at`);
  });
});

const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
