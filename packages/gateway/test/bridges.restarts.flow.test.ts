import { afterAll, beforeAll, expect, test } from 'vitest';
import { bridgesStory, REF } from './support/bridges-story.ts';
import { BridgesWalk } from './support/bridges-walk.ts';
import { Rig } from './support/rig.ts';
import { until } from './support/until.ts';

/** Calls before which the worker is killed; before each other one the connection begins anew. */
const KILLED_BEFORE = [6, 16, 28];

interface Bridge {
  line_id: string;
  state: string;
  status: string;
  manager: { fail_count: number };
}

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
}, 60_000);
afterAll(() => rig?.close());

test('the published reference holds, too, when the line is restarted between every two calls', async () => {
  let isPaired = false;
  let calls = 0;
  let restarts = 0;
  const bridge = () => rig.api.call<Bridge>('GET', `/api/instances/${REF}`);
  /** Number of the line's last login, as the network counts its stanzas. */
  const lastLogin = async (lineId: string) => {
    const path = `/api/sandbox/v1/lines/${lineId}/wire`;
    const wire = await rig.api.expect<{ tag: string; seq: number }[]>(200, 'GET', path);
    return wire.findLast(({ tag }) => tag === 'success')?.seq ?? 0;
  };
  const restart = async () => {
    calls += 1;
    const isKilled = KILLED_BEFORE.includes(calls);
    const { status, body: before } = await bridge();
    if (status !== 200 || !(isPaired || isKilled)) return;
    const loginBefore = isPaired ? await lastLogin(before.line_id) : 0;
    if (isKilled) rig.killWorker();
    else await rig.sandbox.fault(before.line_id, { kind: 'stream_error', code: 515 });
    restarts += 1;
    await until('the line is back', async () => {
      const { body: now } = await bridge();
      if (isPaired) return now.status === 'connected' && (await lastLogin(before.line_id)) > loginBefore;
      return now.state === 'running' && now.manager.fail_count > before.manager.fail_count;
    });
  };
  const walk = new BridgesWalk(rig, REF, restart);
  await bridgesStory(rig, walk, {
    paired(is) {
      isPaired = is;
    },
  });
  expect(restarts).toBeGreaterThan(25);
}, 180_000);
