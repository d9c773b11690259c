import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { until } from '../../engine/src/conformance/until.ts';
import { createSimulator } from '../src/simulator.ts';
import { ALICE, BOB, bodies, Fixture, pnJid, TENANT } from './fixture.ts';

interface Ready {
  ready: boolean;
  port: number;
  noiseRootPublicKeyHex: string;
  controlToken: string;
  mediaPort: number;
  mediaCaPem: string;
}

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

async function startProcess(args: string[], token?: string): Promise<{ child: ChildProcess; ready: Ready }> {
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    ...(token === undefined ? {} : { PONTE_SIMULATOR_CONTROL_TOKEN: token }),
  };
  const child = fork(MAIN, args, { execArgv: [], env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const output: Buffer[] = [];
  child.stdout?.on('data', (data) => output.push(data));
  child.stderr?.on('data', (data) => output.push(data));
  const [ready] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`the process ended: ${Buffer.concat(output)}`))),
  ]);
  expect(Buffer.concat(output).toString()).toBe('');
  return { child, ready: ready as Ready };
}

function api(port: number, token: string) {
  return async (request: string, body?: unknown, headers: Record<string, string> = {}) => {
    const [method = 'GET', path = '/'] = request.split(' ');
    const response = await fetch(`http://127.0.0.1:${port}/control/${TENANT}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
}

test('the sandbox API is served over HTTP: a phone scans a line and writes to it', async () => {
  const net = await Fixture.open({ controlToken: 'secret-of-the-test' });
  const call = api(net.simulator.port, 'secret-of-the-test');
  expect((await call('POST /phones', { phone: ALICE, name: 'Alice' })).status).toBe(201);
  await call('POST /phones', { phone: BOB, name: 'Bob' });
  const line = net.line('line_a');
  line.connect();
  const qr = await line.until('a QR', () => line.qr);
  const scanned = await call(`POST /phones/${ALICE}/scan`, { qr });
  expect(scanned).toEqual({ status: 200, body: { device_jid: `${ALICE}:1@s.whatsapp.net` } });
  await line.until('the login', () => line.isOpen && line.isDrained);
  expect((await call(`POST /phones/${BOB}/messages`, { to: ALICE, type: 'text', body: 'over HTTP' })).status).toBe(201);
  await line.text('over HTTP');
  expect((await call('POST /lines/line_a/faults', { kind: 'cut' })).status).toBe(201);
  await line.until('the cut', () => line.closes.at(-1) === 428);
  expect((await call('POST /reset')).status).toBeLessThan(300);
  expect((await call('GET /phones')).body).toEqual([]);
});

test('the control API refuses strangers, nonsense and too much', async () => {
  const net = await Fixture.open({ controlToken: 'right' });
  const call = api(net.simulator.port, 'right');
  expect(await api(net.simulator.port, 'wrong')('GET /phones')).toMatchObject({
    status: 401,
    body: { error: 'unauthorized' },
  });
  expect(await call('POST /phones', '{"phone":')).toMatchObject({ status: 400, body: { error: 'validation_error' } });
  expect(await call('POST /phones', `"${'x'.repeat(17 * 1024 * 1024)}"`)).toMatchObject({
    status: 413,
    body: { error: 'too_large' },
  });
  expect(await call('GET /nothing')).toMatchObject({ status: 404, body: { error: 'not_found' } });
  const outside = await fetch(`http://127.0.0.1:${net.simulator.port}/`);
  expect(outside.status).toBe(404);
  await outside.text();
});

test('the simulator runs as a process of its own, keeps its world and ends with its parent', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'simulator-'));
  const dataFile = join(folder, 'world.db');
  const first = await startProcess(['--data-file', dataFile], 'given-token');
  expect(first.ready).toMatchObject({ ready: true, controlToken: 'given-token', mediaPort: expect.any(Number) });
  expect(first.ready.mediaCaPem).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
  await api(first.ready.port, 'given-token')('POST /phones', { phone: ALICE, name: 'Alice' });
  first.child.disconnect();
  expect(await once(first.child, 'exit')).toEqual([0, null]);
  const second = await startProcess(['--data-file', dataFile]);
  expect(second.ready.noiseRootPublicKeyHex).toBe(first.ready.noiseRootPublicKeyHex);
  expect(second.ready.mediaCaPem).toBe(first.ready.mediaCaPem);
  expect(second.ready.controlToken).not.toBe('given-token');
  const { body } = await api(second.ready.port, second.ready.controlToken)('GET /phones');
  expect(body).toMatchObject([{ phone: ALICE, name: 'Alice' }]);
  second.child.kill('SIGTERM');
  expect(await once(second.child, 'exit')).toEqual([0, null]);
  await rm(folder, { recursive: true, force: true });
});

test('a port that is taken is an error, and leaves nothing open', async () => {
  const net = await Fixture.open();
  await expect(createSimulator({ port: net.simulator.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('a deleted phone is gone with its lines and its mail, and the number can be used again', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  const old = await net.phone(ALICE);
  await bob.sendText(pnJid(ALICE), 'to the old one');
  await until('the text', () => bodies(old).includes('to the old one'));
  await net.world.deletePhone(TENANT, ALICE);
  await line.until('the log-out', () => line.closes.at(-1) === 401);
  const fresh = await net.phone(ALICE);
  expect(fresh.lid).toBe(old.lid);
  expect(bodies(fresh)).toEqual([]);
  await bob.sendText(pnJid(ALICE), 'to the new one');
  await until('the text', () => bodies(fresh).includes('to the new one'));
});
