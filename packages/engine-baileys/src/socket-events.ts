import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Node } from '@ponte/engine';
import type { WASocket } from './baileys.ts';
import type { Ending } from './close-reason.ts';

/** What happens on a socket, from its opening to its end. */
export interface SocketListener {
  /** The socket is open; the handshake begins. */
  onOpen(): void;
  /** A stanza came in: the handshake is over. */
  onStanza(node: Node): void;
  /** The server answered the connection with an HTTP error. */
  onRefused(ending: Ending): void;
  onSuccess(node: Node): Promise<void>;
  onPairDevice(node: Node): unknown;
  onPairSuccess(node: Node): unknown;
  /** WhatsApp acknowledged a message. */
  onAck(node: Node): void;
  onCreds(): void;
  onClosed(error: unknown): void;
}

/**
 * Handled here alone: Baileys' own handlers keep an outdated secret, leave timers behind, or answer
 * before anything is durable.
 */
const TAKEN_OVER = ['CB:success', 'CB:iq,type:set,pair-device', 'CB:iq,,pair-success', 'CB:ib,,offline_preview'];

export function listenToSocket({ ws, ev }: Pick<WASocket, 'ws' | 'ev'>, listener: SocketListener): void {
  for (const name of TAKEN_OVER) ws.removeAllListeners(name);
  ws.on('open', () => listener.onOpen());
  ws.on('frame', (frame: unknown) => {
    // What is no bytes is a stanza (Baileys socket.js onMessageReceived).
    if (!(frame instanceof Uint8Array)) listener.onStanza(frame as Node);
  });
  ws.on('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
    const code = response.statusCode ?? 500;
    request.destroy();
    const reason = code >= 500 ? 'server_unavailable' : 'connection_lost';
    listener.onRefused({ reason, serverCode: code, detail: `the server answered the connection with HTTP ${code}` });
  });
  ws.on('CB:success', (node: Node) => listener.onSuccess(node));
  ws.on('CB:iq,type:set,pair-device', (node: Node) => listener.onPairDevice(node));
  ws.on('CB:iq,,pair-success', (node: Node) => listener.onPairSuccess(node));
  ws.on('CB:ack,class:message', (node: Node) => listener.onAck(node));
  ev.on('creds.update', () => listener.onCreds());
  ev.on('connection.update', ({ connection, lastDisconnect }) => {
    if (connection === 'close') listener.onClosed(lastDisconnect?.error);
  });
}
