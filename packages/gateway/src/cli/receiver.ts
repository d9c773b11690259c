import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';

const MAX_BODY_BYTES = 1024 * 1024;

export interface ReceiverOptions {
  port: number;
  /** Checks `X-WAzion-Bridge-Signature` when given. */
  secret?: string;
  print(line: string): void;
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** What to say of the signature: checked only against a secret that was given. */
export function signatureVerdict(body: Buffer, header: string | undefined, secret: string | undefined): string {
  if (header === undefined) return 'unsigned (Bridges format)';
  if (secret === undefined) return 'signed; start with --secret to check it';
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  const given = Buffer.from(header);
  return given.length === expected.length && timingSafeEqual(given, expected) ? 'signature valid' : 'SIGNATURE INVALID';
}

/**
 * A webhook receiver for trying things out: answers 200 and prints what came. Loopback only; keeps
 * nothing.
 */
export function startReceiver(options: ReceiverOptions): Promise<Server> {
  const server = createServer((request, response) => {
    void readBody(request)
      .then((body) => {
        if (body === undefined) {
          response.writeHead(413).end();
          return;
        }
        const header = request.headers['x-wazion-bridge-signature'];
        const verdict = signatureVerdict(body, typeof header === 'string' ? header : undefined, options.secret);
        options.print(
          `${request.method} ${request.url} delivery ${request.headers['x-delivery-id'] ?? '-'} · ${verdict}`,
        );
        options.print(`  ${body.toString('utf8')}`);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
      })
      .catch(() => response.destroy());
  });
  server.requestTimeout = 15_000;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', () => resolve(server));
  });
}
