import type { WebSocket } from 'ws';
import type { Batch, EventStream } from '../commands/events/event-streams.ts';
import type { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { HEARTBEAT_MS, STUCK_MS } from './event-source.ts';

/** RFC 6455, section 7.4.1; from 4000 on our own. */
const GOING_AWAY = 1001;
const UNAUTHORIZED = 4401;
const CURSOR_EXPIRED = 4410;
const FAULT = 1011;
const FAREWELL_MS = 500;

const codeOf = (error: AppError): number => {
  if (error.code === 'unavailable') return GOING_AWAY;
  return error.code === 'cursor_expired' ? CURSOR_EXPIRED : UNAUTHORIZED;
};

/**
 * Sends a stream of events over a WebSocket, as JSON texts: `{"type":"event","cursor","body"}` with
 * the body of the Lines webhooks, `{"type":"heartbeat","cursor"}`, and last `{"type":"end",…}` with
 * the reason. The next batch is read when the one before has left: a slow reader costs one batch.
 * One that takes nothing, or answers no ping, is cut off and comes back with its cursor. What a
 * reader says is ignored.
 */
export async function pumpSocket(
  socket: WebSocket,
  stream: EventStream,
  deps: { clock: Clock; endBody(error: AppError): Record<string, unknown> },
): Promise<void> {
  const { clock } = deps;
  let isAnswering = true;
  socket.on('pong', () => {
    isAnswering = true;
  });
  socket.on('error', () => {}); // 'close' follows.
  socket.once('close', () => stream.close());
  const cut = () => {
    stream.cut('slow');
    socket.terminate();
  };
  try {
    for (;;) {
      const batch = await stream.next(HEARTBEAT_MS);
      if (socket.readyState !== socket.OPEN) return;
      if ('ended' in batch) return finish(batch.ended);
      if (batch.events.length === 0 && !batch.hasMore) {
        if (!isAnswering) return cut();
        isAnswering = false;
        socket.ping();
      }
      if (!(await sent(socket, textsOf(batch), clock))) return cut();
    }
  } catch {
    socket.close(FAULT);
  } finally {
    stream.close();
    // A reader that does not close its side is not waited for.
    clock.after(FAREWELL_MS, () => socket.terminate());
  }

  function finish(error: AppError): void {
    socket.send(JSON.stringify({ type: 'end', ...deps.endBody(error) }));
    socket.close(codeOf(error), error.code);
  }
}

function textsOf({ events, cursor }: Batch): string[] {
  if (events.length === 0) return [`{"type":"heartbeat","cursor":"${cursor}"}`];
  return events.map((event) => `{"type":"event","cursor":"${event.cursor}","body":${event.body}}`);
}

/**
 * True once the texts are in the hands of the operating system; false when they are not within
 * `STUCK_MS`, or the socket is gone.
 */
function sent(socket: WebSocket, texts: string[], clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(STUCK_MS, () => resolve(false));
    const done = (isSent: boolean) => {
      cancel();
      resolve(isSent);
    };
    texts.forEach((text, index) => {
      if (index === texts.length - 1) socket.send(text, (error) => done(!error));
      else socket.send(text, () => {});
    });
  });
}
