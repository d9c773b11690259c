import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** One request as it came, complete with its exact bytes. */
export interface ReceivedRequest {
  /** Order of arrival, from 0. */
  index: number;
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** Monotonic milliseconds when its head was there. */
  at: number;
}

/** What the receiver does with a request. */
export type Behaviour =
  | { answer: number; headers?: Record<string, string>; body?: string | Uint8Array; afterMs?: number }
  /** Answers when the test says so. */
  | { answer: number; whenever: (answer: () => void) => void }
  /** Takes the request and never answers. */
  | { hang: 'before_headers' | 'in_body' }
  /** Cuts the connection with a TCP reset. */
  | { reset: true }
  /** Sends bytes for ever: as fast as they are taken, or one per `everyMs`. */
  | { endless: { everyMs?: number } };

export type Script = (request: ReceivedRequest) => Behaviour;

export interface ReceiverOptions {
  script?: Script;
  host?: string;
  port?: number;
  tls?: { key: string; cert: string };
  /** Does not keep the requests (the script still sees each); for load. */
  isForgetful?: boolean;
}

export interface Receiver {
  url: string;
  port: number;
  requests: ReceivedRequest[];
  /** TCP connections that are open now. */
  open(): number;
  /** TCP connections ever made to it. */
  connections: number;
  /** Requests being worked on now, and the most there ever were. */
  active: number;
  mostActive: number;
  use(script: Script): void;
  /** Resolves with the requests as soon as `enough` says so. */
  until(enough: number | ((requests: ReceivedRequest[]) => boolean)): Promise<ReceivedRequest[]>;
  close(): Promise<void>;
}

export const ok: Behaviour = { answer: 200, body: '{"ok":true}' };

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function endless(response: ServerResponse, everyMs: number | undefined): void {
  response.writeHead(200);
  if (everyMs !== undefined) {
    const timer = setInterval(() => response.write('x'), everyMs);
    response.on('close', () => clearInterval(timer));
    return;
  }
  const block = Buffer.alloc(64 * 1024, 'x');
  const pour = () => {
    while (!response.destroyed && response.write(block));
  };
  response.on('drain', pour);
  pour();
}

function act(behaviour: Behaviour, response: ServerResponse): void {
  if ('hang' in behaviour) {
    if (behaviour.hang === 'in_body') response.writeHead(200).write('{');
    return;
  }
  if ('reset' in behaviour) {
    response.socket?.resetAndDestroy();
    return;
  }
  if ('endless' in behaviour) {
    endless(response, behaviour.endless.everyMs);
    return;
  }
  if ('whenever' in behaviour) {
    behaviour.whenever(() => response.writeHead(behaviour.answer).end());
    return;
  }
  const send = () => response.writeHead(behaviour.answer, behaviour.headers ?? {}).end(behaviour.body ?? '');
  if (behaviour.afterMs === undefined) {
    send();
    return;
  }
  const timer = setTimeout(send, behaviour.afterMs);
  response.on('close', () => clearTimeout(timer));
}

/**
 * A webhook receiver on loopback that does what its script says and remembers everything it got.
 */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  let script: Script = options.script ?? (() => ok);
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  let index = 0;
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const at = performance.now();
    receiver.active += 1;
    receiver.mostActive = Math.max(receiver.mostActive, receiver.active);
    response.on('close', () => {
      receiver.active -= 1;
      for (const check of waiting) check();
    });
    read(request).then(
      (body) => {
        const { method = '', url = '', headers } = request;
        const received = { index, method, path: url, headers, body, at };
        index += 1;
        if (!options.isForgetful) receiver.requests.push(received);
        act(script(received), response);
        for (const check of waiting) check();
      },
      () => response.destroy(),
    );
  };
  const server: Server = options.tls ? createTlsServer(options.tls, onRequest) : createServer(onRequest);
  server.on('connection', (socket: Socket) => {
    receiver.connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    requests: [],
    open: () => sockets.size,
    connections: 0,
    active: 0,
    mostActive: 0,
    use: (next) => {
      script = next;
    },
    until(enough) {
      const is = () => (typeof enough === 'number' ? receiver.requests.length >= enough : enough(receiver.requests));
      return new Promise((resolve) => {
        const check = () => {
          if (!is()) return;
          waiting.delete(check);
          resolve(receiver.requests);
        };
        waiting.add(check);
        check();
      });
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return receiver;
}
