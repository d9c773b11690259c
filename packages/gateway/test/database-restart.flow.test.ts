import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allOnPhone } from './support/all-on-phone.ts';
import { unfitForAnOutage } from './support/api.ts';
import { type Cluster, postgresPrograms, startCluster } from './support/postgres-cluster.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

/* A real PostgreSQL is restarted under traffic of both directions, main process and worker on it */

const ALICE = '15550002222';
const OWNER = '15550001111';
const BACK_WITHIN_MS = 10_000;
const programs = postgresPrograms();

if (programs === undefined)
  process.stderr.write('left out: restarts of a real PostgreSQL (its programs are missing)\n');

describe.runIf(programs)('a restart of the PostgreSQL server itself', () => {
  let cluster: Cluster;
  let rig: Rig;
  let line: LinkedLine;
  beforeAll(async () => {
    cluster = await startCluster(programs ?? '');
    rig = await Rig.start({ environment: { DATABASE_URL: cluster.url } });
    await rig.sandbox.phone(ALICE, 'Alice');
    line = await rig.linkLine('restart', OWNER);
  }, 90_000);
  afterAll(async () => {
    await rig?.close();
    await cluster?.close();
  });

  test.each(['fast', 'immediate'] as const)(
    '-m %s: both processes live on, work within ten seconds, and lose nothing',
    { timeout: 120_000 },
    async (mode) => {
      const [pid, workers] = [rig.pid, rig.workers()];
      const accepted: string[] = [];
      const received: string[] = [];
      const answers = new Set<string | undefined>();
      let isOver = false;
      const send = async (name: string) => {
        for (let index = 0; !isOver; index += 1) {
          const key = `${mode}-${name}-${index}`;
          const body = { line_id: line.lineId, to: `+${ALICE}`, message: key };
          const answer = await rig.api
            .call<{ message_id?: string }>('POST', '/api/bridge/v1/messages/send', body, { 'idempotency-key': key })
            .catch(() => undefined);
          if (answer?.body?.message_id) accepted.push(answer.body.message_id);
          else await untilNextTry();
          if (answer) answers.add(unfitForAnOutage(answer));
        }
      };
      /** How many of the messages that arrived are told by now. */
      const told = () => {
        const bodies = rig.receiver.requests.map(({ body }) => body).join('\n');
        return received.filter((id) => bodies.includes(id)).length;
      };
      /** Each after the one before was told: what waits does not grow with the outage. */
      const write = async () => {
        for (let index = 0; !isOver; index += 1) {
          const body = { to: OWNER, type: 'text', body: `${mode} in ${index}` };
          const said = await rig.world<{ message_id: string }>('POST', `/phones/${ALICE}/messages`, body);
          received.push(said.message_id);
          while (!isOver && told() < received.length) await untilNextTry();
        }
      };
      const traffic = Promise.all([...['a', 'b', 'c', 'd'].map(send), write()]);
      const goesOn = async (withinMs: number) => {
        const [out, into] = [accepted.length, received.length + 1];
        const isMoving = () => accepted.length >= out + 5 && told() >= into;
        await until('messages go out and come in', isMoving, withinMs);
      };
      try {
        await goesOn(30_000);
        await cluster.restart(mode);
        await goesOn(BACK_WITHIN_MS);
      } finally {
        isOver = true;
        await traffic;
      }
      expect([...answers].filter((unfit) => unfit !== undefined)).toEqual([]);
      expect(rig.pid).toBe(pid);
      expect(rig.workers()).toEqual(workers);
      await allOnPhone(rig, ALICE, accepted);
      await until('every message that arrived was told', () => told() === received.length, 30_000);
    },
  );
});

/** Others get their turn; nothing is waited for. */
const untilNextTry = () => new Promise((resolve) => setTimeout(resolve, 20));
