import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createExecute, type Execute } from '../src/commands/execute.ts';
import { AppError } from '../src/core/app-error.ts';
import { type Clock, systemClock } from '../src/core/clock.ts';
import { idempotentRequest } from '../src/core/idempotency.ts';
import type { SendOutcome } from '../src/core/line-commands.ts';
import { errorAnswer } from '../src/dialects/lines/errors.ts';
import { forEachStore } from './store-harness.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { ScriptedRouter } from './support/scripted-router.ts';

/** What WhatsApp, or death, does to a send that reached the worker. */
const FATES = ['sent', 'refused', 'error', 'cut_before', 'cut_on_the_wire', 'cut_after_the_end'] as const;
type Fate = (typeof FATES)[number];

type Step =
  /** One request, or the same one several times at once, to one of two processes each. */
  | { do: 'send'; key: number; body: number; apiKey: number; processes: number[]; fate: Fate }
  | { do: 'restart'; process: number }
  /** The workers of a new process take up what was accepted. */
  | { do: 'resume' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      key: fc.nat(2),
      body: fc.nat(1),
      apiKey: fc.nat(1),
      processes: fc.array(fc.nat(1), { minLength: 1, maxLength: 4 }),
      fate: fc.constantFrom(...FATES),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), process: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'resume' as const }) },
);

let h: HttpHarness;
let lineId: string;
let callers: Parameters<Execute['runOnce']>[2][];
let runs = 0;

forEachStore((open, engine) => {
  beforeAll(async () => {
    h = await openHttp({ open });
    lineId = String((await h.call('POST', '/api/bridge/v1/lines', { body: {} })).body.line_id);
    await h.setLine(lineId, { status: 'connected', phone: '34611', jid: '34611@s.whatsapp.net', name: 'Shop' });
    const base = { accountId: 'acc_one', mode: 'test', scopes: ['*'], keyName: 'k', keyPrefix: 'p' } as const;
    // An API key and its successor: a client that rotates its keys repeats requests with the new
    // one.
    callers = ['key_old', 'key_new'].map((keyId) => ({ ...base, keyId }));
  });
  afterAll(() => h.close());

  it('whatever crashes and interleaves, one key is one WhatsApp message with one answer, and another body is a conflict', async () => {
    const numRuns = engine === 'sqlite' ? 150 : 40;
    let sends = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
        sends += await play(steps);
      }),
      { numRuns },
    );
    expect(sends).toBeGreaterThan(numRuns * 3);
  }, 240_000);
});

/**
 * Plays one history and checks every answer against what was answered before. Answers how many
 * requests it made.
 */
async function play(steps: Step[]): Promise<number> {
  runs += 1;
  const run = runs;
  const wire = new Wire();
  const processes = [new Process(wire), new Process(wire)];
  /** By key: the body that was accepted, and the answer that must stay. */
  const accepted = new Map<number, number>();
  const answered = new Map<number, string>();
  let requests = 0;
  for (const each of steps) {
    if (each.do === 'restart') processes[each.process] = new Process(wire);
    else if (each.do === 'resume') await wire.resume();
    else {
      wire.fate = each.fate;
      const calls = each.processes.map(async (at) => {
        requests += 1;
        return processes[at]?.send(`${run}-${each.key}`, each.body, each.apiKey);
      });
      for (const reply of await Promise.all(calls)) {
        // The process died under this request: no caller got an answer.
        if (reply === undefined) continue;
        if (reply.status === 409 && reply.text.includes('idempotency_conflict')) {
          expect(accepted.get(each.key)).not.toBe(each.body);
          continue;
        }
        if (accepted.has(each.key)) expect(accepted.get(each.key)).toBe(each.body);
        if (reply.status >= 500 || reply.status === 409) continue;
        expect(answered.get(each.key) ?? reply.text).toBe(reply.text);
        answered.set(each.key, reply.text);
      }
      for (const [at, process] of processes.entries()) if (process.isDead) processes[at] = new Process(wire);
      const row = await h.db.store.db
        .selectFrom('idempotency')
        .select('key')
        .where('key', '=', `${run}-${each.key}`)
        .executeTakeFirst();
      if (row && !accepted.has(each.key)) accepted.set(each.key, each.body);
    }
  }
  await wire.resume();
  for (const key of accepted.keys()) {
    const ids = wire.messageIds(`${run}-${key}`);
    expect(ids.size).toBeLessThanOrEqual(1);
    const rows = await h.db.store.db
      .selectFrom('outbox')
      .select('message_id')
      .where('content', 'like', `%"run ${run}-${key} %`)
      .execute();
    expect(rows).toHaveLength(1);
    const id = rows[0]?.message_id ?? '';
    for (const sent of ids) expect(sent).toBe(id);
    const text = answered.get(key);
    if (text?.includes('message_id')) expect(text).toContain(id);
  }
  return requests;
}

/** WhatsApp's side: which message ids it ever saw, by what they say. */
class Wire {
  fate: Fate = 'sent';
  readonly #seen = new Map<string, Set<string>>();

  messageIds(key: string): Set<string> {
    return this.#seen.get(key) ?? new Set();
  }

  async transmit(outboxId: string): Promise<void> {
    const row = await h.db.store.db
      .selectFrom('outbox')
      .select(['content', 'message_id'])
      .where('id', '=', outboxId)
      .executeTakeFirstOrThrow();
    const key = /"run (\S+) /.exec(row.content)?.[1] ?? '';
    this.#seen.set(key, (this.#seen.get(key) ?? new Set()).add(row.message_id));
  }

  /** What is accepted and has not ended goes out, as a starting worker sees to. */
  async resume(): Promise<void> {
    const rows = await h.db.store.db.selectFrom('outbox').select('id').where('finished_at', 'is', null).execute();
    for (const { id } of rows) {
      await this.transmit(id);
      await h.router.end(id, { state: 'sent', timestamp: 1 });
    }
  }
}

/**
 * One gateway process over the common database. It dies when fate cuts it; then nothing of it ever
 * answers.
 */
class Process {
  isDead = false;
  readonly #execute: Execute;
  readonly #death = Promise.withResolvers<undefined>();

  constructor(wire: Wire) {
    const router = new ScriptedRouter(() => h.db.store);
    router.handlers.send = (_lineId, { outboxId }) => this.#work(wire, outboxId);
    // Waiting is over at once, unless the process is dying: then it is for ever.
    const clock: Clock = {
      ...systemClock,
      sleep: (_delayMs, signal) =>
        new Promise((resolve) => {
          signal?.addEventListener('abort', () => resolve(), { once: true });
          if (!this.#isDying()) setTimeout(resolve, 60);
        }),
    };
    this.#execute = createExecute({ ...h.services, router, clock });
  }

  #isDying(): boolean {
    return this.isDead;
  }

  async #work(wire: Wire, outboxId: string): Promise<SendOutcome> {
    const { fate } = wire;
    if (fate === 'cut_before') return this.#die();
    await wire.transmit(outboxId);
    if (fate === 'cut_on_the_wire') return this.#die();
    const outcome: SendOutcome =
      fate === 'refused'
        ? { state: 'failed', code: 'not_on_whatsapp', details: {} }
        : fate === 'error'
          ? { state: 'failed', code: 'whatsapp_error', details: {} }
          : { state: 'sent', timestamp: 1 };
    await h.router.end(outboxId, outcome);
    if (fate === 'cut_after_the_end') return this.#die();
    const row = await h.db.store.db.selectFrom('outbox').select('state').where('id', '=', outboxId).executeTakeFirst();
    // Of two that ended it, the first one counts.
    return row?.state === 'failed' && outcome.state === 'sent'
      ? { state: 'failed', code: 'not_on_whatsapp', details: {} }
      : outcome;
  }

  #die(): Promise<never> {
    this.isDead = true;
    this.#death.resolve(undefined);
    return new Promise(() => {});
  }

  /** The answer; undefined when the process died first. */
  async send(key: string, body: number, apiKey: number): Promise<{ status: number; text: string } | undefined> {
    const caller = callers[apiKey];
    if (!caller || this.isDead) return undefined;
    const input = {
      line: { id: lineId },
      to: '34600000000@s.whatsapp.net',
      content: { kind: 'text' as const, body: `run ${key} body ${body}` },
      waitMs: 0,
    };
    const request = idempotentRequest({ ...caller, key, method: 'POST', path: '/x', body: { body } });
    const answer = this.#execute
      .runOnce('messages.send', input, caller, {
        request,
        render: (outcome) => {
          if ('result' in outcome) return { status: 200, body: JSON.stringify(outcome.result) };
          const { status, body: words } = errorAnswer(outcome.error);
          return { status, body: JSON.stringify(words) };
        },
      })
      .then(
        ({ answer: { status, body: text } }) => ({ status, text }),
        (error: unknown) => {
          if (!(error instanceof AppError)) throw error;
          const { status, body: words } = errorAnswer(error);
          return { status, text: JSON.stringify(words) };
        },
      );
    return Promise.race([answer, this.#death.promise]);
  }
}
