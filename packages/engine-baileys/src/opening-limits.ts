import type { Ending } from './close-reason.ts';

/** For the socket and the handshake on it. */
const CONNECT_MS = 20_000;
/** For WhatsApp to let a paired line in, or to offer codes to an unpaired one. */
const LOGIN_MS = 60_000;

/** The time a connection has to open. Real timers: what it limits is a real socket. */
export class OpeningLimits {
  readonly #connect: NodeJS.Timeout;
  readonly #login: NodeJS.Timeout;

  /** `end` is called when a step is late: `cut` when nothing may leave any more. */
  constructor(end: (ending: Ending, how: 'close' | 'cut') => void) {
    const late = (detail: string, how: 'close' | 'cut') => () => end({ reason: 'connection_lost', detail }, how);
    const connect = late(`there was no connection within ${CONNECT_MS / 1000} s`, 'cut');
    const login = late(`WhatsApp did not let the line in within ${LOGIN_MS / 1000} s`, 'close');
    this.#connect = setTimeout(connect, CONNECT_MS);
    this.#login = setTimeout(login, LOGIN_MS);
  }

  /** The handshake is over. */
  connected(): void {
    clearTimeout(this.#connect);
  }

  /** WhatsApp let the line in, or offers codes. */
  letIn(): void {
    clearTimeout(this.#login);
  }

  stop(): void {
    this.connected();
    this.letIn();
  }
}
