import type { FrontFleet, FrontLine } from './front-fleet.ts';
import { until } from './until.ts';

const RECIPIENTS = 10;
const recipientOf = (i: number): string => `1666000000${i % RECIPIENTS}`;
const GIVE_UP_MS = 120_000;
const COLLECT_EVERY_MS = 2_000;
/** Between two looks at everything. */
const LOOK_EVERY_MS = 500;
const SETTLED_WITHIN_MS = 120_000;

/** Of either form of errors. */
const codeOf = (error: unknown): string | undefined =>
  typeof error === 'string' ? error : (error as { code?: string } | undefined)?.code;

interface Answered {
  status: number;
  hasRetryAfter: boolean;
  error: string | undefined;
}

/** Messages both ways on all lines of a fleet, and the books on what became of each. */
export class FleetTraffic {
  readonly #fleet: FrontFleet;
  readonly #random: () => number;
  /** Message ids that were accepted, by Idempotency-Key. */
  readonly accepted = new Map<string, string>();
  /** Message ids that phones sent, with the line they went to. */
  readonly said = new Map<string, string>();
  /** Message ids that arrived at the recipients, and how often each was shown. */
  readonly arrived = new Map<string, number>();
  /** Every answer to a send, counted by what it was. */
  readonly answers = new Map<string, number>();
  /** Requests without an answer (a node that was killed): each was tried again. */
  unanswered = 0;
  readonly #cursors = new Map<string, string>();
  readonly #underWay = new Set<Promise<void>>();
  #isOn = false;
  #number = 0;
  #collecting: Promise<void> = Promise.resolve();

  constructor(fleet: FrontFleet, random: () => number) {
    this.#fleet = fleet;
    this.#random = random;
  }

  /** Recipients and the webhook; before any traffic. */
  async prepare(): Promise<void> {
    for (let i = 0; i < RECIPIENTS; i += 1) {
      await this.#fleet.world('POST', '/phones', { phone: recipientOf(i), name: `Recipient ${i}` });
    }
    const body = { url: `${this.#fleet.receiver.url}/lines`, events: ['message.received'] };
    await this.#fleet.nodes[0]?.api.expect(200, 'POST', '/api/bridge/v1/webhooks', body);
  }

  /** Until `stop`: so many messages a second each way, on lines by chance. */
  start(perSecond: number): void {
    this.#isOn = true;
    void this.#run(perSecond);
    this.#collecting = this.#collect();
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    await Promise.all(this.#underWay);
    await this.#collecting;
  }

  async #run(perSecond: number): Promise<void> {
    while (this.#isOn) {
      const line = this.#fleet.lines[Math.floor(this.#random() * this.#fleet.lines.length)];
      if (line) {
        this.#follow(this.#send(line));
        this.#follow(this.#say(line));
      }
      await new Promise((resolve) => setTimeout(resolve, 1_000 / perSecond));
    }
  }

  #follow(work: Promise<void>): void {
    const followed = work.finally(() => this.#underWay.delete(followed));
    this.#underWay.add(followed);
  }

  /** Accepted in the end, whichever node takes it, as a careful client sends. */
  async #send(line: FrontLine): Promise<void> {
    this.#number += 1;
    const key = `send-${this.#number}`;
    const body = { line_id: line.id, to: `+${recipientOf(this.#number)}`, message: `No. ${this.#number}` };
    const until = performance.now() + GIVE_UP_MS;
    while (performance.now() < until) {
      const node = this.#fleet.pick(this.#random());
      const answer = await node?.api
        .call<{ message_id?: string; error?: unknown }>('POST', '/api/bridge/v1/messages/send', body, {
          'idempotency-key': key,
        })
        .catch(() => undefined);
      if (answer) {
        this.#note({
          status: answer.status,
          hasRetryAfter: answer.headers.has('retry-after'),
          error: codeOf(answer.body?.error),
        });
        const id = answer.body?.message_id;
        if (answer.status < 300 && id !== undefined) {
          this.accepted.set(key, id);
          return;
        }
      } else if (node) {
        this.unanswered += 1;
        node.isReady = false;
      }
      await new Promise((resolve) => setTimeout(resolve, 100 + 200 * this.#random()));
    }
    throw new Error(`${key} was not accepted within ${GIVE_UP_MS} ms`);
  }

  async #say(line: FrontLine): Promise<void> {
    const from = recipientOf(Math.floor(this.#random() * RECIPIENTS));
    const body = { to: line.phone, type: 'text', body: `Said at ${performance.now()}` };
    const { message_id } = await this.#fleet.world<{ message_id: string }>('POST', `/phones/${from}/messages`, body);
    this.said.set(message_id, line.id);
  }

  #note({ status, hasRetryAfter, error }: Answered): void {
    const what = `${status}${hasRetryAfter ? ' with Retry-After' : ''}${error ? ` ${error}` : ''}`;
    this.answers.set(what, (this.answers.get(what) ?? 0) + 1);
  }

  /** Inboxes of phones are finite: what arrived is written down as it does. */
  async #collect(): Promise<void> {
    while (this.#isOn) {
      await this.look();
      await new Promise((resolve) => setTimeout(resolve, COLLECT_EVERY_MS));
    }
  }

  async look(): Promise<void> {
    for (let i = 0; i < RECIPIENTS; i += 1) {
      const phone = recipientOf(i);
      const after = this.#cursors.get(phone) ?? '0';
      type Item = { cursor: number; message_id: string };
      const items = await this.#fleet.world<Item[]>('GET', `/phones/${phone}/inbox?after=${after}`);
      for (const { cursor, message_id } of items) {
        this.arrived.set(message_id, (this.arrived.get(message_id) ?? 0) + 1);
        this.#cursors.set(phone, String(cursor));
      }
    }
  }

  /**
   * Waits until everything that was accepted arrived, and everything that was said was told and
   * delivered. Answers what is wrong: nothing may be.
   */
  async settled(): Promise<string[]> {
    const ids = new Set(this.accepted.values());
    const wrong: string[] = [];
    if (ids.size !== this.accepted.size) wrong.push('two sends have one message id');
    const isThere = () => [...ids].every((id) => this.arrived.has(id));
    const lookAgain = async () => {
      await this.look();
      return isThere();
    };
    await until('every send arrived', lookAgain, SETTLED_WITHIN_MS).catch(() => {
      const lost = [...this.accepted].filter(([, id]) => !this.arrived.has(id));
      wrong.push(`${lost.length} sends did not arrive: ${JSON.stringify(lost.slice(0, 5))}`);
    });
    const strange = [...this.arrived.keys()].filter((id) => !ids.has(id));
    if (strange.length > 0) wrong.push(`${strange.length} messages arrived that no answer named: ${strange[0]}`);
    const twice = [...this.arrived].filter(([, times]) => times > 1);
    if (twice.length > 0) wrong.push(`${twice.length} messages were shown twice: ${twice[0]?.[0]}`);
    wrong.push(...(await this.#settledInbound()));
    return wrong;
  }

  async #settledInbound(): Promise<string[]> {
    const wrong: string[] = [];
    const told = await until(
      'every message was told',
      async () => {
        const now = await this.#told();
        if ([...this.said.keys()].every((id) => now.has(id))) return now;
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
        return undefined;
      },
      SETTLED_WITHIN_MS,
    ).catch(async () => {
      const now = await this.#told();
      const lost = [...this.said.keys()].filter((id) => !now.has(id));
      wrong.push(`${lost.length} messages were not told: ${lost.slice(0, 5).join()}`);
      return now;
    });
    const twice = [...told].filter(([, times]) => times > 1);
    if (twice.length > 0) wrong.push(`${twice.length} messages were told twice: ${twice[0]?.[0]}`);
    const delivered = () => {
      const found = new Map<string, Set<string>>();
      for (const { body, headers } of this.#fleet.receiver.requests) {
        const id = (JSON.parse(body) as { data?: { message_id?: string } }).data?.message_id ?? '';
        const known = found.get(id) ?? new Set();
        found.set(id, known.add(String(headers['webhook-id'])));
      }
      return found;
    };
    await until(
      'every message was delivered',
      () => {
        const found = delivered();
        return [...this.said.keys()].every((id) => found.has(id));
      },
      SETTLED_WITHIN_MS,
    ).catch(() => {
      const found = delivered();
      wrong.push(`${[...this.said.keys()].filter((id) => !found.has(id)).length} messages were not delivered`);
    });
    const unlike = [...delivered()].filter(([, webhookIds]) => webhookIds.size > 1);
    if (unlike.length > 0) wrong.push(`${unlike.length} messages were delivered under several ids`);
    return wrong;
  }

  /** Message ids in the journal, and how often each is there. */
  async #told(): Promise<Map<string, number>> {
    const rows = await this.#fleet.test.store.db
      .selectFrom('events')
      .select('payload')
      .where('type', '=', 'message.received')
      .execute();
    const told = new Map<string, number>();
    for (const { payload } of rows) {
      const { messageId } = JSON.parse(payload) as { messageId: string };
      told.set(messageId, (told.get(messageId) ?? 0) + 1);
    }
    return told;
  }
}
