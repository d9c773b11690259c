import { LRUCache } from 'lru-cache';
import type { SendOutcome } from '../core/line-commands.ts';
import type { Fact } from '../journal/from-engine.ts';
import type { Span, SpanKind, Spans } from '../observe/spans.ts';
import type { OutboxEntry } from '../store/sends/outbox.ts';

/** Sent messages whose receipts belong to their trace; of older ones they begin their own. */
const MAX_SENT = 10_000;

/** What is no message, and nothing about one. */
const UNTRACED = new Set<Fact['type']>(['typing', 'line.status', 'line.problem', 'webhook.disabled']);

/** The traces of this process's messages, in and out. Absent where traces are off. */
export class MessageTraces {
  readonly #spans: Spans;
  readonly #sent = new LRUCache<string, string>({ max: MAX_SENT });

  constructor(spans: Spans) {
    this.#spans = spans;
  }

  /** A send is taken up; it goes on in the trace of the request that accepted it, if known. */
  send({ id, lineId, messageId, content, traceparent }: OutboxEntry): SendTrace {
    const attributes = {
      'ponte.line.id': lineId,
      'ponte.outbox.id': id,
      'ponte.message.id': messageId,
      'ponte.message.kind': content.kind,
    };
    const span = this.#spans.begin('message send', { kind: 'internal', parent: traceparent, attributes });
    this.#sent.set(`${lineId} ${messageId}`, span.traceparent);
    return new SendTrace(span, this.#spans);
  }

  /**
   * Facts are being journaled: each begins a step, which its deliveries belong to. `since`: when
   * the first of them came (Unix milliseconds). To be ended after the commit.
   */
  received(lineId: string, facts: readonly Fact[], since: number | undefined): Span[] {
    return facts.flatMap((fact) => {
      if (UNTRACED.has(fact.type)) return [];
      const messageId = 'messageId' in fact.payload ? fact.payload.messageId : undefined;
      const isStatus = fact.type === 'message.status';
      const span = this.#spans.begin(isStatus ? 'message receipt' : 'message receive', {
        kind: 'consumer',
        parent: messageId === undefined ? undefined : this.#sent.get(`${lineId} ${messageId}`),
        startedAt: since,
        attributes: {
          'ponte.line.id': lineId,
          'ponte.event.type': fact.type,
          ...(messageId === undefined ? {} : { 'ponte.message.id': messageId }),
        },
      });
      fact.traceparent = span.traceparent;
      return [span];
    });
  }
}

/** One send on its way. */
export class SendTrace {
  readonly #span: Span;
  readonly #spans: Spans;

  constructor(span: Span, spans: Spans) {
    this.#span = span;
    this.#spans = spans;
  }

  get traceId(): string {
    return this.#span.traceId;
  }

  get traceparent(): string {
    return this.#span.traceparent;
  }

  /** A part of it, with how it ended. */
  async step<T extends { type: string }>(name: string, kind: SpanKind, work: () => Promise<T>): Promise<T> {
    const step = this.#spans.begin(name, { kind, parent: this.traceparent });
    try {
      const result = await work();
      step.set({ 'ponte.step.result': result.type });
      step.end();
      return result;
    } catch (error) {
      step.end('failed');
      throw error;
    }
  }

  end(outcome: SendOutcome): void {
    this.#span.set({ 'ponte.send.outcome': outcome.state });
    this.#span.end(outcome.state === 'failed' ? outcome.code : undefined);
  }
}
