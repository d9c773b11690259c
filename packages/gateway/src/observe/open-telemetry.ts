import { type Context, type Span as OtelSpan, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { systemClock } from '../core/clock.ts';
import { readTraceparent, writeTraceparent } from '../core/trace-context.ts';
import { within } from '../core/within.ts';
import type { Log } from './logger.ts';
import type { Span, SpanSettings, Spans } from './spans.ts';

/** Ended steps that wait to be sent; more are lost. */
const MAX_WAITING = 4_096;
const MAX_POST = 512;
const POST_EVERY_MS = 2_000;
/** Posts under way at once; the processor makes them one by one, but for the last ones. */
const MAX_POSTS = 4;
const CLOSE_WITHIN_MS = 3_000;
const MAX_ATTRIBUTE_LENGTH = 256;

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

/** Loaded by `open-spans.ts` alone, and only where traces are on. */
export function createSpans(
  settings: SpanSettings,
  { process: name, version, log }: { process: string; version: string; log: Log },
): Spans {
  const exporter = new OTLPTraceExporter({
    url: settings.url,
    headers: settings.headers,
    timeoutMillis: settings.timeoutMs,
    concurrencyLimit: MAX_POSTS,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': settings.serviceName,
      'service.version': version,
      'service.instance.id': `${name}-${process.pid}`,
      'process.pid': process.pid,
    }),
    sampler: samplerOf(settings),
    spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE_LENGTH },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: tellingOnce(exporter, log),
        maxQueueSize: MAX_WAITING,
        maxExportBatchSize: MAX_POST,
        scheduledDelayMillis: POST_EVERY_MS,
        exportTimeoutMillis: settings.timeoutMs + 1_000,
      }),
    ],
  });
  const tracer = provider.getTracer('ponte', version);
  return {
    begin(title, { kind, parent, startedAt, attributes }) {
      return toSpan(
        tracer.startSpan(title, { kind: KINDS[kind], startTime: startedAt, attributes }, belongingTo(parent)),
      );
    },
    close: async () => {
      await within(
        systemClock,
        provider.shutdown().catch(() => {}), // Said already, by the exporter.
        CLOSE_WITHIN_MS,
      );
    },
  };
}

function samplerOf({ ratio, followsParent }: SpanSettings): Sampler {
  const root = new TraceIdRatioBasedSampler(ratio);
  return followsParent ? new ParentBasedSampler({ root }) : root;
}

/** The context in which a step belongs to another process's. */
function belongingTo(parent: string | undefined): Context {
  const of = readTraceparent(parent);
  if (!of) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: of.traceId,
    spanId: of.spanId,
    traceFlags: of.flags & 1,
    isRemote: true,
  });
}

function toSpan(span: OtelSpan): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceId,
    traceparent: writeTraceparent({ traceId, spanId, flags: traceFlags }),
    set: (attributes) => void span.setAttributes(attributes),
    end(failure) {
      if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
      span.end();
    },
  };
}

/** A receiver that is away is told of once, and once when it is back. */
function tellingOnce(exporter: SpanExporter, log: Log): SpanExporter {
  let isAway = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined;
        if (failed && !isAway) {
          log.warn({ reason: result.error?.message }, 'traces cannot be delivered; they are dropped until they can');
        } else if (!failed && isAway) log.info({}, 'traces are delivered again');
        isAway = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
