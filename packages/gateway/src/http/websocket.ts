import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';

interface Upgrade {
  socket: Duplex;
  head: Buffer;
  response: ServerResponse;
}

/** Readers have nothing to say but pongs. */
const MAX_MESSAGE_BYTES = 4_096;

const upgrades = new WeakMap<IncomingMessage, Upgrade>();
const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });

/**
 * Lets requests that ask for a WebSocket pass through the server's own rows, with their keys,
 * budgets, checks and errors. A row that takes none answers as if nothing had been asked; the
 * connection ends with the answer. Offers of other protocols are ignored, as a server may (RFC
 * 9110, section 7.8).
 */
export function registerUpgrades(app: FastifyInstance): void {
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (!isForSocket(request)) return serveWithout(app, request, socket, head);
    const response = new ServerResponse(request);
    // Node gives the socket of an upgrade as a Duplex; on a TCP or TLS server it is a Socket.
    response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0]);
    response.shouldKeepAlive = false;
    response.once('finish', () => socket.end());
    upgrades.set(request, { socket, head, response });
    app.routing(request, response);
  });
}

const isForSocket = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';

const OFFER = new Set(['connection', 'upgrade', 'http2-settings']);

/**
 * Node hands over every request that offers another protocol with its body unread, once there is a
 * listener for upgrades; Java's HttpClient offers h2c with each of its requests. Such a request is
 * given to the server again, without its offer.
 */
function serveWithout(app: FastifyInstance, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (!OFFER.has(name.toLowerCase())) text += `${name}: ${rawHeaders[at + 1]}\r\n`;
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
  app.server.emit('connection', socket);
}

/** True for a request that asks for a WebSocket. */
export const wantsSocket = (request: FastifyRequest): boolean => upgrades.has(request.raw);

/**
 * Takes the request over; its answer is the WebSocket. A handshake that is none is refused by the
 * library (RFC 6455, section 4.2).
 */
export function acceptSocket(request: FastifyRequest, reply: FastifyReply, use: (socket: WebSocket) => void): void {
  const upgrade = upgrades.get(request.raw);
  if (!upgrade) throw new Error('this request asks for no WebSocket');
  reply.hijack();
  upgrade.response.detachSocket(upgrade.socket as Parameters<ServerResponse['detachSocket']>[0]);
  server.handleUpgrade(request.raw, upgrade.socket, upgrade.head, use);
}
