import type { Log } from './logger.ts';
import type { SpanSettings, Spans } from './spans.ts';

/**
 * Begins to collect traces where the operator wants them; undefined otherwise, and nothing of
 * OpenTelemetry is loaded then.
 */
export async function openSpans(
  settings: SpanSettings | undefined,
  of: { process: string; version: string; log: Log },
): Promise<Spans | undefined> {
  if (!settings) return undefined;
  const { createSpans } = await import('./open-telemetry.ts');
  return createSpans(settings, of);
}
