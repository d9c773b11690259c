/** What a step is: as OpenTelemetry has it. */
export type SpanKind = 'server' | 'client' | 'consumer' | 'internal';

/**
 * Ids, counts, codes and names of our own: never a text of a message, a name or a number of a
 * person.
 */
export type SpanAttributes = Record<string, string | number | boolean>;

export interface SpanStart {
  kind: SpanKind;
  /** `traceparent` of the step that this one belongs to; absent: a trace begins here. */
  parent?: string;
  /** Unix milliseconds; absent: now. */
  startedAt?: number;
  attributes?: SpanAttributes;
}

/** One step of a message's way. */
export interface Span {
  readonly traceId: string;
  /** By which other steps belong to this one, in other processes too. */
  readonly traceparent: string;
  set(attributes: SpanAttributes): void;
  /** Once; what comes after it is ignored. `failure`: a code of ours. */
  end(failure?: string): void;
}

/**
 * Collects traces. Nothing of it ever waits, throws or fails a caller: what cannot be kept or sent
 * is lost. Absent wherever traces are off: `spans?.begin(…)`.
 */
export interface Spans {
  begin(name: string, start: SpanStart): Span;
  /** Sends what is left, for as long as a shutdown can wait. */
  close(): Promise<void>;
}

/** Where traces go, as the operator set it. */
export interface SpanSettings {
  /** Of an OTLP receiver: traces are posted there, as JSON. */
  url: string;
  headers: Record<string, string>;
  /** For one post with its repetitions. */
  timeoutMs: number;
  serviceName: string;
  /** The part of the traces that begin here that is collected, from 0 to 1. */
  ratio: number;
  /** A caller's `traceparent` decides whether its trace is collected. */
  followsParent: boolean;
}
