import { afterAll, beforeAll, expect, test } from 'vitest';
import type { InboxItem } from './support/api.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

/** Enough to hit every kind of instant often; CRASH_ROUNDS=30 is the long run before a release. */
const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 8);
const INBOUND = 300;
const SENDS = 100;
const SEED = Number(process.env.CRASH_SEED ?? 20261121);
const ALICE = '15550002222';
const OWNER = '15550001111';
const ROUND_LIMIT_MS = 60_000;

/** Small seeded generator (mulberry32): a failing round can be run again. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

let rig: Rig;
let line: LinkedLine;
const random = seeded(SEED);

beforeAll(async () => {
  rig = await Rig.start();
  await rig.sandbox.phone(ALICE, 'Alice');
  line = await rig.linkLine('crash', OWNER);
  await rig.api.expect(200, 'POST', '/api/bridge/v1/webhooks', {
    url: `${rig.receiver.url}/lines`,
    events: ['message.received'],
  });
}, 60_000);
afterAll(() => rig?.close());

/** Event ids by message id, of everything the Lines webhook got so far. */
function eventsByMessage(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const request of rig.receiver.requests) {
    if (request.path !== '/lines') continue;
    const { id, event, data } = JSON.parse(request.body) as { id: string; event: string; data: { message_id: string } };
    if (event !== 'message.received') continue;
    found.set(data.message_id, (found.get(data.message_id) ?? new Set()).add(id));
  }
  return found;
}

/** What a careful client does: the same key and body again, until the message is accepted. */
async function sendUntilAccepted(key: string): Promise<string> {
  const body = { line_id: line.lineId, to: `+${ALICE}`, message: key };
  let last = 'nothing';
  return until(
    `an answer for ${key}`,
    async () => {
      const answer = await rig.api
        .call<{ message_id?: string; error?: string | { code: string } }>(
          'POST',
          '/api/bridge/v1/messages/send',
          body,
          {
            'idempotency-key': key.replaceAll(' ', '-'),
          },
        )
        .catch(() => undefined);
      last = answer ? `${answer.status} ${answer.raw}` : 'no answer';
      if (answer === undefined || answer.status >= 500 || answer.status === 409) return undefined;
      if (answer.status !== 200 && answer.status !== 202) throw new Error(`${key}: ${answer.status} ${answer.raw}`);
      return answer.body.message_id;
    },
    ROUND_LIMIT_MS,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; the last was ${last}`);
  });
}

async function inParallel<T>(count: number, width: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      results[index] = await work(index);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}

/**
 * Kills once some part of the round's work is done, so that the instants cover all of it, whatever
 * the machine's speed.
 */
async function killWhen(progress: () => number, threshold: number, target: 'worker' | 'gateway'): Promise<void> {
  await until('the instant to kill', () => progress() >= threshold, ROUND_LIMIT_MS);
  if (target === 'worker') {
    rig.killWorker();
    return;
  }
  await rig.killGateway();
  await rig.startGateway();
}

test(`${ROUNDS} rounds of kill -9 lose no message in either direction and double none`, {
  timeout: ROUNDS * 60_000,
}, async () => {
  const totals = { inbound: 0, sends: 0, kills: { worker: 0, gateway: 0 }, repeated: 0 };
  let cursor = '';
  for (let round = 0; round < ROUNDS; round += 1) {
    const target = round % 2 === 0 ? 'gateway' : 'worker';
    let done = 0;
    const threshold = Math.floor(random() * (INBOUND + SENDS));
    const kill = killWhen(() => done, threshold, target);
    const saying = inParallel(INBOUND, 4, async (index) => {
      const { message_id: id } = await rig.world<{ message_id: string }>('POST', `/phones/${ALICE}/messages`, {
        to: OWNER,
        type: 'text',
        body: `in ${round}/${index}`,
      });
      done += 1;
      return id;
    });
    const sending = inParallel(SENDS, 8, async (index) => {
      const id = await sendUntilAccepted(`out ${round}/${index}`);
      done += 1;
      return id;
    });
    const [inbound, sent] = await Promise.all([saying, sending, kill]);

    const context = `round ${round}, seed ${SEED}, ${target} killed after ${threshold}`;
    // Read once a look: the receiver lives in this process, and must get its turns.
    const missing = () => {
      const delivered = eventsByMessage();
      return inbound.filter((id) => !delivered.has(id));
    };
    await until(`${context}: every inbound message is delivered`, () => missing().length === 0, ROUND_LIMIT_MS).catch(
      (error) => {
        throw new Error(`${error.message}; missing ${missing().length} of ${INBOUND}`);
      },
    );
    const events = eventsByMessage();
    expect(
      inbound.filter((id) => events.get(id)?.size !== 1),
      `${context}: one event id each`,
    ).toEqual([]);

    const inbox: InboxItem[] = [];
    await until(
      `${context}: every accepted send is on the phone`,
      async () => {
        const query = cursor === '' ? '' : `?after=${encodeURIComponent(cursor)}`;
        const news = await rig.world<InboxItem[]>('GET', `/phones/${ALICE}/inbox${query}`);
        inbox.splice(0, inbox.length, ...news);
        return sent.every((id) => inbox.some((item) => item.message_id === id && item.type === 'text'));
      },
      ROUND_LIMIT_MS,
    );
    for (let index = 0; index < SENDS; index += 1) {
      const ids = new Set(inbox.filter((item) => item.body === `out ${round}/${index}`).map((item) => item.message_id));
      expect([...ids], `${context}: one message id for key ${index}`).toEqual([sent[index]]);
    }
    expect(
      inbox.filter((item) => item.type === 'undecryptable'),
      `${context}: the phone could read everything`,
    ).toEqual([]);
    totals.repeated += inbox.filter((item) => item.copies > 1).length;
    totals.inbound += INBOUND;
    totals.sends += SENDS;
    totals.kills[target] += 1;
    cursor = inbox.at(-1)?.message_id ?? cursor;
    rig.receiver.requests.splice(0);
  }
  process.stdout.write(`crash rounds: ${JSON.stringify({ rounds: ROUNDS, seed: SEED, ...totals })}\n`);
});

test('both sides still read each other after all that', async () => {
  await rig.untilConnected(line.ref);
  const id = await sendUntilAccepted('the last word');
  await until('the phone has it', async () =>
    (await rig.world<InboxItem[]>('GET', `/phones/${ALICE}/inbox`)).some(
      (i) => i.message_id === id && i.body === 'the last word',
    ),
  );
  const said = await rig.world<{ message_id: string }>('POST', `/phones/${ALICE}/messages`, {
    to: OWNER,
    type: 'text',
    body: 'bye',
  });
  await until('the webhook has it', () => eventsByMessage().has(said.message_id));
});
