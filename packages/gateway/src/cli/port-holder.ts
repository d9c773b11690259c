import { once } from 'node:events';
import { createServer } from 'node:net';

const ANSWER_WITHIN_MS = 2_000;

/** Rejects as `listen` does when the port cannot be bound: before anything else is begun. */
export async function provePort(host: string, port: number): Promise<void> {
  const server = createServer();
  server.listen(port, host);
  // `once` rejects with the error that comes instead.
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

/** Whether it is a Ponte that listens there. */
export async function isPonteAt(host: string, port: number): Promise<boolean> {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  try {
    const answer = await fetch(`http://${name}:${port}/healthz`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return (await answer.text()) === '{"ok":true}';
  } catch {
    return false;
  }
}
