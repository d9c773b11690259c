import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from './support/otlp-receiver.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

/* OpenTelemetry: one message's way through both processes, as a collector sees it. */

const ALICE = '15550002222';
const OWNER = '15550001111';
const CALLER = { trace: '4bf92f3577b34da6a3ce929d0e0e4736', span: '00f067aa0ba902b7' };
/** Spans are posted every two seconds. */
const POSTED_WITHIN_MS = 20_000;

describe('traces of a message', () => {
  let collector: OtlpReceiver;
  let rig: Rig;
  let line: LinkedLine;
  beforeAll(async () => {
    collector = await startOtlpReceiver();
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-team=bridge',
      OTEL_SERVICE_NAME: 'ponte-under-test',
    };
    rig = await Rig.start({ environment });
    await rig.sandbox.phone(ALICE, 'Alice Canary');
    line = await rig.linkLine('traced', OWNER);
    const webhook = { url: `${rig.receiver.url}/lines`, events: ['*'] };
    await rig.api.expect(200, 'POST', '/api/bridge/v1/webhooks', webhook);
  }, 60_000);
  afterAll(async () => {
    await rig?.close();
    await collector?.close();
  });

  const of = (traceId: string): ReceivedSpan[] => collector.spans.filter((span) => span.traceId === traceId);
  const named = (spans: ReceivedSpan[], name: string): ReceivedSpan => {
    const found = spans.find((span) => span.name === name);
    if (!found) throw new Error(`there is no ${name} among ${spans.map((span) => span.name).join(', ')}`);
    return found;
  };
  const traceIdOf = (headers: Record<string, string | string[] | undefined>) =>
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(String(headers.traceparent)) ?? [];

  test('a send: from the caller’s step over the request, the worker and the wire to the webhook', async () => {
    const from = rig.receiver.requests.length;
    const traceparent = `00-${CALLER.trace}-${CALLER.span}-01`;
    const body = { line_id: line.lineId, to: `+${ALICE}`, message: 'the canary text' };
    const { body: sent } = await rig.api.call<{ message_id: string }>('POST', '/api/bridge/v1/messages/send', body, {
      traceparent,
      'x-request-id': 'req_traced',
    });
    await until(
      'the whole trace',
      () => of(CALLER.trace).filter(({ name }) => name !== 'message receipt').length >= 5,
      POSTED_WITHIN_MS,
    );
    const spans = of(CALLER.trace);
    const request = named(spans, 'POST /api/bridge/v1/messages/send');
    const send = named(spans, 'message send');
    const prepare = named(spans, 'message prepare');
    const transmit = named(spans, 'message transmit');
    const deliver = named(spans, 'webhook deliver');
    expect(request).toMatchObject({
      parentSpanId: CALLER.span,
      kind: 2,
      resource: { 'service.name': 'ponte-under-test' },
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/api/bridge/v1/messages/send',
        'http.response.status_code': 200,
        'ponte.request.id': 'req_traced',
      },
    });
    expect(send).toMatchObject({
      parentSpanId: request.spanId,
      kind: 1,
      attributes: { 'ponte.message.id': sent?.message_id, 'ponte.send.outcome': 'sent' },
    });
    // Another process.
    expect(send.resource['process.pid']).not.toBe(request.resource['process.pid']);
    expect([prepare.parentSpanId, transmit.parentSpanId]).toEqual([send.spanId, send.spanId]);
    expect([transmit.kind, deliver.kind]).toEqual([3, 3]);
    expect(deliver).toMatchObject({
      parentSpanId: send.spanId,
      isError: false,
      attributes: { 'http.response.status_code': 200, 'ponte.delivery.attempt': 1 },
    });
    expect(request.startMs).toBeLessThanOrEqual(send.startMs);
    expect(transmit.endMs).toBeLessThanOrEqual(send.endMs + 1);
    // The receiver of the webhook goes on in the same trace, below the step that reached it.
    const told = rig.receiver.requests.slice(from).map(({ headers }) => traceIdOf(headers));
    expect(told.map(([, trace, span]) => [trace, span])).toContainEqual([CALLER.trace, deliver.spanId]);
    // What the message's timeline says.
    const message = `/api/bridge/v1/messages/${sent?.message_id}?line_id=${line.lineId}`;
    expect((await rig.api.call<{ trace_id: string }>('GET', message)).body?.trace_id).toBe(CALLER.trace);
  });

  test('its receipt belongs to the same trace', async () => {
    await until('the receipt', () => of(CALLER.trace).some(({ name }) => name === 'message receipt'), POSTED_WITHIN_MS);
    const send = named(of(CALLER.trace), 'message send');
    expect(named(of(CALLER.trace), 'message receipt').parentSpanId).toBe(send.spanId);
  });

  test('what comes in: from the network to the webhook, with a text and people that no trace has', async () => {
    const from = rig.receiver.requests.length;
    await rig.sandbox.say(ALICE, OWNER, 'an inbound canary');
    await rig.receiver.until((requests) => requests.length > from);
    const [, trace = '', span] = traceIdOf(rig.receiver.requests[from]?.headers ?? {});
    const steps = ['message receive', 'webhook deliver'];
    const all = () => steps.every((name) => of(trace).some((one) => one.name === name));
    await until('both steps', all, POSTED_WITHIN_MS);
    const receive = named(of(trace), 'message receive');
    const deliver = of(trace).find(({ spanId }) => spanId === span);
    expect(receive).toMatchObject({ parentSpanId: undefined, kind: 5, attributes: { 'ponte.line.id': line.lineId } });
    expect(deliver).toMatchObject({ name: 'webhook deliver', parentSpanId: receive.spanId });
    const everything = collector.raw.join('\n');
    for (const secret of ['canary', 'Canary', ALICE, OWNER, rig.testKey, '127.0.0.1']) {
      expect(everything, secret).not.toContain(secret);
    }
    expect(collector.headers[0]).toMatchObject({ path: '/v1/traces', 'x-team': 'bridge' });
  });

  test('a collector that is away harms no send', async () => {
    await collector.close();
    const body = { line_id: line.lineId, to: `+${ALICE}`, message: 'into the dark' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => rig.api.call('POST', '/api/bridge/v1/messages/send', body)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });
});
