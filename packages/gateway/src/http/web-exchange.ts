import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { FastifyRequest } from 'fastify';
import type { Answer } from './route.ts';

/**
 * Serves one request in web terms. The body was read before: it comes parsed, beside the request.
 */
export type WebServe = (request: Request, parsedBody: unknown) => Promise<Response>;

/**
 * Passes a request to a handler that speaks `Request` and `Response`, and its answer back, streamed
 * when it streams. The request's `signal` aborts when the client hangs up before the answer has
 * left.
 */
export async function exchange(request: FastifyRequest, serve: WebServe): Promise<Answer> {
  const gone = new AbortController();
  const { socket } = request.raw;
  const hangUp = () => gone.abort();
  socket.once('close', hangUp);
  const forget = () => socket.off('close', hangUp);
  try {
    const response = await serve(webRequest(request, gone.signal), request.body);
    const answer = await toAnswer(response);
    if (answer.stream) answer.stream.data.once('close', forget);
    else forget();
    return answer;
  } catch (error) {
    forget();
    throw error;
  }
}

function webRequest(request: FastifyRequest, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    // The body travels parsed; these would describe bytes that are not there.
    if (value === undefined || name === 'content-length' || name === 'transfer-encoding') continue;
    for (const one of Array.isArray(value) ? value : [value]) headers.append(name, one);
  }
  return new Request(new URL(request.url, `http://${request.headers.host ?? 'localhost'}`), {
    method: request.method,
    headers,
    signal,
  });
}

async function toAnswer(response: Response): Promise<Answer> {
  // Whether the connection stays is between this server and its client.
  const { 'content-type': contentType, connection: _, ...headers } = Object.fromEntries(response.headers);
  const { status } = response;
  if (response.body === null || contentType === undefined) return { status, headers };
  if (!contentType.startsWith('text/event-stream')) {
    return { status, headers, bytes: { contentType, data: await response.text() } };
  }
  // Two declarations of one class: the platform's and Node's.
  const data = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
  data.on('error', () => {}); // The reader hung up: 'close' follows.
  return { status, headers: { 'x-accel-buffering': 'no', ...headers }, stream: { contentType, data } };
}
