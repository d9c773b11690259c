import { type CloseReason, children, type Node } from '@ponte/engine';
import { describeError } from './library-log.ts';

/** How a connection ended, for `EngineChange`. */
export interface Ending {
  reason: CloseReason;
  serverCode?: number;
  detail: string;
  /** Milliseconds since 1970; WhatsApp asks not to come back earlier. */
  retryAt?: number;
}

/**
 * Codes of `<failure reason>` and `<stream:error code>` (whatsmeow types/events
 * ConnectFailureReason, Baileys DisconnectReason). 403 means the main device or account is locked,
 * 406 that it is banned; both end the line for good.
 */
const BY_CODE: Record<number, CloseReason> = {
  401: 'logged_out',
  402: 'temporarily_banned',
  403: 'banned',
  405: 'client_outdated',
  406: 'banned',
  408: 'connection_lost',
  409: 'client_outdated',
  411: 'pairing_failed',
  428: 'connection_lost',
  440: 'replaced',
  500: 'server_unavailable',
  501: 'server_unavailable',
  503: 'server_unavailable',
  515: 'restart_required',
};

/** Where in its life the connection was when it ended. */
export type Stage = 'connecting' | 'handshake' | 'established';

/**
 * Why Baileys ended the connection. Its errors are Boom objects: `output.statusCode` is the code,
 * `data` the stanza or attributes that said so. An error that is no Boom can only come from the
 * handshake: the server could not prove who it is.
 */
export function endingOf(error: unknown, stage: Stage, nowMs: number): Ending {
  const detail = error === undefined ? 'the connection ended' : describeError(error);
  const code = statusCodeOf(error);
  const data: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'data') : undefined;
  // The code that Baileys gives to an error of the socket itself says nothing.
  if (stage === 'connecting' || /WebSocket Error/.test(detail)) {
    const reason = /Unexpected server response: 5\d\d/.test(detail) ? 'server_unavailable' : 'connection_lost';
    return { reason, detail };
  }
  if (stage === 'handshake' && !isTransport(code)) return { reason: 'untrusted_server', detail };
  const conflict = conflictType(data);
  if (conflict === 'device_removed') return { reason: 'logged_out', serverCode: code ?? 401, detail };
  if (code === undefined) return { reason: 'connection_lost', detail };
  const reason = BY_CODE[code] ?? (code >= 500 && code !== 515 ? 'server_unavailable' : 'connection_lost');
  const ending: Ending = { reason, serverCode: code, detail };
  const waitSeconds = reason === 'temporarily_banned' ? expireSeconds(data) : undefined;
  return waitSeconds === undefined ? ending : { ...ending, retryAt: nowMs + waitSeconds * 1000 };
}

function statusCodeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const output: unknown = Reflect.get(error, 'output');
  if (typeof output !== 'object' || output === null) return undefined;
  const code: unknown = Reflect.get(output, 'statusCode');
  return typeof code === 'number' && Number.isFinite(code) ? code : undefined;
}

/** Codes Baileys gives to a socket that closed or timed out by itself. */
const isTransport = (code: number | undefined): boolean => code === 408 || code === 428;

function conflictType(data: unknown): string | undefined {
  if (!isNode(data)) return undefined;
  const conflict = data.tag === 'conflict' ? data : children(data).find(({ tag }) => tag === 'conflict');
  return conflict?.attrs.type;
}

function expireSeconds(data: unknown): number | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const seconds = Number(Reflect.get(data, 'expire'));
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

function isNode(data: unknown): data is Node {
  return typeof data === 'object' && data !== null && 'tag' in data && 'attrs' in data;
}
