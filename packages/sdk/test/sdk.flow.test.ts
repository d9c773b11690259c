import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { until } from '../../engine/src/conformance/until.ts';
import { freePort } from '../../gateway/src/bench/processes.ts';
import { type LinkedLine, Rig } from '../../gateway/test/support/rig.ts';
import { type LinesEvent, Ponte, PonteError, verifyWebhook, type WebhookError } from '../src/index.ts';

const PACKAGE = new URL('..', import.meta.url).pathname;

let rig: Rig;
let line: LinkedLine;
let ponte: Ponte;
beforeAll(async () => {
  rig = await Rig.start();
  await rig.sandbox.phone('15550002222', 'Alice');
  line = await rig.linkLine('demo', '15550001111');
  ponte = new Ponte({ baseUrl: rig.base, key: rig.testKey });
}, 60_000);
afterAll(() => rig?.close());

const inbox = () => rig.sandbox.inbox('15550002222');

describe('against the running product', () => {
  test('lists, sends, reads back page after page', async () => {
    expect((await ponte.lines.list()).map(({ line_id }) => line_id)).toEqual([line.lineId]);
    for (const message of ['one', 'two', 'three']) {
      await ponte.messages.send({ line_id: line.lineId, to: '+15550002222', message });
    }
    const bodies: string[] = [];
    for await (const message of ponte.messages.list({ line_id: line.lineId, phone: '15550002222', limit: 2 })) {
      bodies.push(message.body);
    }
    expect(bodies).toEqual(['three', 'two', 'one']);
    const chats = [];
    for await (const chat of ponte.chats.list({ line_id: line.lineId, limit: 1 })) chats.push(chat.phone);
    expect(chats).toEqual(['+15550002222']);
  });

  test('uploads a file, and downloads it again', async () => {
    const file = new Blob([Buffer.from('a,b\n1,2\n')], { type: 'text/csv' });
    const sent = await ponte.messages.sendMedia(
      { line_id: line.lineId, to: '15550002222', media_type: 'document' },
      { file, filename: 'table.csv' },
    );
    await until('the phone has the file', async () =>
      (await inbox()).some(({ message_id }) => message_id === sent.message_id),
    );
    expect(await (await ponte.messages.media(sent.message_id, line.lineId)).text()).toBe('a,b\n1,2\n');
  });

  test('says what was refused, and why', async () => {
    const refused = ponte.messages.send({ line_id: line.lineId, to: '15559999999', message: 'nobody' });
    await expect(refused).rejects.toMatchObject({ name: 'PonteError', status: 422, code: 'not_on_whatsapp' });
    const error = await refused.catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(PonteError);
    expect((error as PonteError).requestId).toMatch(/^req_/);
    await expect(new Ponte({ baseUrl: rig.base, key: 'wzb_test_no' }).lines.list()).rejects.toMatchObject({
      status: 401,
      code: 'unauthorized',
    });
    await expect(ponte.call('getLine', { path: { line_id: '' } })).rejects.toThrow('needs path.line_id');
  });

  test('follows events across a restart of the server, none twice and none left out', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    const breaks: string[] = [];
    const following = (async () => {
      const options = { after: 'now', events: ['message.received'], signal: stop.signal } as const;
      for await (const { event } of ponte.events.follow({
        ...options,
        onReconnect: ({ code }) => void breaks.push(code),
      })) {
        if (event.event === 'message.received') seen.push(event.data.body);
      }
    })();
    const write = (body: string) =>
      rig.world('POST', '/phones/15550002222/messages', { to: line.phone, type: 'text', body });
    // The stream begins with what comes next: it is there when the first one is seen.
    let first = 0;
    await until('the stream is open', async () => {
      if (seen.length === 0) await write(`hello ${first++}`);
      return seen.length > 0;
    });
    seen.length = 0;
    await rig.killGateway();
    await write('while it was away');
    await rig.startGateway();
    await rig.untilConnected('demo');
    await write('afterwards');
    await until('both came', () => seen.includes('afterwards'));
    expect(seen.filter((body) => !body.startsWith('hello'))).toEqual(['while it was away', 'afterwards']);
    expect(breaks.length).toBeGreaterThan(0);
    stop.abort();
    await following;
  }, 60_000);

  test('a webhook is checked, and its event has types', async () => {
    const { id, secret, standard_secret } = await ponte.webhooks.create({
      url: `${rig.receiver.url}/sdk`,
      events: ['*'],
    });
    expect((await ponte.webhooks.test(id)).status_code).toBe(200);
    const delivery = rig.receiver.requests.find(({ path }) => path === '/sdk');
    if (!delivery) throw new Error('nothing was delivered');
    const { body, headers } = delivery;
    const event = await verifyWebhook(body, headers, secret);
    expect(event.event).toBe('webhook.test');
    expect(
      await verifyWebhook(Buffer.from(body), new Headers({ ...headers } as Record<string, string>), standard_secret),
    ).toEqual(event);
    if (event.event === 'message.received') expectTypeOf(event.data.body).toEqualTypeOf<string>();
    const refused = (of: Promise<LinesEvent>) =>
      of.then(
        () => 'taken',
        (error: WebhookError) => error.reason,
      );
    expect(await refused(verifyWebhook(`${body} `, headers, secret))).toBe('signature_mismatch');
    expect(await refused(verifyWebhook(body, headers, `wzb_whsec_${'A'.repeat(40)}`))).toBe('signature_mismatch');
    expect(await refused(verifyWebhook(body, {}, secret))).toBe('headers_missing');
    expect(await refused(verifyWebhook(body, headers, secret, { now: 1 }))).toBe('too_old');
    await expect(verifyWebhook(body, headers, 'no secret')).rejects.toThrow('this is no webhook secret');
    await ponte.webhooks.delete(id);
  });
});

describe('when answers fail', () => {
  let server: Server;
  let base: string;
  const requests: { method: string; key: string | undefined }[] = [];
  let script: ((attempt: number) => { status: number; headers?: Record<string, string>; body?: unknown } | 'cut')[] =
    [];

  beforeAll(async () => {
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    server = createServer((request, response) => {
      const key = request.headers['idempotency-key'];
      requests.push({ method: request.method ?? '', key: Array.isArray(key) ? key[0] : key });
      const answer = script.shift()?.(requests.length) ?? { status: 200, body: { ok: true, lines: [] } };
      if (answer === 'cut') return void request.socket.destroy();
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      return void response.end(JSON.stringify(answer.body ?? {}));
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  const client = (retries = 3) => new Ponte({ baseUrl: base, key: 'k', retries, maxWaitMs: 5_000 });
  const send = () => client().messages.send({ line_id: 'line_1', to: '1', message: 'x' });

  test('a send is repeated under the same key, so that it happens once', async () => {
    requests.length = 0;
    script = [
      () => 'cut',
      () => ({ status: 503, headers: { 'retry-after': '0' } }),
      () => ({ status: 200, body: { ok: true } }),
    ];
    await send();
    expect(requests).toHaveLength(3);
    expect(new Set(requests.map(({ key }) => key)).size).toBe(1);
    expect(requests[0]?.key).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a refusal is not repeated; nor is a call that may have done something', async () => {
    requests.length = 0;
    script = [() => ({ status: 400, body: { error: 'validation_error', message: 'no' } })];
    await expect(send()).rejects.toMatchObject({ code: 'validation_error', status: 400 });
    script = [() => 'cut'];
    await expect(client().lines.create()).rejects.toMatchObject({ code: 'no_answer', status: 0, retryable: true });
    expect(requests).toHaveLength(2);
  });

  test('a wait that is too long is not waited for', async () => {
    requests.length = 0;
    script = [
      () => ({
        status: 429,
        headers: { 'retry-after': '3600' },
        body: { ok: false, error: { code: 'rate_limited', message: 'wait', retryable: true } },
      }),
    ];
    await expect(client().lines.list()).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 3600 });
    expect(requests).toHaveLength(1);
  });
});

test('the package that is published holds what its README uses, and runs without this repository', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ponte-sdk-'));
  try {
    execFileSync(process.execPath, [
      join(PACKAGE, '../../node_modules/typescript/bin/tsc'),
      '-p',
      join(PACKAGE, 'tsconfig.build.json'),
      '--outDir',
      join(folder, 'dist'),
    ]);
    const made = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as Record<string, unknown>;
    expect(made.dependencies).toBeUndefined();
    writeFileSync(join(folder, 'package.json'), JSON.stringify(made));
    expect(readdirSync(join(folder, 'dist'))).toEqual(expect.arrayContaining(['index.js', 'index.d.ts']));
    const program = `import { Ponte, PonteError, verifyWebhook } from './dist/index.js';
      const ponte = new Ponte({ baseUrl: '${rig.base}', key: '${rig.testKey}' });
      process.stdout.write(String((await ponte.lines.list()).length) + typeof verifyWebhook + typeof PonteError);`;
    writeFileSync(join(folder, 'program.mjs'), program);
    expect(execFileSync(process.execPath, [join(folder, 'program.mjs')], { encoding: 'utf8' })).toBe(
      '1functionfunction',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);
