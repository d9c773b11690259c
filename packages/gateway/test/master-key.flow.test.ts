import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gatewayEntry } from './support/product-code.ts';
import { Rig } from './support/rig.ts';

const ALICE = '15550002222';
const LINES = '/api/bridge/v1';
/** More scopes than a rotation takes in one transaction would be needed to cut it; sends go on. */
const ROTATIONS = 3;

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  await rig.sandbox.phone(ALICE, 'Alice');
}, 60_000);
afterAll(() => rig?.close());

test(`${ROTATIONS} rotations of the master key while sends run: none fails, all arrive, and a restart opens everything`, {
  timeout: 120_000,
}, async () => {
  const line = await rig.linkLine('rotated', '15551008001');
  const ponte = (...args: string[]) =>
    promisify(execFile)(process.execPath, [gatewayEntry, ...args], {
      env: { PATH: process.env.PATH, ...rig.environment },
    });
  const sent: { status: number; id: string }[] = [];
  let isOver = false;
  const sending = (async () => {
    for (let i = 0; !isOver || i < 20; i += 1) {
      const body = { line_id: line.lineId, to: ALICE, message: `during ${i}` };
      const answer = await rig.api.call<{ message_id: string }>('POST', `${LINES}/messages/send`, body);
      sent.push({ status: answer.status, id: answer.body.message_id });
    }
  })();
  for (let i = 0; i < ROTATIONS; i += 1) {
    const { stdout } = await ponte('keys', 'rotate-master', '--json');
    expect((JSON.parse(stdout) as { rewrapped: number }).rewrapped).toBeGreaterThan(0);
  }
  // A line of another data key is made under the newest key.
  const second = await rig.linkLine('after', '15551008002');
  isOver = true;
  await sending;
  expect(sent.filter(({ status }) => status !== 200)).toEqual([]);
  const arrived = new Set((await rig.sandbox.inbox(ALICE)).map((item) => item.message_id));
  expect(sent.filter(({ id }) => !arrived.has(id))).toEqual([]);
  expect(await rig.stopGateway()).toBe(0);
  await rig.startGateway();
  for (const { ref, lineId } of [line, second]) {
    await rig.untilConnected(ref);
    const body = { line_id: lineId, to: ALICE, message: 'with the new key' };
    await rig.api.expect(200, 'POST', `${LINES}/messages/send`, body);
  }
  expect(sent.length).toBeGreaterThanOrEqual(20);
});
