import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { freePort } from '../src/bench/processes.ts';
import { printedBlock, printedBlocks, withOther } from './support/printed.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

/* The reverse proxies of docs/operating.md as printed, in front of a running server. */

const NAME = 'wa.example.com';
const ALICE = '15550002222';
const TLS = fileURLToPath(new URL('./tls/', import.meta.url));
const WITHIN_MS = 30_000;
/** More than nginx accepts by default (1 MiB), and more than a proxy should buffer. */
const FILE_BYTES = 8 * 1024 * 1024;

interface Proxy {
  name: string;
  program: string;
  /** Writes the configuration and answers how it is started, and whom to trust. */
  prepare(folder: string, port: number, to: number): { args: string[]; ca(): Buffer | undefined };
}

const PROXIES: Proxy[] = [
  {
    name: 'Caddy',
    program: '/usr/bin/caddy',
    prepare(folder, port, to) {
      // A certificate of its own authority instead of one that is asked for on the internet.
      const options = `{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\tauto_https disable_redirects\n\thttps_port ${port}\n}\n`;
      const site = withOther(printedBlock('operating.md', 'caddyfile'), { '127.0.0.1:8080': `127.0.0.1:${to}` });
      writeFileSync(join(folder, 'Caddyfile'), options + site);
      const authority = join(folder, 'caddy/pki/authorities/local/root.crt');
      return {
        args: ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')],
        ca: () => (existsSync(authority) ? readFileSync(authority) : undefined),
      };
    },
  },
  {
    name: 'nginx',
    program: '/usr/sbin/nginx',
    prepare(folder, port, to) {
      const server = withOther(printedBlock('operating.md', 'nginx'), {
        'listen 443': `listen 127.0.0.1:${port}`,
        '/etc/letsencrypt/live/wa.example.com/fullchain.pem': join(TLS, 'receiver.pem'),
        '/etc/letsencrypt/live/wa.example.com/privkey.pem': join(TLS, 'receiver.key'),
        '127.0.0.1:8080': `127.0.0.1:${to}`,
      });
      const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((one) => `${one}_temp_path ${folder}/${one};`)
        .join('\n');
      const whole = `daemon off;\npid ${folder}/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${places}\n${server}\n}\n`;
      writeFileSync(join(folder, 'nginx.conf'), whole);
      return {
        args: ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')],
        ca: () => readFileSync(join(TLS, 'ca.pem')),
      };
    },
  },
];

/** The settings that the page prints for a server behind a proxy. */
const behindProxy = Object.fromEntries(
  (printedBlocks('operating.md', 'env')[0] ?? '')
    .split('\n')
    .filter((line) => /^[A-Z]/.test(line))
    .map((line) => line.split('=') as [string, string]),
);

describe.each(PROXIES)('$name', ({ program, prepare }) => {
  const isThere = existsSync(program) || process.env.CI === 'true';
  let rig: Rig;
  let line: LinkedLine;
  let folder: string;
  let proxy: ChildProcess;
  let reach: RequestOptions;

  beforeAll(async () => {
    if (!isThere) return;
    folder = mkdtempSync(join(tmpdir(), 'ponte-proxy-'));
    mkdirSync(join(folder, 'logs'));
    // nginx runs its workers as an unprivileged user, which must reach the buffered files.
    spawnSync('chmod', ['0755', folder]);
    rig = await Rig.start({ environment: behindProxy });
    line = await rig.linkLine('proxied', '15550001111');
    await rig.sandbox.phone(ALICE, 'Alice');
    const port = await freePort();
    const { args, ca } = prepare(folder, port, Number(new URL(rig.base).port));
    let said = '';
    proxy = spawn(program, args, {
      env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [proxy.stdout, proxy.stderr]) stream?.on('data', (text) => (said += text));
    reach = {
      host: '127.0.0.1',
      port,
      servername: NAME,
      headers: { host: NAME },
      // The certificate of the tests is of another name than the one that is printed.
      ...(program.endsWith('nginx') ? { checkServerIdentity: () => undefined } : {}),
    };
    await until(`the proxy answers; it said ${said}`, async () => {
      if (proxy.exitCode !== null) throw new Error(`the proxy ended: ${said}`);
      reach.ca = ca();
      const answer = await ask({ path: '/healthz' }).catch(() => undefined);
      return answer?.status === 200;
    });
  }, 90_000);
  afterAll(async () => {
    if (proxy && proxy.exitCode === null) {
      const gone = once(proxy, 'exit');
      proxy.kill('SIGTERM');
      await gone;
    }
    await rig?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  /** The answer as far as its head. */
  function open(options: RequestOptions, body?: Buffer | string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          ...reach,
          agent: false,
          signal: AbortSignal.timeout(WITHIN_MS),
          ...options,
          headers: { ...reach.headers, ...options.headers },
        },
        resolve,
      );
      asked.once('error', reject);
      asked.end(body);
    });
  }
  async function ask(options: RequestOptions, body?: Buffer | string) {
    const answer = await open(options, body);
    let text = '';
    for await (const piece of answer) text += String(piece);
    return { status: answer.statusCode, headers: answer.headers, text };
  }
  const authorization = () => ({ authorization: `Bearer ${rig.testKey}` });

  test.runIf(isThere)('shows the console and the documents, and tells the server who asked', async () => {
    const page = await ask({ path: '/sign-in', headers: { accept: 'text/html' } });
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    // Links name the public address.
    const { line_id: id } = await rig.api.expect<{ line_id: string }>(200, 'POST', '/api/bridge/v1/lines', {});
    const link = await ask({
      method: 'POST',
      path: `/api/bridge/v1/lines/${id}/connect-link`,
      headers: authorization(),
    });
    expect(link.text).toContain(`https://${NAME}/connect`);
    // Numbers of the machine are not for those who come from elsewhere.
    expect((await ask({ path: '/metrics' })).status).toBe(404);
  });

  test.runIf(isThere)('lets a large file through, whole', async () => {
    const edge = 'ponte-docs-edge';
    const field = (name: string, value: string) =>
      `--${edge}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const body = Buffer.concat([
      Buffer.from(
        `${field('line_id', line.lineId)}${field('to', `+${ALICE}`)}${field('media_type', 'document')}--${edge}\r\nContent-Disposition: form-data; name="file"; filename="big.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`,
      ),
      Buffer.alloc(FILE_BYTES, 7),
      Buffer.from(`\r\n--${edge}--\r\n`),
    ]);
    const sent = await ask(
      {
        method: 'POST',
        path: '/api/bridge/v1/messages/send-media?wait=20',
        headers: {
          ...authorization(),
          'content-type': `multipart/form-data; boundary=${edge}`,
          'content-length': body.length,
        },
      },
      body,
    );
    expect([sent.status, sent.text]).toEqual([200, expect.stringContaining('"status":"sent"')]);
  });

  test.runIf(isThere)('hands on events while they happen: SSE', async () => {
    const stream = await open({
      path: '/api/bridge/v1/events?events=message.received',
      headers: { ...authorization(), accept: 'text/event-stream' },
    });
    expect(stream.statusCode).toBe(200);
    let heard = '';
    stream.on('data', (piece: Buffer) => (heard += String(piece)));
    stream.on('error', () => {});
    await rig.sandbox.say(ALICE, line.phone, 'through the proxy');
    await until('the event came through', () => heard.includes('through the proxy'));
    stream.destroy();
  });

  test.runIf(isThere)('hands on events while they happen: WebSocket', async () => {
    const { host: _host, headers: _headers, ...tls } = reach;
    const socket = new WebSocket(`wss://127.0.0.1:${reach.port}/api/bridge/v1/events?events=message.received`, {
      ...(tls as object),
      headers: { host: NAME, ...authorization() },
    });
    let heard = '';
    socket.on('message', (piece: Buffer) => (heard += String(piece)));
    await once(socket, 'open', { signal: AbortSignal.timeout(WITHIN_MS) });
    await rig.sandbox.say(ALICE, line.phone, 'through the socket');
    await until('the event came through', () => heard.includes('through the socket'));
    socket.close();
    await once(socket, 'close', { signal: AbortSignal.timeout(WITHIN_MS) });
  });
});

test.runIf(existsSync('/usr/bin/systemd-analyze'))('systemd takes the units', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ponte-units-'));
  try {
    const units = printedBlocks('operating.md', 'ini')
      .join('\n')
      .split(/^# \/etc\/systemd\/system\/(?=\S+$)/m)
      .filter((text) => text.trim() !== '')
      .map((text) => {
        const [name = '', ...lines] = text.split('\n');
        const path = join(folder, name.trim());
        writeFileSync(path, lines.join('\n').replaceAll('/usr/bin/node', process.execPath));
        return path;
      });
    expect(units).toHaveLength(3);
    const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...units], { encoding: 'utf8' });
    // The machine's own units may have faults of their own.
    const faults = `${stdout}${stderr}`.split('\n').filter((text) => text.includes('ponte'));
    expect(faults).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
