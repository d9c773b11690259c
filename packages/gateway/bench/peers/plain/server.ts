import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { makeCacheableSignalKeyStore, makeWASocket, useMultiFileAuthState, WA_CERT_DETAILS } from 'baileys';
import { PLAIN_SETTINGS, type PlainSettings } from '../../../src/bench/peer-settings.ts';

/*
 * What a small team writes around Baileys, for `npm run bench` to compare with: stock Baileys,
 * credentials in files as its own example keeps them, an HTTP server of a few routes, an answer as
 * soon as the message was handed to the socket, and webhooks from a list in memory, tried three
 * times. Nothing survives a crash but the session files. Not a product, and never to be one.
 */

type Sock = ReturnType<typeof makeWASocket>;
type Logger = NonNullable<Parameters<typeof makeWASocket>[0]['logger']>;

const RECONNECT_AFTER_MS = 1_000;
const WEBHOOK_TRIES = 3;
const WEBHOOKS_AT_ONCE = 16;

const settings = JSON.parse(process.env[PLAIN_SETTINGS] ?? '{}') as PlainSettings;
WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(settings.noiseRootHex, 'hex');
// libsignal prints whole sessions through these.
console.info = () => undefined;
console.warn = () => undefined;

const silent: Logger = {
  level: 'silent',
  child: () => silent,
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
};

interface Line {
  sock: Sock;
  qr: string | undefined;
  isConnected: boolean;
}

const lines = new Map<string, Line>();
const webhooks: { body: string; tries: number }[] = [];
let posting = 0;

function postWebhooks(): void {
  while (posting < WEBHOOKS_AT_ONCE && webhooks.length > 0) {
    const next = webhooks.shift();
    if (!next) return;
    posting += 1;
    fetch(settings.webhookUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body: next.body })
      .then(async (response) => {
        await response.arrayBuffer();
        if (!response.ok) throw new Error(`HTTP ${response.status}`);
      })
      .catch(() => {
        if (next.tries + 1 < WEBHOOK_TRIES) webhooks.push({ ...next, tries: next.tries + 1 });
      })
      .finally(() => {
        posting -= 1;
        postWebhooks();
      });
  }
}

async function open(id: string): Promise<void> {
  const folder = join(settings.folder, id);
  mkdirSync(folder, { recursive: true });
  const { state, saveCreds } = await useMultiFileAuthState(folder);
  const sock = makeWASocket({
    auth: { creds: state.creds, keys: makeCacheableSignalKeyStore(state.keys, silent) },
    waWebSocketUrl: `${settings.wsUrl}?line=${encodeURIComponent(id)}`,
    logger: silent,
    markOnlineOnConnect: false,
    syncFullHistory: false,
    shouldSyncHistoryMessage: () => false,
  });
  const line: Line = { sock, qr: undefined, isConnected: false };
  lines.set(id, line);
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', ({ connection, qr }) => {
    if (qr !== undefined) line.qr = qr;
    if (connection === 'open') line.isConnected = true;
    if (connection !== 'close') return;
    line.isConnected = false;
    setTimeout(() => void open(id), line.qr === undefined ? RECONNECT_AFTER_MS : 0);
  });
  sock.ev.on('messages.upsert', ({ messages }) => {
    for (const { key, message, messageTimestamp, pushName } of messages) {
      if (key.fromMe || message?.protocolMessage) continue;
      const text = message?.conversation ?? message?.extendedTextMessage?.text ?? '';
      const from = key.remoteJidAlt ?? key.remoteJid;
      const fact = { event: 'message', line: id, message_id: key.id, from, name: pushName, text };
      webhooks.push({ body: JSON.stringify({ ...fact, timestamp: Number(messageTimestamp) }), tries: 0 });
    }
    postWebhooks();
  });
}

async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
  if (request.headers.authorization !== `Bearer ${settings.key}`) return { status: 401, body: { error: 'no key' } };
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : {};
  const [, noun, id = ''] = (request.url ?? '').split('/');
  if (request.method === 'GET' && noun === 'lines') {
    const all = [...lines].map(([name, { qr, isConnected }]) => ({ id: name, qr, connected: isConnected }));
    return { status: 200, body: all };
  }
  if (request.method === 'POST' && noun === 'lines') {
    await open(id);
    return { status: 201, body: { id } };
  }
  if (request.method === 'POST' && noun === 'send') {
    const sock = lines.get(id)?.sock;
    if (!sock) return { status: 404, body: { error: 'no such line' } };
    const sent = await sock.sendMessage(`${body.to}@s.whatsapp.net`, { text: String(body.text) }, {});
    return { status: 200, body: { message_id: sent?.key.id, status: 'PENDING' } };
  }
  return { status: 404, body: { error: 'not found' } };
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  answer(request)
    .catch((error: unknown) => ({ status: 500, body: { error: String(error) } }))
    .then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
}

for (const id of settings.lines) await open(id);
const server = createServer(handle).listen(settings.port, '127.0.0.1', () => process.send?.({ ready: true }));
process.on('SIGTERM', () => {
  server.closeAllConnections();
  process.exit(0);
});
process.on('disconnect', () => process.exit(0));
