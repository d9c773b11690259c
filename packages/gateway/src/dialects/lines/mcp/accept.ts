/** The two types of Streamable HTTP; the protocol's library insists that a client names both. */
const BOTH = 'application/json, text/event-stream';
const JSON_TYPE = /^(?:\*\/\*|application\/\*|application\/json)$/;

type Serve = (request: Request) => Promise<Response>;

/** JSON-RPC requests whose answer is a stream that does not end. */
const isListening = (body: unknown): boolean =>
  typeof body === 'object' &&
  body !== null &&
  String((body as { method?: unknown }).method).startsWith('subscriptions/');

/**
 * Serves clients that take JSON and name no event stream (curl, low-code tools) as well: they get
 * the answer itself, once it is whole, instead of a stream that holds it. All other requests pass
 * unchanged.
 */
export async function serveJsonToo(request: Request, body: unknown, serve: Serve): Promise<Response> {
  const ranges = (request.headers.get('accept') ?? '*/*')
    .split(',')
    .map((range) => range.split(';', 1)[0]?.trim() ?? '');
  const isStreamed = ranges.includes('text/event-stream');
  if (isStreamed || isListening(body) || !ranges.some((range) => JSON_TYPE.test(range))) return serve(request);
  const headers = new Headers(request.headers);
  headers.set('accept', BOTH);
  const response = await serve(new Request(request, { headers }));
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
  const answers = answersIn(await response.text());
  const json = JSON.stringify(Array.isArray(body) ? answers : answers.at(-1));
  const kept = new Headers(response.headers);
  kept.set('content-type', 'application/json');
  kept.delete('cache-control');
  return new Response(json, { status: response.status, headers: kept });
}

/**
 * The messages of a finished event stream that answer something; notices on the way are left out.
 */
function answersIn(stream: string): unknown[] {
  const messages = stream.split(/\r?\n\r?\n/).flatMap((event) => {
    const data = event
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice('data:'.length).trimStart())
      .join('\n');
    return data === '' ? [] : [JSON.parse(data) as Record<string, unknown>];
  });
  return messages.filter((message) => 'result' in message || 'error' in message);
}
