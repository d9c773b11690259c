import type { EngineLog, StanzaWatch } from '@ponte/engine';
import { proto, type SocketConfig } from './baileys.ts';
import { readSaid } from './outbound/read-said.ts';

type Logger = SocketConfig['logger'];

/** Who hears what Baileys says beside the log. */
export interface LibraryEars {
  watch?: StanzaWatch | undefined;
  /** What this client is about to say of itself; may be changed. */
  onPayload?: ((payload: proto.IClientPayload) => void) | undefined;
}

/**
 * What Baileys says, made fit for our debug log (what matters of it is reported by our own code):
 * warnings and errors only, the objects it adds (stanzas, keys, texts) left out except an error's
 * message, and every run of digits that could be a number blanked.
 *
 * It is also the only way to what Baileys sends by itself (receipts, acknowledgements): at the
 * level `trace` sendNode says every stanza, and `watch` hears it. And it is the only way to what
 * Baileys says of this client: socket.js tells the payload right before it encodes it. Nothing of
 * that is logged.
 */
export function libraryLog(log: EngineLog, session: string, { watch, onPayload }: LibraryEars = {}): Logger {
  const pass = (fields: unknown, message?: string) => {
    const text = typeof fields === 'string' ? fields : (message ?? '');
    log.debug({ session, said: blankNumbers(text), error: errorText(fields) }, 'the engine library reports');
  };
  const quiet = () => {};
  const trace = (fields: unknown) => {
    if (!watch?.see || typeof fields !== 'object' || fields === null) return;
    if (Reflect.get(fields, 'msg') !== 'xml send') return;
    watch.see('out', readSaid(String(Reflect.get(fields, 'xml'))));
  };
  const info = (fields: unknown) => {
    if (!onPayload || typeof fields !== 'object' || fields === null) return;
    const node: unknown = Reflect.get(fields, 'node');
    if (node instanceof proto.ClientPayload) onPayload(node);
  };
  const logger: Logger = {
    get level() {
      return watch?.see ? 'trace' : 'warn';
    },
    child: () => logger,
    trace,
    debug: quiet,
    info,
    warn: pass,
    error: pass,
  };
  return logger;
}

/** An error's name and message, without digits that could be a phone number. */
export function describeError(error: unknown): string {
  return blankNumbers(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}

function errorText(fields: unknown): string | undefined {
  if (typeof fields !== 'object' || fields === null) return undefined;
  for (const name of ['err', 'error', 'e', 'uploadError', 'ackErr']) {
    const value: unknown = Reflect.get(fields, name);
    if (value instanceof Error || typeof value === 'string') return describeError(value);
  }
  const trace: unknown = Reflect.get(fields, 'trace');
  return typeof trace === 'string' ? blankNumbers(trace.split('\n')[0] ?? '') : undefined;
}

const blankNumbers = (text: string): string => text.replace(/\d{5,}/g, '…');
