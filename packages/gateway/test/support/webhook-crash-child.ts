import { openKeyRing } from '../../src/access/open-key-ring.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/observe/logger.ts';
import { openStore } from '../../src/store/db/open.ts';
import { createDispatcher } from '../../src/webhooks/dispatcher.ts';
import { appendEvents, guardFor, messageTo, plainFormats, WORLD_KEY } from './webhook-world.ts';

/** What the harness asks of one run; it is killed somewhere in the middle of it. */
export interface CrashPlan {
  url: string;
  lines: string[];
  perLine: number;
  chats: number;
  port: number;
}

/**
 * A gateway reduced to what is proven: it commits events and delivers them, and goes on where the
 * run before it was killed.
 */
async function run(plan: CrashPlan): Promise<void> {
  const clock = systemClock;
  const store = await openStore({ url: plan.url, clock });
  const ring = await openKeyRing({ masterKey: WORLD_KEY, store, clock });
  const guard = guardFor([plan.port]);
  const dispatcher = createDispatcher({ store, ring, formats: plainFormats, clock, guard, log: silentLog });
  await dispatcher.start();
  const counts = await store.db
    .selectFrom('events')
    .select(['line_id', (eb) => eb.fn.countAll().as('count')])
    .groupBy('line_id')
    .execute();
  const done = new Map(counts.map((row) => [row.line_id, Number(row.count)]));
  for (let isOver = false; !isOver; ) {
    isOver = true;
    for (const line of plan.lines) {
      const from = done.get(line) ?? 0;
      const count = Math.min(5, plan.perLine - from);
      if (count <= 0) continue;
      isOver = false;
      const payloads = Array.from({ length: count }, (_, i) =>
        messageTo(`chat${(from + i) % plan.chats}@s.whatsapp.net`, String(Math.floor((from + i) / plan.chats))),
      );
      await appendEvents(store, clock, line, 'message.received', payloads);
      done.set(line, from + count);
      dispatcher.nudge();
    }
  }
}

await run(JSON.parse(process.argv[2] ?? '') as CrashPlan);
// The dispatcher's timers do not keep a process alive; the harness ends this one.
setInterval(() => {}, 60_000);
