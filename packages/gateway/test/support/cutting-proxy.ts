import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';

/** Stands before a server and takes its connections away, as a restart or a broken network does. */
export interface CuttingProxy {
  port: number;
  /** Ends every connection; new ones are refused until `open`. */
  close(): void;
  open(): void;
  /** Like `close`, but the server's ends stay: it does not know that its callers are gone. */
  cutUnseen(): void;
  stop(): Promise<void>;
}

export async function startCuttingProxy(target: { host: string; port: number }): Promise<CuttingProxy> {
  const near = new Set<Socket>();
  const far = new Set<Socket>();
  let isOpen = true;
  const server = createServer((socket) => {
    if (!isOpen) {
      socket.destroy();
      return;
    }
    const upstream = createConnection(target);
    near.add(socket);
    far.add(upstream);
    let isUnseen = false;
    socket.once('cut unseen', () => {
      isUnseen = true;
    });
    socket.on('error', () => {});
    upstream.on('error', () => {});
    socket.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk) => socket.write(chunk));
    socket.on('close', () => {
      near.delete(socket);
      if (!isUnseen) upstream.destroy();
    });
    upstream.on('close', () => {
      far.delete(upstream);
      socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: CuttingProxy = {
    port: (server.address() as AddressInfo).port,
    close() {
      isOpen = false;
      for (const socket of [...near, ...far]) socket.destroy();
    },
    open() {
      isOpen = true;
    },
    cutUnseen() {
      for (const socket of near) {
        socket.emit('cut unseen');
        socket.destroy();
      }
    },
    async stop() {
      proxy.close();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}

/** The address of the test server as reached through the proxy. */
export function throughProxy(url: string, proxy: CuttingProxy): string {
  const changed = new URL(url);
  changed.hostname = '127.0.0.1';
  changed.port = String(proxy.port);
  return changed.toString();
}

/** Where PostgreSQL of the test suite listens. */
export const databaseServer = (url: string): { host: string; port: number } => {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port || 5432) };
};
