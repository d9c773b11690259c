/*
 * W3C Trace Context (https://www.w3.org/TR/trace-context/): the header `traceparent`, by which one
 * program's steps go on in another's trace.
 */

const FORM = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const MAX_LENGTH = 256;

export interface TraceContext {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  /** Bit 0: the trace is collected. */
  flags: number;
}

/**
 * What a `traceparent` says; undefined for text that is none. Of later versions the four fields
 * that they share with this one, as the specification wants it.
 */
export function readTraceparent(text: unknown): TraceContext | undefined {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return undefined;
  const [match, traceId, spanId, flags, more] = FORM.exec(text) ?? [];
  if (match === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (more !== undefined && text.startsWith('00-')) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

export const writeTraceparent = ({ traceId, spanId, flags }: TraceContext): string =>
  `00-${traceId}-${spanId}-${(flags & 1).toString(16).padStart(2, '0')}`;

/** The id of the trace that a `traceparent` belongs to; undefined for text that is none. */
export const traceIdOf = (traceparent: unknown): string | undefined => readTraceparent(traceparent)?.traceId;
