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
 * Lets requests that ask for a WebSocket pass through the server's own rows, with their keys, budgets, checks and errors. A row that takes none answers
 * as if nothing had been asked; the connection ends with the answer.
 */
export function registerUpgrades(app: FastifyInstance): void {
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const response = new ServerResponse(request);
    // Node gives the socket of an upgrade as a Duplex; on a TCP or TLS server it is a Socket.
    response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0]);
    response.shouldKeepAlive = false;
    response.once('finish', () => socket.end());
    upgrades.set(request, { socket, head, response });
    app.routing(request, response);
  });
}

/** True for a request that asks for a WebSocket. */
export const wantsSocket = (request: FastifyRequest): boolean =>
  upgrades.has(request.raw) && request.headers.upgrade?.toLowerCase() === 'websocket';

/** Takes the request over; its answer is the WebSocket. A handshake that is none is refused by the library (RFC 6455, section 4.2). */
export function acceptSocket(request: FastifyRequest, reply: FastifyReply, use: (socket: WebSocket) => void): void {
  const upgrade = upgrades.get(request.raw);
  if (!upgrade) throw new Error('this request asks for no WebSocket');
  reply.hijack();
  upgrade.response.detachSocket(upgrade.socket as Parameters<ServerResponse['detachSocket']>[0]);
  server.handleUpgrade(request.raw, upgrade.socket, upgrade.head, use);
}
