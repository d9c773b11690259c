import type { OutboxEntry } from '../../store/sends/outbox.ts';
import type { MessageTraces, SendTrace } from '../message-traces.ts';
import type { StepResult } from './mailbox.ts';
import { Send, type SendContext } from './send.ts';

/** A send whose steps are told to a collector of traces. */
export class TracedSend extends Send {
  readonly #trace: SendTrace;

  constructor(entry: OutboxEntry, context: SendContext, traces: MessageTraces) {
    const trace = traces.send(entry);
    super(entry, {
      ...context,
      traceparent: trace.traceparent,
      log: context.log.child({ traceId: trace.traceId }),
      onEnd(id, outcome) {
        trace.end(outcome);
        context.onEnd(id, outcome);
      },
    });
    this.#trace = trace;
  }

  override prepare(): Promise<StepResult> {
    return this.#trace.step('message prepare', 'internal', () => super.prepare());
  }

  /** Until WhatsApp's acknowledgement and its commit. */
  override transmit(release: () => void): Promise<Exclude<StepResult, { type: 'ready' }>> {
    return this.#trace.step('message transmit', 'client', () => super.transmit(release));
  }
}
