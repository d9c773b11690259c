import { createMemory } from './memory.ts';
import { openSource, type StreamMessage } from './source.ts';

/**
 * Runs once per browser as a shared worker: one connection to the server for every page. A page
 * says `bye` when it goes; without pages there is no connection.
 */
interface Scope {
  addEventListener(name: 'connect', listener: (event: MessageEvent) => void): void;
}

const ports = new Set<MessagePort>();
let memory = createMemory();
let close: (() => void) | undefined;

function tellAll(message: StreamMessage): void {
  memory.note(message);
  for (const port of ports) port.postMessage(message);
}

(globalThis as unknown as Scope).addEventListener('connect', ({ ports: [port] }) => {
  if (!port) return;
  port.addEventListener('message', () => {
    ports.delete(port);
    port.close();
    if (ports.size > 0) return;
    close?.();
    close = undefined;
    memory = createMemory();
  });
  port.start();
  ports.add(port);
  memory.replay((message) => port.postMessage(message));
  close ??= openSource(tellAll);
});
