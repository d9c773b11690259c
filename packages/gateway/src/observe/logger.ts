import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { pino } from 'pino';
import { prettyLine } from './pretty-lines.ts';

/**
 * Structured log lines. Messages are fixed lower-case sentences; values go into fields; never a
 * key, secret, QR or message text.
 */
export interface Log {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
  child(bindings: Record<string, unknown>): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Fields whose values never reach the log, wherever they stand. */
const SECRETS = ['authorization', 'key', 'secret', 'password', 'qr', 'pairingCode', 'body', 'text', 'masterKey'];

/**
 * The process's logger on stderr, so that what a command prints on stdout stays clean: for people
 * on a terminal, JSON lines everywhere else.
 */
export function createLogger(options: { level: LogLevel; process: string }): Log {
  return pino(
    {
      level: options.level,
      base: { process: options.process, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: [...SECRETS, ...SECRETS.map((name) => `*.${name}`)], censor: '[hidden]' },
      serializers: { error: writtenError, err: writtenError },
    },
    isatty(2) ? { write: (line) => writeSync(2, prettyLine(line)) } : pino.destination({ dest: 2, sync: true }),
  );
}

/**
 * An error's words, code and causes. Without the connection that the client of PostgreSQL hangs on
 * its errors: pages of its inside, with every statement it ever prepared.
 */
export function writtenError(error: Error): unknown {
  const written: unknown = pino.stdSerializers.err(error);
  if (typeof written === 'object' && written !== null && 'client' in written) written.client = undefined;
  return written;
}

/** A log that goes nowhere, for tests and tools. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};

/** A phone number or JID for the log: the country part and the last two digits. */
export function shortAddress(address: string | null | undefined): string {
  if (!address) return '';
  const digits = address.split('@')[0] ?? '';
  return digits.length <= 6 ? '…' : `${digits.slice(0, 3)}…${digits.slice(-2)}`;
}
