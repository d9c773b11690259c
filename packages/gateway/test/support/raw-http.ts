import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** Asks with exactly these bytes: no client mends the address or the headers on their way. */
export type RawAsk = (head: string, body?: string, options?: { keepAlive?: boolean }) => Promise<RawAnswer>;

/** Opens a server on a port of its own, and answers how to ask it. */
export async function listenRaw(app: FastifyInstance): Promise<{ ask: RawAsk; host: string }> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const ask: RawAsk = (head, body = '', { keepAlive = false } = {}) =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      const pieces: Buffer[] = [];
      socket.on('data', (piece) => pieces.push(piece));
      socket.once('error', reject);
      socket.once('close', () => resolve(parse(Buffer.concat(pieces).toString('utf8'))));
      socket.write(
        `${head.trim().replace(/\r?\n/g, '\r\n')}\r\n${keepAlive ? '' : 'Connection: close\r\n'}\r\n${body}`,
      );
    });
  return { ask, host: `127.0.0.1:${port}` };
}

function parse(answer: string): RawAnswer {
  const end = answer.indexOf('\r\n\r\n');
  const [first = '', ...lines] = answer.slice(0, end).split('\r\n');
  const headers = lines.map((line) => {
    const at = line.indexOf(':');
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
  });
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(headers) as Record<string, string>,
    text: answer.slice(end + 4),
  };
}
