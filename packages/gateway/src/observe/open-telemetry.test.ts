import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { readTraceparent, traceIdOf } from '../core/trace-context.ts';
import { type Log, silentLog } from './logger.ts';
import { openSpans } from './open-spans.ts';
import { createSpans } from './open-telemetry.ts';
import type { SpanSettings } from './spans.ts';

/** A port that nothing listens on. */
const NOWHERE: SpanSettings = {
  url: 'http://127.0.0.1:9/v1/traces',
  headers: {},
  timeoutMs: 300,
  serviceName: 'ponte',
  ratio: 1,
  followsParent: true,
};
const of = (log: Log) => ({ process: 'main', version: '1.2.3', log });
const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7';

test('neither the server nor a worker loads OpenTelemetry while traces are off', async () => {
  expect(await openSpans(undefined, of(silentLog))).toBeUndefined();
  const [app, worker] = ['../app.ts', '../worker-main.ts'].map((file) => new URL(file, import.meta.url).href);
  // Not the interface alone, which the metrics' library brings.
  const script = `
    import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ resolve: (name, context, next) => (/opentelemetry.(?!api)|open-telemetry/.test(name) && seen.push(name), next(name, context)) });
    await import('${app}');
    await import('${worker}');
    console.log(JSON.stringify(seen));
    process.exit(0);`;
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  expect(JSON.parse(said)).toEqual([]);
}, 60_000);

test('a step belongs to the one it is given, and the caller’s flag decides what is collected', async () => {
  const spans = createSpans(NOWHERE, of(silentLog));
  const child = spans.begin('child', { kind: 'internal', parent: `${PARENT}-01` });
  expect(traceIdOf(child.traceparent)).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
  expect(child.traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
  expect(readTraceparent(child.traceparent)?.flags).toBe(1);
  const quiet = spans.begin('child', { kind: 'internal', parent: `${PARENT}-00` });
  expect(readTraceparent(quiet.traceparent)?.flags).toBe(0);
  const root = spans.begin('root', { kind: 'server', parent: 'nonsense' });
  expect(root.traceId).not.toBe(child.traceId);
  await spans.close();
});

test('a receiver that is away is told of once, and what is too much is dropped', async () => {
  const warned: string[] = [];
  const spans = createSpans(NOWHERE, of({ ...silentLog, warn: (_fields, message) => void warned.push(message) }));
  for (let at = 0; at < 6_000; at += 1) spans.begin('step', { kind: 'internal' }).end();
  await spans.close();
  expect(warned).toEqual(['traces cannot be delivered; they are dropped until they can']);
});
