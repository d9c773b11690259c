import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ServedFile {
  bytes: Uint8Array;
  type: string;
}

/** A web server with files, and with ways to misbehave. */
export class FileServer {
  readonly #server: Server;
  readonly files = new Map<string, ServedFile>();
  /** Paths that do something else. */
  readonly acts = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();
  readonly requests: string[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<FileServer> {
    const server = createServer((request, response) => files.#answer(request, response));
    const files = new FileServer(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return files;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Serves bytes; answers their address. */
  serve(path: string, bytes: Uint8Array, type: string): string {
    this.files.set(path, { bytes, type });
    return this.url(path);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/';
    this.requests.push(path);
    const act = this.acts.get(path);
    if (act) {
      act(request, response);
      return;
    }
    const file = this.files.get(path);
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': file.type, 'content-length': String(file.bytes.length) }).end(file.bytes);
  }
}
