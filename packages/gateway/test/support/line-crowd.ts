import { randomBytes } from 'node:crypto';
import { CREDENTIALS_KIND } from '@ponte/engine';
import type { Pacing } from '../../src/core/pacing.ts';
import { createSealedBox } from '../../src/crypto/sealed-box.ts';
import { createConnectGate } from '../../src/lines/connection/connect-gate.ts';
import { LineActor } from '../../src/lines/line.ts';
import { silentLog } from '../../src/observe/logger.ts';
import { createEngineStore } from '../../src/store/engine/engine-store.ts';
import { loadLine } from '../../src/store/lines/line-row.ts';
import type { TestStore } from '../store-harness.ts';
import { type FakeEngine, FakeFactory } from './fake-engine.ts';
import type { ManualClock } from './manual-clock.ts';
import { insertLine, insertSend } from './rows.ts';

const SELF = { pn: '15559990000@s.whatsapp.net', lid: '7000@lid', name: 'Acme' };

export interface CrowdMember {
  id: string;
  line: LineActor;
  engine: FakeEngine;
  /** When it asked for a connection, on the crowd's clock. */
  connects: number[];
  /** When each message went onto the wire. */
  sends: { id: string; at: number }[];
  /** Accepts a text and hands it over. */
  send(body: string): Promise<{ messageId: string; at: number }>;
}

/** Many paired lines of one process, real but for their engines, on a clock that the test moves. */
export class LineCrowd {
  readonly members: CrowdMember[] = [];
  readonly #test: TestStore;
  readonly #clock: ManualClock;
  readonly #gate: ReturnType<typeof createConnectGate>;
  readonly #box = createSealedBox(randomBytes(32));

  constructor(test: TestStore, clock: ManualClock, connectsPerSecond: number) {
    this.#test = test;
    this.#clock = clock;
    this.#gate = createConnectGate(connectsPerSecond, clock);
  }

  /** One more line; it has credentials, so it asks for its connection at once. */
  async add(pacing: Pacing | null = null): Promise<CrowdMember> {
    const { store } = this.#test;
    const clock = this.#clock;
    const ref = await insertLine(store);
    const row = await loadLine(store.db, ref.id);
    if (!row) throw new Error('the line that was just made is gone');
    const engineStore = createEngineStore({ store, box: this.#box, lineId: ref.id, clock });
    await engineStore.commit([{ kind: CREDENTIALS_KIND, id: 'self', value: Buffer.from(JSON.stringify(SELF)) }]);
    const connects: number[] = [];
    const sends: { id: string; at: number }[] = [];
    const factory = new FakeFactory();
    factory.shape = (engine) => {
      const { connect, transmit } = engine;
      engine.connect = (pairing) => {
        connects.push(clock.monotonic());
        return connect.call(engine, pairing);
      };
      engine.transmit = (prepared, ...more) => {
        sends.push({ id: prepared.id, at: clock.monotonic() });
        return transmit.call(engine, prepared, ...more);
      };
    };
    const line = await LineActor.open({
      ...{ row, store, box: this.#box, engineStore, factory, clock, log: silentLog, gate: this.#gate, pacing },
      endpoint: { wsUrl: 'ws://127.0.0.1:1', noiseRoot: new Uint8Array(32) },
      mailboxCapacity: 10_000,
      publish: () => {},
      nudge: () => {},
    });
    const engine = factory.engines.get(ref.id);
    if (!engine) throw new Error('the line has no engine');
    const send: CrowdMember['send'] = async (body) => {
      const at = clock.monotonic();
      const { id, messageId } = await insertSend(store, ref, { body, acceptedAt: clock.now() });
      // How it ends is seen on the wire.
      line.run('send', { outboxId: id }).catch(() => {});
      return { messageId, at };
    };
    const member = { id: ref.id, line, engine, connects, sends, send };
    this.members.push(member);
    return member;
  }

  async close(): Promise<void> {
    let isDone = false;
    const stopped = Promise.all(this.members.map(({ line }) => line.stop(0))).then(() => {
      isDone = true;
    });
    while (!isDone) await this.#clock.advance(500);
    await stopped;
  }
}
