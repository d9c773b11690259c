import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A step of a trace, as an OTLP receiver gets it. */
export interface ReceivedSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  /** OTLP's number: 1 internal, 2 server, 3 client, 5 consumer. */
  kind: number;
  attributes: Record<string, unknown>;
  /** Of the process. */
  resource: Record<string, unknown>;
  startMs: number;
  endMs: number;
  isError: boolean;
}

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

interface Export {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: {
      spans: {
        name: string;
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        kind: number;
        attributes?: Attribute[];
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        status?: { code?: number };
      }[];
    }[];
  }[];
}

const record = (attributes: readonly Attribute[] = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

const ms = (nanoseconds: string): number => Number(BigInt(nanoseconds) / 1_000_000n);

/** Takes traces as collectors do: OTLP over HTTP, as JSON. */
export interface OtlpReceiver {
  url: string;
  spans: ReceivedSpan[];
  /** Everything that came, as text. */
  raw: string[];
  headers: Record<string, unknown>[];
  close(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const raw: string[] = [];
  const headers: Record<string, unknown>[] = [];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const text = Buffer.concat(pieces).toString('utf8');
    raw.push(text);
    headers.push({ ...request.headers, path: request.url });
    for (const { resource, scopeSpans } of (JSON.parse(text) as Export).resourceSpans) {
      for (const one of scopeSpans.flatMap((scope) => scope.spans)) {
        spans.push({
          name: one.name,
          traceId: one.traceId,
          spanId: one.spanId,
          parentSpanId: one.parentSpanId || undefined,
          kind: one.kind,
          attributes: record(one.attributes),
          resource: record(resource.attributes),
          startMs: ms(one.startTimeUnixNano),
          endMs: ms(one.endTimeUnixNano),
          isError: one.status?.code === 2,
        });
      }
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    raw,
    headers,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
